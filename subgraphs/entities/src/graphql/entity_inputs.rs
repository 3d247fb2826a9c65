//! Inputs about entities.

use async_graphql::{Enum, InputObject, MaybeUndefined};
use chrono::{DateTime, Utc};
use pulse_graphql::JsonObject;
use pulse_types::EntityId;

use crate::check::Problem;
use crate::entity::list::{self, EntityFilter};
use crate::entity::{EntityDraft, EntityPatch};
use crate::error::GraphError;

/// How many items a batch may have.
pub(super) const MAX_ITEMS: usize = 1_000;

/// Narrows a list of entities. All that is given must hold.
#[derive(Debug, Default, InputObject)]
#[graphql(name = "EntityFilter")]
pub(crate) struct EntityFilterInput {
    /// Of this type.
    #[graphql(name = "type")]
    type_name: Option<String>,
    /// With one of these keys; at most 100.
    keys: Option<Vec<String>>,
    /// With a name that begins so; capital letters count.
    name_prefix: Option<String>,
    /// Within these bounds of confidence.
    confidence: Option<ConfidenceRange>,
    /// Created in this time.
    created_at: Option<TimeRange>,
    /// Last changed in this time.
    updated_at: Option<TimeRange>,
}

/// Bounds of a confidence, both included.
#[derive(Debug, Default, InputObject)]
pub(crate) struct ConfidenceRange {
    /// At least this.
    min: Option<f64>,
    /// At most this.
    max: Option<f64>,
}

/// A span of time.
#[derive(Debug, Default, InputObject)]
#[graphql(name = "EntityTimeRange")]
pub(crate) struct TimeRange {
    /// From this time on.
    from: Option<DateTime<Utc>>,
    /// Before this time.
    before: Option<DateTime<Utc>>,
}

impl From<EntityFilterInput> for EntityFilter {
    fn from(input: EntityFilterInput) -> Self {
        let EntityFilterInput { type_name, keys, name_prefix, confidence, created_at, updated_at } = input;
        let confidence = confidence.unwrap_or_default();
        let (created, updated) = (created_at.unwrap_or_default(), updated_at.unwrap_or_default());
        Self {
            type_name,
            keys,
            name_prefix,
            min_confidence: confidence.min,
            max_confidence: confidence.max,
            created_from: created.from,
            created_before: created.before,
            updated_from: updated.from,
            updated_before: updated.before,
            within: None,
        }
    }
}

/// What entities can be ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(crate) enum EntityOrderField {
    /// Their names, by code point.
    Name,
    /// Their keys, by code point.
    Key,
    /// When they were created.
    CreatedAt,
    /// When they were last changed.
    UpdatedAt,
    /// How sure they are.
    Confidence,
}

/// Which way a list is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "EntityOrderDirection")]
pub(crate) enum OrderDirection {
    /// The least first.
    Asc,
    /// The greatest first.
    Desc,
}

/// The order of a list of entities; equals are in order of their creation.
#[derive(Debug, InputObject)]
pub(crate) struct EntityOrder {
    /// By what.
    field: EntityOrderField,
    /// Which way.
    #[graphql(default_with = "OrderDirection::Asc")]
    direction: OrderDirection,
}

impl From<EntityOrder> for list::EntityOrder {
    fn from(order: EntityOrder) -> Self {
        let field = match order.field {
            EntityOrderField::Name => list::EntityOrderField::Name,
            EntityOrderField::Key => list::EntityOrderField::Key,
            EntityOrderField::CreatedAt => list::EntityOrderField::CreatedAt,
            EntityOrderField::UpdatedAt => list::EntityOrderField::UpdatedAt,
            EntityOrderField::Confidence => list::EntityOrderField::Confidence,
        };
        Self { field, descending: order.direction == OrderDirection::Desc }
    }
}

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
