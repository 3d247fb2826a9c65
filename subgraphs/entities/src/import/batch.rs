//! Items that are stored in one transaction.

use std::collections::HashSet;

use pulse_store::{AuditFact, StoreError, Write};
use pulse_types::OrgId;

use super::options::{OnConflict, Place};
use crate::check::Problem;
use crate::entity::{self, EntityDraft, EntityRef, Types};
use crate::entity_type::{self, Validators};
use crate::relationship::{self, Ends, RelationshipDraft, Resolved};
use crate::saved::Outcome;

/// What a record names.
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

/// A relationship with its place and the size of its record.
pub(super) struct PlacedRelationship {
    pub(super) place: Place,
    pub(super) size: usize,
    pub(super) draft: RelationshipDraft,
}

/// The items of one transaction; no two name the same thing.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) entities: Vec<EntityDraft>,
    pub(super) entity_places: Vec<Place>,
    keys: HashSet<String>,
    pub(super) relationships: Vec<PlacedRelationship>,
    identities: HashSet<(EntityRef, String, EntityRef)>,
    bytes: usize,
    last: Place,
}

/// How batches are stored.
pub(super) struct Rules {
    pub(super) org: OrgId,
    pub(super) validators: Validators,
    pub(super) on_conflict: OnConflict,
}

/// What a batch did.
#[derive(Default)]
pub(super) struct Done {
    pub(super) entities: Vec<Outcome>,
    pub(super) relationships: Vec<Outcome>,
    /// Those that were different and stay so.
    pub(super) entities_kept: u64,
    pub(super) relationships_kept: u64,
    pub(super) types_created: u64,
    /// Records that cannot be stored, and why.
    pub(super) bad: Vec<(Place, String)>,
    /// Relationships whose ends do not exist yet, each with which end is missing.
    pub(super) unresolved: Vec<(PlacedRelationship, String)>,
}

/// Why a batch was not stored.
pub(super) enum BatchError {
    Store(StoreError),
    Conflict(Place, String),
    Elsewhere,
}

impl From<StoreError> for BatchError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Done {
    /// What an audit says of it; `None` when nothing is different from before.
    pub(super) fn fact(&self) -> Option<AuditFact> {
        let outcomes = self.entities.iter().chain(&self.relationships);
        let changed = outcomes.filter(|outcome| **outcome != Outcome::Unchanged).count();
        let items = i32::try_from(changed).unwrap_or(i32::MAX);
        let (action, subject) = ("entity:import", entity::SUBJECT);
        let fact = AuditFact { action, subject, key: None, version: None, items };
        (changed > 0 || self.types_created > 0).then_some(fact)
    }
}

impl Batch {
    pub(super) fn len(&self) -> usize {
        self.entities.len() + self.relationships.len()
    }

    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) const fn last(&self) -> Place {
        self.last
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Whether an item of this batch names the same thing.
    pub(super) fn names(&self, item: &Item) -> bool {
        match item {
            Item::Entity(draft) => self.keys.contains(&draft.key),
            Item::Relationship(draft) => self.identities.contains(&draft.identity()),
        }
    }

    pub(super) fn push(&mut self, place: Place, size: usize, item: Item) {
        self.last = place;
        self.bytes += size;
        match item {
            Item::Entity(draft) => {
                self.keys.insert(draft.key.clone());
                self.entities.push(draft);
                self.entity_places.push(place);
            }
            Item::Relationship(draft) => {
                self.identities.insert(draft.identity());
                self.relationships.push(PlacedRelationship { place, size, draft });
            }
        }
    }

    /// Stores what can be stored, entities before relationships.
    pub(super) async fn store_in_tx(&self, write: &mut Write, rules: &Rules) -> Result<Done, BatchError> {
        let mut done = Done::default();
        self.store_entities_in_tx(write, rules, &mut done).await?;
        self.store_relationships_in_tx(write, rules, &mut done).await?;
        Ok(done)
    }

    async fn store_entities_in_tx(
        &self,
        write: &mut Write,
        rules: &Rules,
        done: &mut Done,
    ) -> Result<(), BatchError> {
        if self.entities.is_empty() {
            return Ok(());
        }
        let mut types = Types::load_in_tx(write, &rules.validators, &self.entities).await?;
        let missing = types.missing(&self.entities);
        if !missing.is_empty() {
            for name in &missing {
                done.types_created += u64::from(entity_type::open_in_tx(write, rules.org, name).await?);
            }
            types = Types::load_in_tx(write, &rules.validators, &self.entities).await?;
        }
        let existing = entity::existing_by_key_in_tx(write, &self.entities).await?;
        let mut items = Vec::with_capacity(self.entities.len());
        for (draft, place) in self.entities.iter().zip(&self.entity_places) {
            let row = existing.get(&draft.key);
            if let Err(problem) = types.check(draft) {
                done.bad.push((*place, problem.text));
            } else if row.is_some_and(|row| !draft.changes(row).is_empty())
                && rules.keeps(*place, || conflicting_entity(draft))?
            {
                done.entities_kept += 1;
            } else {
                items.push((draft, row));
            }
        }
        let saved = entity::save_in_tx(write, (rules.org, None), &items).await?;
        done.entities = saved.into_iter().map(|saved| saved.outcome).collect();
        Ok(())
    }

    async fn store_relationships_in_tx(
        &self,
        write: &mut Write,
        rules: &Rules,
        done: &mut Done,
    ) -> Result<(), BatchError> {
        if self.relationships.is_empty() {
            return Ok(());
        }
        let drafts = self.relationships.iter().map(|placed| &placed.draft);
        let ends = Ends::load_in_tx(write, drafts).await?;
        let (mut resolved, mut places) = (Vec::with_capacity(self.relationships.len()), Vec::new());
        for placed in &self.relationships {
            match ends.resolve(&placed.draft) {
                Ok(draft) => {
                    resolved.push(draft);
                    places.push(placed);
                }
                Err(problem) => done.unresolved.push((placed.again(), problem.text)),
            }
        }
        if rules.on_conflict != OnConflict::Update {
            resolved = self.without_conflicts_in_tx(write, rules, (resolved, &places), done).await?;
        }
        let saved = relationship::save_in_tx(write, (rules.org, None), &resolved).await?;
        done.relationships = saved.into_iter().map(|saved| saved.outcome).collect();
        Ok(())
    }

    async fn without_conflicts_in_tx<'a>(
        &self,
        write: &mut Write,
        rules: &Rules,
        (resolved, places): (Vec<Resolved<'a>>, &[&PlacedRelationship]),
        done: &mut Done,
    ) -> Result<Vec<Resolved<'a>>, BatchError> {
        let outcomes = relationship::outcomes_in_tx(write, &resolved).await?;
        let mut left = Vec::with_capacity(resolved.len());
        for ((draft, outcome), placed) in resolved.into_iter().zip(outcomes).zip(places) {
            let what = || conflicting_relationship(&placed.draft);
            if outcome == Outcome::Updated && rules.keeps(placed.place, what)? {
                done.relationships_kept += 1;
            } else {
                left.push(draft);
            }
        }
        Ok(left)
    }
}

impl Rules {
    /// Whether what is different stays as it is.
    fn keeps(&self, place: Place, what: impl FnOnce() -> String) -> Result<bool, BatchError> {
        match self.on_conflict {
            OnConflict::Update => Ok(false),
            OnConflict::Skip => Ok(true),
            OnConflict::Fail => Err(BatchError::Conflict(place, what())),
        }
    }
}

impl PlacedRelationship {
    pub(super) fn again(&self) -> Self {
        Self { place: self.place, size: self.size, draft: self.draft.clone() }
    }
}

pub(super) fn conflicting_entity(draft: &EntityDraft) -> String {
    format!("an entity with the key {:?}", draft.key)
}

pub(super) fn conflicting_relationship(draft: &RelationshipDraft) -> String {
    let end = |end: &EntityRef| match end {
        EntityRef::Id(id) => id.to_string(),
        EntityRef::Key(key) => format!("{key:?}"),
    };
    let (source, target) = (end(&draft.source), end(&draft.target));
    format!("a relationship {:?} from {source} to {target}", draft.type_name)
}
