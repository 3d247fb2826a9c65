//! `Subscription.entityChanged`

use async_graphql::{ComplexObject, Context, InputObject, SimpleObject, Subscription};
use chrono::{DateTime, Utc};
use pulse_events::Route;
use pulse_graphql::{
    AnyOf, ChangeFacts, ContextExt, Error, Happened, JsonObject, Live, LiveError, Wanting, follow_in_sight,
};
use pulse_types::{Change, ChangeKind, EntityId};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::super::Loaders;
use super::super::entity::Entity;
use crate::entity::SUBJECT;
use crate::sight::OF_ENTITIES;

/// Which changes of entities to hear of. All that is given must hold.
#[derive(Debug, Default, InputObject)]
pub(crate) struct EntityChangeFilter {
    /// Of entities that are, or were until then, of one of these types.
    types: Option<Vec<String>>,
    /// Of these entities; at most 1,000.
    ids: Option<Vec<EntityId>>,
    /// Of these kinds.
    kinds: Option<Vec<ChangeKind>>,
    /// Updates only where one of these fields changed; what is created or deleted is told of in any case.
    changed_fields: Option<Vec<String>>,
}

/// What has changed about an entity.
#[derive(SimpleObject)]
#[graphql(complex)]
pub(crate) struct EntityChange {
    #[graphql(flatten)]
    facts: ChangeFacts,
    #[graphql(skip)]
    happened: Happened,
}

/// An entity as it was.
#[derive(SimpleObject)]
pub(crate) struct EntityVersion {
    /// Which version it was.
    version: i64,
    /// When it was replaced, or deleted.
    replaced_at: DateTime<Utc>,
    /// What the organization calls it.
    key: String,
    /// The name of its type.
    #[graphql(name = "type")]
    type_name: String,
    /// What people called it.
    name: String,
    /// What it was.
    description: Option<String>,
    /// How sure it was that this was so, 0 to 1.
    confidence: f64,
    /// What was known about it.
    properties: JsonObject,
}

#[derive(Deserialize)]
struct Kept {
    key: String,
    #[serde(rename = "type")]
    type_name: String,
    name: String,
    description: Option<String>,
    confidence: f64,
    properties: Map<String, Value>,
}

impl From<Happened> for EntityChange {
    fn from(happened: Happened) -> Self {
        Self { facts: ChangeFacts::from(&happened), happened }
    }
}

#[ComplexObject]
impl EntityChange {
    /// The name of its type: after the change, or before it for what is deleted.
    async fn r#type(&self) -> Option<&str> {
        self.happened.change.attributes.get("type").and_then(Value::as_str)
    }

    /// The name of the type that it had before, when the change gave it another one.
    async fn previous_type(&self) -> Option<&str> {
        self.happened.change.before.get("type").and_then(Value::as_str)
    }

    /// The entity as it is now, which may be later than this change; null when it is deleted.
    async fn entity(&self, ctx: &Context<'_>) -> Option<Result<Entity, Error>> {
        let change = &self.happened.change;
        if change.kind == ChangeKind::Deleted {
            return None;
        }
        let id = EntityId::from_uuid(change.key);
        Some(ctx.part::<Loaders>().entity(id).await.transpose()?.map(Entity::new))
    }

    /// The entity as it was before this change; null for a new one.
    async fn previous(&self, ctx: &Context<'_>) -> Option<Result<EntityVersion, Error>> {
        let before = super::before::<Kept>(ctx, SUBJECT, &self.happened.change).await.transpose()?;
        Some(before.map(|(kept, row)| {
            let Kept { key, type_name, name, description, confidence, properties } = kept;
            let (version, replaced_at, properties) = (row.version, row.at, JsonObject(properties));
            EntityVersion { version, replaced_at, key, type_name, name, description, confidence, properties }
        }))
    }
}

#[derive(Default)]
pub(crate) struct EntitySubscriptions;

#[Subscription]
impl EntitySubscriptions {
    /// Tells of each entity that is created, updated or deleted, once and in the order of the commits.
    async fn entity_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which changes to hear of; all unless given.")] filter: Option<EntityChangeFilter>,
        #[graphql(
            desc = "The `cursor` of the last event that was heard: what came later is told of first. From now on unless given."
        )]
        after: Option<String>,
    ) -> Result<Live<EntityChange>, Error<LiveError>> {
        let wanted = filter.unwrap_or_default().wanted()?;
        follow_in_sight(ctx, (&[SUBJECT], after), OF_ENTITIES, wanted).await
    }
}

impl EntityChangeFilter {
    fn wanted(self) -> Result<Wanting, LiveError> {
        let Self { types, ids, kinds, changed_fields } = self;
        let types = AnyOf::try_new("types", types)?;
        let ids = AnyOf::try_new("ids", ids)?;
        let kinds = AnyOf::try_new("kinds", kinds)?;
        let fields = AnyOf::try_new("changedFields", changed_fields)?;
        let route = ids.route_to(|id| id.uuid()).or_else(|| types.route_by("type")).unwrap_or(Route::All);
        Ok(Wanting::by(route, move |change: &Change| {
            kinds.has(&change.kind)
                && ids.has(&EntityId::from_uuid(change.key))
                && (change.kind != ChangeKind::Updated || fields.has_any(&change.changed))
                && types.has_attribute(change, "type")
        }))
    }
}
