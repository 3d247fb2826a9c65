//! Walks through the graph.

use std::sync::Arc;

use async_graphql::{Context, InputObject, Object, SimpleObject};
use pulse_graphql::{Connection, ContextExt, Cursor, Error, Page, PageLimits, Total};
use pulse_types::EntityId;

use super::document::{DocumentFormat, document};
use super::entity::Entity;
use super::loaders::Loaders;
use super::relationship::Relationship;
use crate::check::Problem;
use crate::error::GraphError;
use crate::neo4j::Neo4j;
use crate::relationship::of_entities::Direction;
use crate::traversal::{self, Budget, CutOff, Edge, Following};

/// The farthest that `subgraph` goes.
const MAX_DEPTH: usize = 10;
/// The most entities that `subgraph` gives.
const MAX_ENTITIES: usize = 1_000;
/// The longest way that `shortestPath` looks for.
const MAX_SHORTEST: usize = 20;
/// The longest ways that `paths` looks for: their number grows with each hop by as much as entities have neighbours.
const MAX_HOPS: usize = 6;
/// How many ways can be paged through.
const MAX_PATHS: usize = 10_000;

/// Which relationships a walk through the graph follows, and to which entities.
#[derive(Debug, InputObject, Default)]
#[graphql(name = "TraversalFilter")]
pub(crate) struct TraversalFilterInput {
    /// Only relationships of these types: 50 names at most.
    types: Option<Vec<String>>,
    /// Only relationships that are at least as sure, 0 to 1.
    min_confidence: Option<f64>,
    /// Only through entities of these types: 50 names at most. Those that a walk sets out from and those that it looks for may
    /// be of any.
    entity_types: Option<Vec<String>>,
}

impl TraversalFilterInput {
    fn following(filter: Option<Self>, direction: Option<Direction>, ends: &[EntityId]) -> Following {
        let Self { types, min_confidence, entity_types } = filter.unwrap_or_default();
        Following {
            direction: direction.unwrap_or(Direction::Outgoing),
            types: types.unwrap_or_default(),
            min_confidence,
            entity_types: entity_types.unwrap_or_default(),
            ends: ends.to_vec(),
        }
    }
}

/// An entity that a walk has reached.
#[derive(SimpleObject)]
pub(crate) struct ReachedEntity {
    /// The entity.
    entity: Entity,
    /// How many hops it is away at least; 0 for those that the walk set out from.
    distance: i32,
}

/// What a walk has reached: nodes and edges, to be drawn or counted.
pub(crate) struct EntitySubgraph {
    nodes: Vec<(EntityId, i32)>,
    edges: Vec<Edge>,
    cut: Cut,
}

/// What was left out of an answer, and how much was read for it.
#[derive(Clone, Copy)]
struct Cut {
    off: Option<CutOff>,
    read: i32,
}

impl From<&Budget> for Cut {
    fn from(budget: &Budget) -> Self {
        Self { off: budget.cut_off(), read: whole(budget.read()) }
    }
}

/// What a walk has reached.
#[Object]
impl EntitySubgraph {
    /// The entities: those that the walk set out from, then the others in order of distance and creation.
    async fn nodes(&self, ctx: &Context<'_>) -> Result<Vec<ReachedEntity>, Error> {
        let rows = entities(ctx, self.nodes.iter().map(|(id, _)| *id)).await?;
        // One that the walk was to set out from and that is not there is none.
        let reached = self.nodes.iter().zip(rows);
        Ok(reached
            .filter_map(|((_, distance), entity)| {
                Some(ReachedEntity { entity: entity?, distance: *distance })
            })
            .collect())
    }

    /// The relationships between them, in order of their sources, types and targets: those of the entities that are nearer than
    /// `depth`.
    async fn edges(&self, ctx: &Context<'_>) -> Result<Vec<Relationship>, Error> {
        relationships(ctx, &self.edges).await
    }

    /// All of it as a document, to be opened with other programs: at most 20,000 relationships and 8 MiB.
    async fn document(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How it is written.")] format: DocumentFormat,
    ) -> Option<Result<String, Error<GraphError>>> {
        let nodes = self.nodes.iter().map(|(id, _)| *id);
        Some(document(ctx, (nodes, &self.edges), format).await)
    }

    /// Why the walk has not gone everywhere that it could have; null when it has.
    async fn cut_off(&self) -> Option<CutOff> {
        self.cut.off
    }

    /// How many relationships were read.
    async fn relationships_read(&self) -> i32 {
        self.cut.read
    }
}

/// A way from one entity to another.
pub(crate) struct Path {
    from: EntityId,
    edges: Vec<Edge>,
}

impl Path {
    fn entities(&self) -> Vec<EntityId> {
        let mut at = self.from;
        let mut passed = vec![at];
        for edge in &self.edges {
            at = if edge.source == at { edge.target } else { edge.source };
            passed.push(at);
        }
        passed
    }
}

/// A way from one entity to another, which passes through no entity twice.
#[Object(name = "EntityPath")]
impl Path {
    /// How many relationships it has; 0 where both are the same entity.
    async fn length(&self) -> i32 {
        whole(self.edges.len())
    }

    /// The entities that it passes through, both ends included.
    async fn nodes(&self, ctx: &Context<'_>) -> Result<Vec<Entity>, Error> {
        Ok(entities(ctx, self.entities().into_iter()).await?.into_iter().flatten().collect())
    }

    /// Its relationships, one after the other.
    async fn edges(&self, ctx: &Context<'_>) -> Result<Vec<Relationship>, Error> {
        relationships(ctx, &self.edges).await
    }
}

/// One of the shortest ways, if there is one.
#[derive(SimpleObject)]
pub(crate) struct ShortestPath {
    /// The way; null when there is none of at most `maxHops` relationships, or `cutOff` says why none was found. Of several
    /// equally short ones it is the same each time.
    path: Option<Path>,
    /// Why the search has ended before it was over; null when it has not.
    cut_off: Option<CutOff>,
    /// How many relationships were read.
    relationships_read: i32,
}

/// What a list of ways says of all of them.
pub(crate) struct PathsFound {
    total: Total,
    cut: Cut,
}

#[Object]
impl PathsFound {
    #[graphql(flatten)]
    #[expect(clippy::unused_async, reason = "the macro wants it so")]
    async fn total(&self) -> &Total {
        &self.total
    }

    /// Why there may be more ways than were found; null when there are none.
    async fn cut_off(&self) -> Option<CutOff> {
        self.cut.off
    }

    /// How many relationships were read.
    async fn relationships_read(&self) -> i32 {
        self.cut.read
    }
}

#[derive(Default)]
pub(super) struct TraversalQueries;

#[Object]
impl TraversalQueries {
    /// What can be reached from some entities, and how it is connected.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a field")]
    async fn subgraph(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Where to set out from: 1 to 100 ids of entities.")] from: Vec<EntityId>,
        #[graphql(
            desc = "Which way relationships are followed, seen from where one comes from: OUTGOING unless given."
        )]
        direction: Option<Direction>,
        #[graphql(desc = "Narrows what is followed.")] filter: Option<TraversalFilterInput>,
        #[graphql(desc = "How many hops to go: 1 to 10, 1 unless given.")] depth: Option<i32>,
        #[graphql(desc = "How many entities to give at most: 1 to 1000, 100 unless given.")] limit: Option<
            i32,
        >,
    ) -> Result<EntitySubgraph, Error<GraphError>> {
        if !(1..=traversal::MAX_STARTS).contains(&from.len()) {
            let text = format!("`from` has {} ids, allowed is 1 to {}", from.len(), traversal::MAX_STARTS);
            return Err(GraphError::Argument(Problem::new("from", text)).into());
        }
        let depth = traversal::count("depth", depth.unwrap_or(1), MAX_DEPTH)?;
        let limit = traversal::count("limit", limit.unwrap_or(100), MAX_ENTITIES)?;
        let following = TraversalFilterInput::following(filter, direction, &[]);
        let mut walk = traversal::enter(ctx.session(), neo4j(ctx), &following)?.choose().await?;
        let (reached, budget) = loop {
            let mut budget = Budget::new();
            let walked = traversal::reach(&walk, &mut budget, (&from, &following), (depth, limit)).await;
            if let Some(reached) = walk.settle(walked, &budget).await? {
                break (reached, budget);
            }
        };
        let nodes = reached.entities.into_iter().map(|(id, distance)| (id, distance.cast_signed())).collect();
        Ok(EntitySubgraph { nodes, edges: reached.edges, cut: Cut::from(&budget) })
    }

    /// One of the shortest ways from one entity to another.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a field")]
    async fn shortest_path(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the entity where it begins.")] from: EntityId,
        #[graphql(desc = "The id of the entity where it ends.")] to: EntityId,
        #[graphql(
            desc = "Which way relationships are followed, seen from where one comes from: OUTGOING unless given."
        )]
        direction: Option<Direction>,
        #[graphql(desc = "Narrows what is followed.")] filter: Option<TraversalFilterInput>,
        #[graphql(desc = "How many hops it may have: 1 to 20, 6 unless given.")] max_hops: Option<i32>,
    ) -> Result<ShortestPath, Error<GraphError>> {
        let max_hops = traversal::count("maxHops", max_hops.unwrap_or(6), MAX_SHORTEST)?;
        let following = TraversalFilterInput::following(filter, direction, &[from, to]);
        let walk = traversal::enter(ctx.session(), neo4j(ctx), &following)?;
        both_there(ctx, from, to).await?;
        let mut walk = walk.choose().await?;
        let (way, budget) = loop {
            let mut budget = Budget::new();
            let ends = (from, to, &following);
            let walked = traversal::shortest_path(&walk, &mut budget, ends, max_hops).await;
            if let Some(way) = walk.settle(walked, &budget).await? {
                break (way, budget);
            }
        };
        let Cut { off, read } = Cut::from(&budget);
        let path = way.map(|edges| Path { from, edges });
        let cut_off = if path.is_some() { None } else { off };
        Ok(ShortestPath { path, cut_off, relationships_read: read })
    }

    /// All ways from one entity to another: the shorter ones first.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn paths(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the entity where they begin.")] from: EntityId,
        #[graphql(desc = "The id of the entity where they end.")] to: EntityId,
        #[graphql(
            desc = "Which way relationships are followed, seen from where one comes from: OUTGOING unless given."
        )]
        direction: Option<Direction>,
        #[graphql(desc = "Narrows what is followed.")] filter: Option<TraversalFilterInput>,
        #[graphql(desc = "How many hops they may have: 1 to 6, 3 unless given.")] max_hops: Option<i32>,
        #[graphql(desc = "How many at most: 1 to 100, 20 unless given.")] first: Option<i32>,
        #[graphql(
            desc = "After this cursor, which is a place among the ways: they are looked for again for each page."
        )]
        after: Option<String>,
    ) -> Result<Connection<Path, PathsFound>, Error<GraphError>> {
        let page =
            Page::try_new((first, after), (None, None), PageLimits::USUAL).map_err(GraphError::from)?;
        let skip = page.from.as_ref().map(Cursor::values::<(usize,)>).transpose();
        let skip = skip.map_err(GraphError::from)?.map_or(0, |(place,)| place).min(MAX_PATHS);
        let max_hops = traversal::count("maxHops", max_hops.unwrap_or(3), MAX_HOPS)?;
        let following = Arc::new(TraversalFilterInput::following(filter, direction, &[from, to]));
        let walk = traversal::enter(ctx.session(), neo4j(ctx), &following)?;
        both_there(ctx, from, to).await?;
        let mut walk = walk.choose().await?;
        let take = usize::try_from(page.limit()).unwrap_or(usize::MAX);
        let (ways, budget) = loop {
            let mut budget = Budget::new();
            let (ends, range) = ((from, to, &*following), (max_hops, skip, take));
            let walked = traversal::paths(&walk, &mut budget, ends, range).await;
            if let Some(ways) = walk.settle(walked, &budget).await? {
                break (ways, budget);
            }
        };
        let total = Total::new(move |session| {
            let following = Arc::clone(&following);
            async move {
                let (graph, mut budget) = (traversal::Stored::of(&session), Budget::new());
                let all = (max_hops, 0, MAX_PATHS);
                let ways = traversal::paths(&graph, &mut budget, (from, to, &following), all).await?;
                Ok(i64::try_from(ways.len()).unwrap_or(i64::MAX))
            }
        });
        let mut place = skip;
        Ok(page.connection(ways, PathsFound { total, cut: Cut::from(&budget) }, |edges| {
            place += 1;
            (Cursor::new(&(place,)), Path { from, edges })
        }))
    }
}

/// The second engine, where there is one.
fn neo4j<'c>(ctx: &Context<'c>) -> Option<&'c Neo4j> {
    ctx.data_unchecked::<Option<Neo4j>>().as_ref()
}

/// Whether the two ends of a way are there, for who may see them.
async fn both_there(ctx: &Context<'_>, from: EntityId, to: EntityId) -> Result<(), Error<GraphError>> {
    let found = entities(ctx, [from, to].into_iter()).await.map_err(super::entity::never)?;
    for (argument, id, found) in [("from", from, &found[0]), ("to", to, &found[1])] {
        if found.is_none() {
            let text = format!("`{argument}` refers to no entity of this organization: none has the id {id}");
            return Err(GraphError::Argument(Problem::missing(argument, text)).into());
        }
    }
    Ok(())
}

/// The entities of `ids`, in one statement.
async fn entities(
    ctx: &Context<'_>,
    ids: impl Iterator<Item = EntityId>,
) -> Result<Vec<Option<Entity>>, Error> {
    let loaders = ctx.part::<Loaders>();
    let rows = futures::future::try_join_all(ids.map(|id| loaders.entity(id))).await?;
    Ok(rows.into_iter().map(|row| row.map(Entity::new)).collect())
}

/// The relationships of a walk, in one statement.
async fn relationships(ctx: &Context<'_>, edges: &[Edge]) -> Result<Vec<Relationship>, Error> {
    let known = traversal::Stored::of(ctx.session()).identify(edges).await?;
    Ok(known.into_iter().map(Relationship::known).collect())
}

fn whole(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
