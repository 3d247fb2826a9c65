//! A relationship as a caller or a file gives it.

use std::collections::{HashMap, HashSet};

use pulse_store::{StoreError, Write};
use pulse_types::EntityId;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::check::{self, Problem};
use crate::entity::{EntityRef, repo};

/// All that a caller decides about a relationship. Its identity is (source, type, target).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct RelationshipDraft {
    pub(crate) type_name: String,
    pub(crate) source: EntityRef,
    pub(crate) target: EntityRef,
    pub(crate) confidence: f64,
    pub(crate) properties: Map<String, Value>,
}

/// A draft whose ends are found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Resolved<'a> {
    pub(crate) type_name: &'a str,
    pub(crate) source: EntityId,
    pub(crate) target: EntityId,
    pub(crate) confidence: f64,
    pub(crate) properties: &'a Map<String, Value>,
}

impl RelationshipDraft {
    /// Whether each field is well-formed; whether the ends exist is not asked here.
    pub(crate) fn check(&self) -> Result<(), Problem> {
        check::type_name("type", &self.type_name)?;
        for (field, end) in [("source", &self.source), ("target", &self.target)] {
            if let EntityRef::Key(key) = end {
                check::line(field, key)?;
            }
        }
        check::confidence(self.confidence)?;
        check::object("properties", &self.properties)
    }

    /// What two drafts of the same relationship have in common.
    pub(crate) fn identity(&self) -> (EntityRef, String, EntityRef) {
        (self.source.clone(), self.type_name.clone(), self.target.clone())
    }
}

/// The entities that drafts refer to.
pub(crate) struct Ends {
    by_id: HashSet<EntityId>,
    by_key: HashMap<String, EntityId>,
}

impl Ends {
    pub(crate) async fn load_in_tx(
        write: &mut Write,
        drafts: impl Iterator<Item = &RelationshipDraft>,
    ) -> Result<Self, StoreError> {
        let (mut ids, mut keys) = (Vec::new(), Vec::new());
        for end in drafts.flat_map(|draft| [&draft.source, &draft.target]) {
            match end {
                EntityRef::Id(id) => ids.push(*id),
                EntityRef::Key(key) => keys.push(key.as_str()),
            }
        }
        ids.sort_unstable();
        ids.dedup();
        keys.sort_unstable();
        keys.dedup();
        let found = repo::identify_in_tx(write, &ids, &keys).await?;
        Ok(Self {
            by_id: found.iter().map(|(id, _)| *id).collect(),
            by_key: found.into_iter().map(|(id, key)| (key, id)).collect(),
        })
    }

    /// The draft with its ends, or which end there is not.
    pub(crate) fn resolve<'a>(&self, draft: &'a RelationshipDraft) -> Result<Resolved<'a>, Problem> {
        Ok(Resolved {
            type_name: &draft.type_name,
            source: self.end("source", &draft.source)?,
            target: self.end("target", &draft.target)?,
            confidence: draft.confidence,
            properties: &draft.properties,
        })
    }

    /// Whether there is such an entity.
    pub(crate) fn has(&self, end: &EntityRef) -> bool {
        match end {
            EntityRef::Id(id) => self.by_id.contains(id),
            EntityRef::Key(key) => self.by_key.contains_key(key),
        }
    }

    fn end(&self, field: &'static str, end: &EntityRef) -> Result<EntityId, Problem> {
        let found = match end {
            EntityRef::Id(id) => self.by_id.contains(id).then_some(*id),
            EntityRef::Key(key) => self.by_key.get(key).copied(),
        };
        found.ok_or_else(|| no_end(field, end))
    }
}

/// That the entity which a field refers to is not there.
pub(crate) fn no_end(field: &'static str, end: &EntityRef) -> Problem {
    let by = match end {
        EntityRef::Id(id) => format!("the id {id}"),
        EntityRef::Key(key) => format!("the key {key:?}"),
    };
    Problem::missing(field, format!("`{field}` refers to no entity of this organization: none has {by}"))
}
