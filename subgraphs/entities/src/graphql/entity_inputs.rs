//! Inputs about entities.

use async_graphql::{InputObject, MaybeUndefined};
use pulse_graphql::JsonObject;
use pulse_types::EntityId;

use crate::check::Problem;
use crate::entity::{EntityDraft, EntityPatch};
use crate::error::GraphError;

/// How many items a batch may have.
pub(super) const MAX_ITEMS: usize = 1_000;

/// A new entity.
#[derive(Debug, InputObject)]
pub(crate) struct CreateEntityInput {
    /// What to call it: 1 to 500 characters, unique in the organization, never to change.
    key: String,
    /// The name of its type, which must exist.
    #[graphql(name = "type")]
    type_name: String,
    /// What people call it: 1 to 500 characters.
    name: String,
    /// What it is: at most 10,000 characters.
    description: Option<String>,
    /// How sure it is that this is so, 0 to 1.
    #[graphql(default = 1.0)]
    confidence: f64,
    /// What is known about it, as its type's `propertiesSchema` describes; at most 64 KiB.
    properties: Option<JsonObject>,
    /// Makes it safe to send the same request again: it is done once, and answered the same.
    pub(super) idempotency_key: Option<String>,
}

impl From<CreateEntityInput> for EntityDraft {
    fn from(input: CreateEntityInput) -> Self {
        let CreateEntityInput {
            key,
            type_name,
            name,
            description,
            confidence,
            properties,
            idempotency_key: _,
        } = input;
        Self { key, type_name, name, description, confidence, properties: properties.unwrap_or_default().0 }
    }
}

/// What to change of an entity; what is left out stays.
#[derive(Debug, InputObject)]
pub(crate) struct UpdateEntityInput {
    /// Which entity.
    id: EntityId,
    /// The name of another type, which must exist.
    #[graphql(name = "type")]
    type_name: Option<String>,
    /// Another name.
    name: Option<String>,
    /// Another description; null removes it.
    description: MaybeUndefined<String>,
    /// Another confidence, 0 to 1.
    confidence: Option<f64>,
    /// Other properties, which take the place of all that there are.
    properties: Option<JsonObject>,
    /// The version that the change was made from: when it is another by now, nothing is changed.
    expected_version: Option<i64>,
}

impl From<UpdateEntityInput> for EntityPatch {
    fn from(input: UpdateEntityInput) -> Self {
        let UpdateEntityInput { id, type_name, name, description, confidence, properties, expected_version } =
            input;
        let properties = properties.map(|properties| properties.0);
        Self { id, type_name, name, description, confidence, properties, expected_version }
    }
}

/// Which entity to delete.
#[derive(Debug, InputObject)]
pub(crate) struct DeleteEntityInput {
    /// Which entity.
    pub(super) id: EntityId,
    /// Refuse when it has relationships, instead of deleting them with it.
    #[graphql(default = false)]
    pub(super) refuse_if_related: bool,
    /// The version that was last seen: when it is another by now, nothing is deleted.
    pub(super) expected_version: Option<i64>,
}

/// A batch of entities, stored all or none.
#[derive(Debug, InputObject)]
pub(crate) struct UpsertEntitiesInput {
    /// The entities: at most 1,000, each key once.
    items: Vec<UpsertEntityItem>,
    /// Makes it safe to send the same request again: it is done once, and answered the same.
    pub(super) idempotency_key: Option<String>,
}

/// An entity as it is to be, whether or not there is one of that key. What is left out is as in a new entity.
#[derive(Debug, InputObject)]
pub(crate) struct UpsertEntityItem {
    /// Its key.
    key: String,
    /// The name of its type, which must exist.
    #[graphql(name = "type")]
    type_name: String,
    /// What people call it.
    name: String,
    /// What it is.
    description: Option<String>,
    /// How sure it is that this is so, 0 to 1.
    #[graphql(default = 1.0)]
    confidence: f64,
    /// What is known about it, as its type's `propertiesSchema` describes.
    properties: Option<JsonObject>,
}

impl UpsertEntitiesInput {
    pub(super) fn drafts(self) -> Result<Vec<EntityDraft>, GraphError> {
        check_size(self.items.len())?;
        Ok(self.items.into_iter().map(EntityDraft::from).collect())
    }
}

impl From<UpsertEntityItem> for EntityDraft {
    fn from(item: UpsertEntityItem) -> Self {
        let UpsertEntityItem { key, type_name, name, description, confidence, properties } = item;
        Self { key, type_name, name, description, confidence, properties: properties.unwrap_or_default().0 }
    }
}

/// Whether a batch has 1 to 1,000 items.
pub(super) fn check_size(items: usize) -> Result<(), GraphError> {
    if (1..=MAX_ITEMS).contains(&items) {
        return Ok(());
    }
    let text = format!("`items` has {items} items, allowed are 1 to {MAX_ITEMS}: send several batches");
    Err(GraphError::Input(Problem::new("items", text)))
}
