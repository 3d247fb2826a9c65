//! `Subscription.relationshipChanged`

use async_graphql::{ComplexObject, Context, ID, InputObject, SimpleObject, Subscription};
use chrono::{DateTime, Utc};
use pulse_events::Route;
use pulse_graphql::{
    AnyOf, ChangeFacts, ContextExt, Error, Happened, JsonObject, Live, LiveError, Wanting, follow_in_sight,
};
use pulse_types::{Change, ChangeKind, EntityId, RelationshipId};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::super::Loaders;
use super::super::relationship::Relationship;
use crate::relationship::SUBJECT;
use crate::sight::OF_RELATIONSHIPS;

/// Which changes of relationships to hear of. All that is given must hold.
#[derive(Debug, Default, InputObject)]
pub(crate) struct RelationshipChangeFilter {
    /// Of these types.
    types: Option<Vec<String>>,
    /// Of those that go out from one of these entities; at most 1,000.
    source_ids: Option<Vec<EntityId>>,
    /// Of those that come in to one of these entities; at most 1,000.
    target_ids: Option<Vec<EntityId>>,
    /// Of those with one of these entities at either end; at most 1,000.
    entity_ids: Option<Vec<EntityId>>,
    /// Of these kinds.
    kinds: Option<Vec<ChangeKind>>,
}

/// What has changed about a relationship.
#[derive(SimpleObject)]
#[graphql(complex)]
pub(crate) struct RelationshipChange {
    #[graphql(flatten)]
    facts: ChangeFacts,
    #[graphql(skip)]
    happened: Happened,
}

/// A relationship as it was.
#[derive(SimpleObject)]
pub(crate) struct RelationshipVersion {
    /// Which version it was.
    version: i64,
    /// When it was replaced, or deleted.
    replaced_at: DateTime<Utc>,
    /// How sure it was that this was so, 0 to 1.
    confidence: f64,
    /// What else was known about it.
    properties: JsonObject,
}

#[derive(Deserialize)]
struct Kept {
    confidence: f64,
    properties: Map<String, Value>,
}

impl From<Happened> for RelationshipChange {
    fn from(happened: Happened) -> Self {
        Self { facts: ChangeFacts::from(&happened), happened }
    }
}

impl RelationshipChange {
    fn attribute(&self, name: &str) -> Option<&str> {
        self.happened.change.attributes.get(name).and_then(Value::as_str)
    }
}

#[ComplexObject]
impl RelationshipChange {
    /// What kind of connection it is.
    async fn r#type(&self) -> Option<&str> {
        self.attribute("type")
    }

    /// The id of the entity that it goes out from.
    async fn source_id(&self) -> Option<ID> {
        self.attribute("source").map(ID::from)
    }

    /// The id of the entity that it comes in to.
    async fn target_id(&self) -> Option<ID> {
        self.attribute("target").map(ID::from)
    }

    /// The relationship as it is now, which may be later than this change; null when it is deleted.
    async fn relationship(&self, ctx: &Context<'_>) -> Option<Result<Relationship, Error>> {
        let change = &self.happened.change;
        if change.kind == ChangeKind::Deleted {
            return None;
        }
        let id = RelationshipId::from_uuid(change.key);
        Some(ctx.part::<Loaders>().relationship(id).await.transpose()?.map(Relationship::new))
    }

    /// The relationship as it was before this change; null for a new one.
    async fn previous(&self, ctx: &Context<'_>) -> Option<Result<RelationshipVersion, Error>> {
        let before = super::before::<Kept>(ctx, SUBJECT, &self.happened.change).await.transpose()?;
        Some(before.map(|(Kept { confidence, properties }, row)| {
            let (version, replaced_at, properties) = (row.version, row.at, JsonObject(properties));
            RelationshipVersion { version, replaced_at, confidence, properties }
        }))
    }
}

#[derive(Default)]
pub(crate) struct RelationshipSubscriptions;

#[Subscription]
impl RelationshipSubscriptions {
    /// Tells of each relationship that is created, updated or deleted, once and in the order of the commits.
    async fn relationship_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which changes to hear of; all unless given.")] filter: Option<
            RelationshipChangeFilter,
        >,
        #[graphql(
            desc = "The `cursor` of the last event that was heard: what came later is told of first. From now on unless given."
        )]
        after: Option<String>,
    ) -> Result<Live<RelationshipChange>, Error<LiveError>> {
        let wanted = filter.unwrap_or_default().wanted()?;
        follow_in_sight(ctx, (&[SUBJECT], after), OF_RELATIONSHIPS, wanted).await
    }
}

impl RelationshipChangeFilter {
    fn wanted(self) -> Result<Wanting, LiveError> {
        let Self { types, source_ids, target_ids, entity_ids, kinds } = self;
        let types = AnyOf::try_new("types", types)?;
        let sources = AnyOf::try_new("sourceIds", texts(source_ids))?;
        let targets = AnyOf::try_new("targetIds", texts(target_ids))?;
        let ends = AnyOf::try_new("entityIds", texts(entity_ids))?;
        let kinds = AnyOf::try_new("kinds", kinds)?;
        let by_end = sources.route_by("source").or_else(|| targets.route_by("target"));
        let route = by_end.or_else(|| types.route_by("type")).unwrap_or(Route::All);
        Ok(Wanting::by(route, move |change: &Change| {
            kinds.has(&change.kind)
                && types.has_attribute(change, "type")
                && sources.has_attribute(change, "source")
                && targets.has_attribute(change, "target")
                && (ends.has_attribute(change, "source") || ends.has_attribute(change, "target"))
        }))
    }
}

/// The ids as they stand in attributes.
fn texts(ids: Option<Vec<EntityId>>) -> Option<Vec<String>> {
    ids.map(|ids| ids.iter().map(EntityId::to_string).collect())
}
