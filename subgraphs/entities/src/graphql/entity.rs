//! `type Entity`

use std::sync::Arc;

use async_graphql::connection::EmptyFields;
use async_graphql::parser::types::Field;
use async_graphql::{Context, InputType, Object, ScalarType, SelectionField, Value};
use chrono::{DateTime, Utc};
use pulse_graphql::{
    CacheControlScope, Connection, ContextExt, Cursor, Error, JsonObject, Node, Page, PageLimits,
    PlainFields, Total, cache_control,
};
use pulse_store::StoreError;
use pulse_types::EntityId;

use super::entity_history::{EntityState, states};
use super::entity_type::EntityType;
use super::loaders::Loaders;
use super::relationship::Relationship;
use crate::entity::EntityRow;
use crate::entity::row::{Details, KnownEntity};
use crate::error::GraphError;
use crate::relationship::of_entities::{Columns, Direction, NeighborsPage, RelationshipsPage};

/// A thing that the knowledge graph is about.
#[derive(Clone)]
pub(crate) struct Entity(pub(super) KnownEntity);

impl Entity {
    pub(super) fn new(row: impl Into<Arc<EntityRow>>) -> Self {
        Self(KnownEntity::Row(row.into()))
    }

    /// What lists of relationships leave out of their ends, loaded for all of them together.
    async fn row(&self, ctx: &Context<'_>) -> Result<Arc<EntityRow>, Error> {
        match self.0.row() {
            Some(row) => Ok(Arc::clone(row)),
            None => whole(ctx, self.0.id()).await,
        }
    }

    /// What lists of many entities leave out, loaded for all of them together.
    async fn details(&self, ctx: &Context<'_>) -> Result<Option<Details>, Error> {
        if let Some(details) = self.0.row().and_then(|row| row.details.as_ref()) {
            return Ok(Some(details.clone()));
        }
        let row = ctx.part::<Loaders>().entity(self.0.id()).await?;
        Ok(row.and_then(|row| row.details.clone()))
    }
}

/// A thing that the knowledge graph is about.
#[Object(directive = cache_control::apply(Some(CacheControlScope::Tenant)))]
impl Entity {
    /// Its id.
    pub(super) async fn id(&self) -> EntityId {
        self.0.id()
    }

    /// What the organization calls it: unique, and the same for ever.
    async fn key(&self) -> &str {
        self.0.key()
    }

    /// The name of its type.
    async fn r#type(&self) -> &str {
        self.0.type_name()
    }

    /// Its type.
    async fn entity_type(&self, ctx: &Context<'_>) -> Option<Result<EntityType, Error>> {
        let row = ctx.part::<Loaders>().entity_type(self.0.type_name().to_owned()).await.transpose()?;
        Some(row.map(EntityType))
    }

    /// What people call it.
    async fn name(&self) -> &str {
        self.0.name()
    }

    /// What it is.
    async fn description(&self, ctx: &Context<'_>) -> Option<Result<String, Error>> {
        match self.details(ctx).await {
            Ok(details) => details?.description.map(Ok),
            Err(error) => Some(Err(error)),
        }
    }

    /// How sure it is that this is so, 0 to 1.
    async fn confidence(&self, ctx: &Context<'_>) -> Result<f64, Error> {
        Ok(self.row(ctx).await?.confidence)
    }

    /// What is known about it, as its type's `propertiesSchema` describes.
    async fn properties(&self, ctx: &Context<'_>) -> Result<JsonObject, Error> {
        Ok(JsonObject(self.details(ctx).await?.map(|details| details.properties).unwrap_or_default()))
    }

    /// 1, and one more with each change.
    async fn version(&self, ctx: &Context<'_>) -> Result<i64, Error> {
        Ok(self.row(ctx).await?.version)
    }

    /// When it was created.
    async fn created_at(&self, ctx: &Context<'_>) -> Result<DateTime<Utc>, Error> {
        Ok(self.row(ctx).await?.created_at)
    }

    /// When it was last changed.
    async fn updated_at(&self, ctx: &Context<'_>) -> Result<DateTime<Utc>, Error> {
        Ok(self.row(ctx).await?.updated_at)
    }

    /// What it is and was, the latest first. With `at`, the first one is what it was at that time.
    #[graphql(directive = cache_control::apply(Some(CacheControlScope::Tenant)))]
    async fn history(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only what it was by this time.")] at: Option<DateTime<Utc>>,
        #[graphql(desc = "How many at most: 1 to 100, 20 unless given.")] first: Option<i32>,
        #[graphql(desc = "After this cursor.")] after: Option<String>,
    ) -> Result<Connection<EntityState, EmptyFields>, Error<GraphError>> {
        let row = match self.0.row() {
            Some(row) if row.details.is_some() => Arc::clone(row),
            _ => whole(ctx, self.0.id()).await.map_err(never)?,
        };
        states(ctx.part::<Loaders>(), &row, at, (first, after)).await
    }

    /// Its relationships, in order of their types.
    #[graphql(directive = cache_control::apply(Some(CacheControlScope::Tenant)))]
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
        let columns = columns(ctx);
        let asked = RelationshipsPage { direction, type_name, limit: page.limit(), after: from, columns };
        let count = (self.0.id(), (direction, asked.type_name.clone()));
        let loaders = ctx.part::<Loaders>();
        let rows = loaders.related(self.0.id(), asked).await.map_err(never)?;
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
    #[graphql(directive = cache_control::apply(Some(CacheControlScope::Tenant)))]
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
        let count = (self.0.id(), (direction, asked.type_name.clone()));
        let loaders = ctx.part::<Loaders>();
        let rows = loaders.neighbors(self.0.id(), asked).await.map_err(never)?;
        let counts = Arc::clone(&loaders.neighbor_counts);
        let total = Total::new(move |_| {
            let (counts, key) = (Arc::clone(&counts), count.clone());
            async move { Ok(counts.load(key).await?.unwrap_or(0)) }
        });
        Ok(page.connection(rows.to_vec(), total, |row| {
            let id = row.id;
            (Cursor::when_asked(move || Cursor::new(&(id,))), Node(Entity::new(row)))
        }))
    }
}

impl PlainFields for Entity {
    fn plain_field(&self, field: &Field) -> Option<Value> {
        let known = &self.0;
        Some(match field.name.node.as_str() {
            "id" => InputType::to_value(&known.id()),
            "key" => Value::String(known.key().to_owned()),
            "type" => Value::String(known.type_name().to_owned()),
            "name" => Value::String(known.name().to_owned()),
            "confidence" => ScalarType::to_value(&known.row()?.confidence),
            "version" => ScalarType::to_value(&known.row()?.version),
            "createdAt" => ScalarType::to_value(&known.row()?.created_at),
            "updatedAt" => ScalarType::to_value(&known.row()?.updated_at),
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
    let mut wanted = false;
    each_of_nodes(ctx, |field| wanted |= matches!(field.name(), "properties" | "description"));
    wanted
}

/// How much a connection of relationships is asked for.
fn columns(ctx: &Context<'_>) -> Columns {
    // What entities and relationships have beside what they are called, and is small.
    let is_brief = |field: &SelectionField<'_>| {
        matches!(field.name(), "confidence" | "version" | "createdAt" | "updatedAt")
    };
    let mut columns = Columns::Names;
    each_of_nodes(ctx, |field| {
        let wanted = match field.name() {
            "properties" => Columns::Properties,
            "source" | "target" if field.selection_set().any(|field| is_brief(&field)) => Columns::Brief,
            _ if is_brief(field) => Columns::Brief,
            _ => Columns::Names,
        };
        columns = columns.max(wanted);
    });
    columns
}

/// Shows each field that is selected of a connection's nodes, in either way.
fn each_of_nodes(ctx: &Context<'_>, mut show: impl FnMut(&SelectionField<'_>)) {
    let connection = ctx.field();
    for field in connection.selection_set() {
        match field.name() {
            "nodes" => field.selection_set().for_each(|field| show(&field)),
            "edges" => {
                for node in field.selection_set().filter(|field| field.name() == "node") {
                    node.selection_set().for_each(|field| show(&field));
                }
            }
            _ => {}
        }
    }
}

/// The entity of this id, of which a row of the same snapshot tells.
pub(super) async fn whole(ctx: &Context<'_>, id: EntityId) -> Result<Arc<EntityRow>, Error> {
    let row = ctx.part::<Loaders>().entity(id).await?;
    let lost = || StoreError::Inconsistent {
        table: "entities.entities",
        column: "id",
        row: id.to_string(),
        problem: "a relationship of the same snapshot refers to it, and it is not there".to_owned(),
    };
    Ok(row.ok_or_else(lost)?)
}

/// The same error where callers can get other things wrong.
pub(super) fn never(error: Error) -> Error<GraphError> {
    error.map_client(|never| match never {})
}
