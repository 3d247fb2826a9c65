//! Lines that are stored in one transaction.

use std::collections::HashSet;

use pulse_store::{AuditFact, Session, StoreError, Write};
use pulse_types::OrgId;

use crate::check::Problem;
use crate::entity::{self, EntityDraft, EntityRef, Types};
use crate::entity_type::{self, Validators};
use crate::relationship::{self, Ends, RelationshipDraft};
use crate::saved::Outcome;

/// What a line names.
pub(super) enum Item {
    Entity(EntityDraft),
    Relationship(RelationshipDraft),
}

impl Item {
    pub(super) fn check(&self) -> Result<(), Problem> {
        match self {
            Self::Entity(draft) => draft.check(),
            Self::Relationship(draft) => draft.check(),
        }
    }
}

/// The lines of one transaction; no two name the same thing.
#[derive(Default)]
pub(super) struct Batch {
    entities: Vec<EntityDraft>,
    entity_lines: Vec<u64>,
    keys: HashSet<String>,
    relationships: Vec<(u64, usize, RelationshipDraft)>,
    identities: HashSet<(EntityRef, String, EntityRef)>,
    bytes: usize,
    last_line: u64,
}

/// What a batch did.
#[derive(Default)]
pub(super) struct Done {
    pub(super) entities: Vec<Outcome>,
    pub(super) relationships: Vec<Outcome>,
    pub(super) types_created: u64,
    /// Lines that cannot be stored, and why.
    pub(super) bad: Vec<(u64, String)>,
    /// Relationships whose ends do not exist yet: line, size, draft, and which end is missing.
    pub(super) unresolved: Vec<(u64, usize, RelationshipDraft, String)>,
}

impl Batch {
    pub(super) fn len(&self) -> usize {
        self.entities.len() + self.relationships.len()
    }

    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) const fn last_line(&self) -> u64 {
        self.last_line
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Whether a line of this batch names the same thing.
    pub(super) fn names(&self, item: &Item) -> bool {
        match item {
            Item::Entity(draft) => self.keys.contains(&draft.key),
            Item::Relationship(draft) => self.identities.contains(&draft.identity()),
        }
    }

    pub(super) fn push(&mut self, (line, size, item): (u64, usize, Item)) {
        self.last_line = line;
        self.bytes += size;
        match item {
            Item::Entity(draft) => {
                self.keys.insert(draft.key.clone());
                self.entities.push(draft);
                self.entity_lines.push(line);
            }
            Item::Relationship(draft) => {
                self.identities.insert(draft.identity());
                self.relationships.push((line, size, draft));
            }
        }
    }

    /// Stores what can be stored, entities before relationships, in one transaction; none when there is nothing to
    /// change.
    pub(super) async fn commit(
        &self,
        session: &Session,
        org: OrgId,
        validators: &Validators,
    ) -> Result<Done, StoreError> {
        let mut done = Done::default();
        let mut write = session.write().await?;
        self.store_entities_in_tx(&mut write, (org, validators), &mut done).await?;
        self.store_relationships_in_tx(&mut write, org, &mut done).await?;
        let outcomes = done.entities.iter().chain(&done.relationships);
        let changed = outcomes.filter(|outcome| **outcome != Outcome::Unchanged).count();
        if changed > 0 || done.types_created > 0 {
            let items = i32::try_from(changed).unwrap_or(i32::MAX);
            let (action, subject) = ("entity:import", entity::SUBJECT);
            write.commit(AuditFact { action, subject, key: None, version: None, items }).await?;
        }
        Ok(done)
    }

    async fn store_entities_in_tx(
        &self,
        write: &mut Write,
        (org, validators): (OrgId, &Validators),
        done: &mut Done,
    ) -> Result<(), StoreError> {
        if self.entities.is_empty() {
            return Ok(());
        }
        let mut types = Types::load_in_tx(write, validators, &self.entities).await?;
        let missing = types.missing(&self.entities);
        if !missing.is_empty() {
            for name in &missing {
                done.types_created += u64::from(entity_type::open_in_tx(write, org, name).await?);
            }
            types = Types::load_in_tx(write, validators, &self.entities).await?;
        }
        let existing = entity::existing_by_key_in_tx(write, &self.entities).await?;
        let mut items = Vec::with_capacity(self.entities.len());
        for (draft, line) in self.entities.iter().zip(&self.entity_lines) {
            match types.check(draft) {
                Ok(()) => items.push((draft, existing.get(&draft.key))),
                Err(problem) => done.bad.push((*line, problem.text)),
            }
        }
        let saved = entity::save_in_tx(write, (org, None), &items).await?;
        done.entities = saved.into_iter().map(|saved| saved.outcome).collect();
        Ok(())
    }

    async fn store_relationships_in_tx(
        &self,
        write: &mut Write,
        org: OrgId,
        done: &mut Done,
    ) -> Result<(), StoreError> {
        if self.relationships.is_empty() {
            return Ok(());
        }
        let ends = Ends::load_in_tx(write, self.relationships.iter().map(|(_, _, draft)| draft)).await?;
        let mut resolved = Vec::with_capacity(self.relationships.len());
        for (line, size, draft) in &self.relationships {
            match ends.resolve(draft) {
                Ok(draft) => resolved.push(draft),
                Err(problem) => done.unresolved.push((*line, *size, draft.clone(), problem.text)),
            }
        }
        let saved = relationship::save_in_tx(write, (org, None), &resolved).await?;
        done.relationships = saved.into_iter().map(|saved| saved.outcome).collect();
        Ok(())
    }
}
