//! Inputs about relationships.

use async_graphql::InputObject;
use pulse_graphql::JsonObject;
use pulse_types::{EntityId, RelationshipId};

use super::entity_inputs::check_size;
use crate::check::Problem;
use crate::entity::EntityRef;
use crate::error::GraphError;
use crate::relationship::list::RelationshipFilter;
use crate::relationship::{RelationshipDraft, RelationshipPatch};

/// Narrows a list of relationships. All that is given must hold.
#[derive(Debug, Default, InputObject)]
#[graphql(name = "RelationshipFilter")]
pub(crate) struct RelationshipFilterInput {
    /// Of this type.
    #[graphql(name = "type")]
    type_name: Option<String>,
    /// Going out from this entity.
    source: Option<EntityId>,
    /// Coming in to this entity.
    target: Option<EntityId>,
    /// At least as sure as this.
    min_confidence: Option<f64>,
}

impl From<RelationshipFilterInput> for RelationshipFilter {
    fn from(input: RelationshipFilterInput) -> Self {
        let RelationshipFilterInput { type_name, source, target, min_confidence } = input;
        Self { type_name, source, target, min_confidence, within: None }
    }
}

/// A new relationship. Each of its ends is given by id or by key.
#[derive(Debug, InputObject)]
pub(crate) struct CreateRelationshipInput {
    /// What kind of connection: a letter and up to 63 more letters, digits, `_`, `-` or `.`.
    #[graphql(name = "type")]
    type_name: String,
    /// The id of the entity that it goes out from.
    source_id: Option<EntityId>,
    /// The key of the entity that it goes out from.
    source_key: Option<String>,
    /// The id of the entity that it comes in to.
    target_id: Option<EntityId>,
    /// The key of the entity that it comes in to.
    target_key: Option<String>,
    /// How sure it is that this is so, 0 to 1.
    #[graphql(default = 1.0)]
    confidence: f64,
    /// What else is known about it; at most 64 KiB.
    properties: Option<JsonObject>,
    /// Makes it safe to send the same request again: it is done once, and answered the same.
    pub(super) idempotency_key: Option<String>,
}

impl CreateRelationshipInput {
    pub(super) fn draft(self) -> Result<RelationshipDraft, GraphError> {
        Ok(RelationshipDraft {
            type_name: self.type_name,
            source: end("source", self.source_id, self.source_key)?,
            target: end("target", self.target_id, self.target_key)?,
            confidence: self.confidence,
            properties: self.properties.unwrap_or_default().0,
        })
    }
}

fn end(which: &str, id: Option<EntityId>, key: Option<String>) -> Result<EntityRef, GraphError> {
    match (id, key) {
        (Some(id), None) => Ok(EntityRef::Id(id)),
        (None, Some(key)) => Ok(EntityRef::Key(key)),
        _ => {
            let text = format!("`input` needs either `{which}Id` or `{which}Key`");
            Err(GraphError::Input(Problem::new(format!("{which}Id"), text)))
        }
    }
}

/// What to change of a relationship; what is left out stays. Its type and ends are what it is: delete it and create
/// another to change them.
#[derive(Debug, InputObject)]
pub(crate) struct UpdateRelationshipInput {
    /// Which relationship.
    id: RelationshipId,
    /// Another confidence, 0 to 1.
    confidence: Option<f64>,
    /// Other properties, which take the place of all that there are.
    properties: Option<JsonObject>,
    /// The version that the change was made from: when it is another by now, nothing is changed.
    expected_version: Option<i64>,
}

impl From<UpdateRelationshipInput> for RelationshipPatch {
    fn from(input: UpdateRelationshipInput) -> Self {
        let UpdateRelationshipInput { id, confidence, properties, expected_version } = input;
        Self { id, confidence, properties: properties.map(|properties| properties.0), expected_version }
    }
}

/// Which relationship to delete.
#[derive(Debug, InputObject)]
pub(crate) struct DeleteRelationshipInput {
    /// Which relationship.
    pub(super) id: RelationshipId,
    /// The version that was last seen: when it is another by now, nothing is deleted.
    pub(super) expected_version: Option<i64>,
}

/// A batch of relationships, stored all or none.
#[derive(Debug, InputObject)]
pub(crate) struct UpsertRelationshipsInput {
    /// The relationships: at most 1,000, each source, type and target once.
    items: Vec<UpsertRelationshipItem>,
    /// Makes it safe to send the same request again: it is done once, and answered the same.
    pub(super) idempotency_key: Option<String>,
}

/// A relationship as it is to be, whether or not there is one of that source, type and target. What is left out is
/// as in a new relationship.
#[derive(Debug, InputObject)]
pub(crate) struct UpsertRelationshipItem {
    /// What kind of connection.
    #[graphql(name = "type")]
    type_name: String,
    /// The key of the entity that it goes out from.
    source_key: String,
    /// The key of the entity that it comes in to.
    target_key: String,
    /// How sure it is that this is so, 0 to 1.
    #[graphql(default = 1.0)]
    confidence: f64,
    /// What else is known about it.
    properties: Option<JsonObject>,
}

impl UpsertRelationshipsInput {
    pub(super) fn drafts(self) -> Result<Vec<RelationshipDraft>, GraphError> {
        check_size(self.items.len())?;
        let draft = |item| {
            let UpsertRelationshipItem { type_name, source_key, target_key, confidence, properties } = item;
            RelationshipDraft {
                type_name,
                source: EntityRef::Key(source_key),
                target: EntityRef::Key(target_key),
                confidence,
                properties: properties.unwrap_or_default().0,
            }
        };
        Ok(self.items.into_iter().map(draft).collect())
    }
}
