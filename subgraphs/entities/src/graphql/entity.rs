//! `type Entity`

use std::sync::Arc;

use async_graphql::parser::types::Field;
use async_graphql::{Context, InputType, Object, ScalarType, Value};
use chrono::{DateTime, Utc};
use pulse_graphql::{
    Connection, ContextExt, Cursor, Error, JsonObject, Node, Page, PageLimits, PlainFields, Total,
};
use pulse_types::EntityId;

use super::entity_type::EntityType;
use super::loaders::Loaders;
use super::relationship::Relationship;
use crate::entity::EntityRow;
use crate::entity::row::Details;
use crate::error::GraphError;
use crate::relationship::of_entities::{Direction, NeighborsPage, RelationshipsPage};

/// A thing that the knowledge graph is about.
#[derive(Clone)]
pub(crate) struct Entity(pub(super) Arc<EntityRow>);

impl Entity {
    pub(super) fn new(row: EntityRow) -> Self {
        Self(Arc::new(row))
    }

    /// What lists of many entities leave out, loaded for all of them together.
    async fn details(&self, ctx: &Context<'_>) -> Result<Option<Details>, Error> {
        if let Some(details) = &self.0.details {
            return Ok(Some(details.clone()));
        }
        let row = ctx.part::<Loaders>().entity(self.0.id).await?;
        Ok(row.and_then(|row| row.details.clone()))
    }
}

/// A thing that the knowledge graph is about.
#[Object]
impl Entity {
    /// Its id.
    pub(super) async fn id(&self) -> EntityId {
        self.0.id
    }

    /// What the organization calls it: unique, and the same for ever.
    async fn key(&self) -> &str {
        &self.0.key
    }

    /// The name of its type.
    async fn r#type(&self) -> &str {
        &self.0.type_name
    }

    /// Its type.
    async fn entity_type(&self, ctx: &Context<'_>) -> Option<Result<EntityType, Error>> {
        let row = ctx.part::<Loaders>().entity_type(self.0.type_name.clone()).await.transpose()?;
        Some(row.map(EntityType))
    }

    /// What people call it.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// What it is.
    async fn description(&self, ctx: &Context<'_>) -> Option<Result<String, Error>> {
        match self.details(ctx).await {
            Ok(details) => details?.description.map(Ok),
            Err(error) => Some(Err(error)),
        }
    }

    /// How sure it is that this is so, 0 to 1.
    async fn confidence(&self) -> f64 {
        self.0.confidence
    }

    /// What is known about it, as its type's `propertiesSchema` describes.
    async fn properties(&self, ctx: &Context<'_>) -> Result<JsonObject, Error> {
        Ok(JsonObject(self.details(ctx).await?.map(|details| details.properties).unwrap_or_default()))
    }

    /// 1, and one more with each change.
    async fn version(&self) -> i64 {
        self.0.version
    }

    /// When it was created.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it was last changed.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }

    /// Its relationships, in order of their types.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn relationships(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which way they go, seen from this entity.", default_with = "Direction::Both")]
        direction: Direction,
        #[graphql(desc = "Only those of this type.", name = "type")] type_name: Option<String>,
        #[graphql(desc = "How many at most: 1 to 100, 20 unless given.")] first: Option<i32>,
        #[graphql(desc = "After this cursor.")] after: Option<String>,
    ) -> Result<Connection<Node<Relationship>>, Error<GraphError>> {
        let (page, from) = forwards(first, after)?;
        let details = nodes_want(ctx, &["properties"]);
        let asked = RelationshipsPage { direction, type_name, limit: page.limit(), after: from, details };
        let count = (self.0.id, (direction, asked.type_name.clone()));
        let loaders = ctx.part::<Loaders>();
        let rows = loaders.related(self.0.id, asked).await.map_err(never)?;
        let counts = Arc::clone(&loaders.related_counts);
        let total = Total::new(move |_| {
            let (counts, key) = (Arc::clone(&counts), count.clone());
            async move { Ok(counts.load(key).await?.unwrap_or(0)) }
        });
        Ok(page.connection(rows.to_vec(), total, |row| {
            let node = Node(Relationship::of(self, &row));
            (Cursor::when_asked(move || Cursor::new(&row.position())), node)
        }))
    }

    /// The entities at the other ends of its relationships, each once, in order of their creation.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn neighbors(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Which way the relationships go, seen from this entity.",
            default_with = "Direction::Both"
        )]
        direction: Direction,
        #[graphql(desc = "Only along relationships of this type.", name = "type")] type_name: Option<String>,
        #[graphql(desc = "How many at most: 1 to 100, 20 unless given.")] first: Option<i32>,
        #[graphql(desc = "After this cursor.")] after: Option<String>,
    ) -> Result<Connection<Node<Entity>>, Error<GraphError>> {
        let (page, from) = forwards(first, after)?;
        let details = wants_details(ctx);
        let asked = NeighborsPage {
            direction,
            type_name,
            limit: page.limit(),
            after: from.map(|(id,): (EntityId,)| id),
            details,
        };
        let count = (self.0.id, (direction, asked.type_name.clone()));
        let loaders = ctx.part::<Loaders>();
        let rows = loaders.neighbors(self.0.id, asked).await.map_err(never)?;
        let counts = Arc::clone(&loaders.neighbor_counts);
        let total = Total::new(move |_| {
            let (counts, key) = (Arc::clone(&counts), count.clone());
            async move { Ok(counts.load(key).await?.unwrap_or(0)) }
        });
        Ok(page.connection(rows.to_vec(), total, |row| {
            let id = row.id;
            (Cursor::when_asked(move || Cursor::new(&(id,))), Node(Entity(row)))
        }))
    }
}

impl PlainFields for Entity {
    fn plain_field(&self, field: &Field) -> Option<Value> {
        let row = &self.0;
        Some(match field.name.node.as_str() {
            "id" => InputType::to_value(&row.id),
            "key" => Value::String(row.key.clone()),
            "type" => Value::String(row.type_name.clone()),
            "name" => Value::String(row.name.clone()),
            "confidence" => ScalarType::to_value(&row.confidence),
            "version" => ScalarType::to_value(&row.version),
            "createdAt" => ScalarType::to_value(&row.created_at),
            "updatedAt" => ScalarType::to_value(&row.updated_at),
            _ => return None,
        })
    }
}

/// A page that only goes forwards, and where it begins.
fn forwards<T: serde::de::DeserializeOwned>(
    first: Option<i32>,
    after: Option<String>,
) -> Result<(Page, Option<T>), GraphError> {
    let page = Page::try_new((first, after), (None, None), PageLimits::USUAL)?;
    let from = page.from.as_ref().map(Cursor::values).transpose()?;
    Ok((page, from))
}

/// Whether a connection of entities is asked for what is large about them.
pub(super) fn wants_details(ctx: &Context<'_>) -> bool {
    nodes_want(ctx, &["properties", "description"])
}

/// Whether any of these fields is asked of a connection's nodes.
fn nodes_want(ctx: &Context<'_>, fields: &[&str]) -> bool {
    let connection = ctx.look_ahead();
    [connection.field("nodes"), connection.field("edges").field("node")]
        .iter()
        .any(|node| fields.iter().any(|field| node.field(field).exists()))
}

/// The same error where callers can get other things wrong.
pub(super) fn never(error: Error) -> Error<GraphError> {
    error.map_client(|never| match never {})
}
