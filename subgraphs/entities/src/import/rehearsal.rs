//! What an import would do.
//!
//! Each batch is compared with what is stored, in a transaction that writes nothing. What the file has said before, which a
//! real import would have stored by then, is remembered as digests: 20 to 40 bytes for each thing that it names.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hash, RandomState};

use pulse_store::Write;
use serde::Serialize;

use super::batch::{
    Batch, BatchError, Done, PlacedRelationship, Rules, conflicting_entity, conflicting_relationship,
};
use super::options::{OnConflict, Place};
use crate::check::Problem;
use crate::entity::{self, EntityRef, Types};
use crate::relationship::{self, Ends, RelationshipDraft};
use crate::saved::Outcome;

/// What the batches before would have left.
#[derive(Default)]
pub(super) struct Rehearsal {
    /// Digests of what was said of things, by digests of what names them.
    said: HashMap<u64, u32>,
    types: HashSet<String>,
    digest: RandomState,
}

impl Rehearsal {
    /// What storing the batch would do.
    pub(super) async fn batch_in_tx(
        &mut self,
        write: &mut Write,
        rules: &Rules,
        batch: &Batch,
    ) -> Result<Done, BatchError> {
        let mut done = Done::default();
        self.entities_in_tx(write, rules, batch, &mut done).await?;
        self.relationships_in_tx(write, rules, batch, &mut done).await?;
        Ok(done)
    }

    async fn entities_in_tx(
        &mut self,
        write: &mut Write,
        rules: &Rules,
        batch: &Batch,
        done: &mut Done,
    ) -> Result<(), BatchError> {
        if batch.entities.is_empty() {
            return Ok(());
        }
        let types = Types::load_in_tx(write, &rules.validators, &batch.entities).await?;
        let missing = types.missing(&batch.entities);
        let existing = entity::existing_by_key_in_tx(write, &batch.entities).await?;
        for (draft, place) in batch.entities.iter().zip(&batch.entity_places) {
            if missing.contains(draft.type_name.as_str()) {
                // It would be created open.
                done.types_created += u64::from(self.types.insert(draft.type_name.clone()));
            } else if let Err(problem) = types.check(draft) {
                done.bad.push((*place, problem.text));
                continue;
            }
            let stored = match existing.get(&draft.key) {
                None => Outcome::Created,
                Some(row) if draft.changes(row).is_empty() => Outcome::Unchanged,
                Some(_) => Outcome::Updated,
            };
            let outcome = self.meet(self.key(&draft.key), draft, stored, rules.on_conflict);
            let conflict = (outcome == Outcome::Updated).then(|| conflicting_entity(draft));
            let kept = tell(rules, (*place, conflict), &mut done.bad);
            match kept {
                Told::Done => done.entities.push(outcome),
                Told::Kept => done.entities_kept += 1,
                Told::Refused => {}
            }
        }
        Ok(())
    }

    async fn relationships_in_tx(
        &mut self,
        write: &mut Write,
        rules: &Rules,
        batch: &Batch,
        done: &mut Done,
    ) -> Result<(), BatchError> {
        if batch.relationships.is_empty() {
            return Ok(());
        }
        let ends = Ends::load_in_tx(write, batch.relationships.iter().map(|placed| &placed.draft)).await?;
        let (mut resolved, mut stored) = (Vec::new(), Vec::new());
        for placed in &batch.relationships {
            match ends.resolve(&placed.draft) {
                Ok(draft) => {
                    stored.push((placed, Some(resolved.len())));
                    resolved.push(draft);
                }
                Err(_) => match self.missing_end(&ends, &placed.draft) {
                    None => stored.push((placed, None)),
                    Some(problem) => done.unresolved.push((placed.again(), problem.text)),
                },
            }
        }
        let outcomes = relationship::outcomes_in_tx(write, &resolved).await?;
        for (placed, place) in stored {
            let stored = place.map_or(Outcome::Created, |place| outcomes[place]);
            self.relationship(rules, (placed, stored), done);
        }
        Ok(())
    }

    fn relationship(
        &mut self,
        rules: &Rules,
        (placed, stored): (&PlacedRelationship, Outcome),
        done: &mut Done,
    ) {
        let name = self.digest.hash_one(placed.draft.identity());
        let outcome = self.meet(name, &placed.draft, stored, rules.on_conflict);
        let conflict = (outcome == Outcome::Updated).then(|| conflicting_relationship(&placed.draft));
        match tell(rules, (placed.place, conflict), &mut done.bad) {
            Told::Done => done.relationships.push(outcome),
            Told::Kept => done.relationships_kept += 1,
            Told::Refused => {}
        }
    }

    /// What storing one item does after what was said before; `stored` if nothing was.
    fn meet(&mut self, name: u64, draft: &impl Serialize, stored: Outcome, rule: OnConflict) -> Outcome {
        let text = serde_json::to_string(draft).unwrap_or_default();
        let bytes = self.digest.hash_one(text).to_be_bytes();
        let said = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        match self.said.get(&name) {
            Some(before) if *before == said => Outcome::Unchanged,
            Some(_) => {
                if rule == OnConflict::Update {
                    self.said.insert(name, said);
                }
                Outcome::Updated
            }
            None => {
                // What stays as it is was not said by the file; it stays different.
                if stored != Outcome::Updated || rule == OnConflict::Update {
                    self.said.insert(name, said);
                }
                stored
            }
        }
    }

    fn key(&self, key: impl Hash) -> u64 {
        self.digest.hash_one((key, "key"))
    }

    /// Which end is neither stored nor said before.
    fn missing_end(&self, ends: &Ends, draft: &RelationshipDraft) -> Option<Problem> {
        let both = [("source", &draft.source), ("target", &draft.target)];
        let missing = both.into_iter().find(|(_, end)| !ends.has(end) && !self.has(end));
        missing.map(|(field, end)| relationship::no_end(field, end))
    }

    fn has(&self, end: &EntityRef) -> bool {
        match end {
            EntityRef::Id(_) => false,
            EntityRef::Key(key) => self.said.contains_key(&self.key(key)),
        }
    }
}

enum Told {
    Done,
    Kept,
    Refused,
}

fn tell(rules: &Rules, (place, conflict): (Place, Option<String>), bad: &mut Vec<(Place, String)>) -> Told {
    match (rules.on_conflict, conflict) {
        (OnConflict::Update, _) | (_, None) => Told::Done,
        (OnConflict::Skip, Some(_)) => Told::Kept,
        (OnConflict::Fail, Some(what)) => {
            bad.push((place, format!("{what} is there already, and different")));
            Told::Refused
        }
    }
}
