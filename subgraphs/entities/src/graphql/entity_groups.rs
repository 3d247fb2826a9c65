//! Queries of groups of entities.

use async_graphql::{Context, Enum, InputObject, Object, SimpleObject};
use pulse_graphql::{CacheControlScope, ContextExt, Error, Page, PageLimits, cache_control};

use super::entity_filter::EntityFilterInput;
use super::entity_order::OrderDirection;
use crate::check::Problem;
use crate::entity::filter::EntityFilter;
use crate::entity::groups::{self, GroupKey, GroupKind, GroupRow, GroupsAsked, Having, Measure, MeasureOf};
use crate::error::GraphError;

const MAX_FACETS: usize = 10;

/// What entities of one group have in common; exactly one is given.
#[derive(Debug, InputObject)]
#[graphql(name = "EntityGroupBy")]
pub(crate) struct GroupByInput {
    /// What all entities have.
    field: Option<GroupField>,
    /// The value of a property of the type that `filter.type` names. Entities without one are a group of their own, with the key
    /// null; with a list of up to 32 values, an entity is in the group of each.
    property: Option<GroupPropertyInput>,
}

/// What all entities have and can be grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "EntityGroupField")]
pub(crate) enum GroupField {
    /// Their types.
    Type,
}

/// A property that entities are grouped by.
#[derive(Debug, InputObject)]
#[graphql(name = "EntityGroupProperty")]
pub(crate) struct GroupPropertyInput {
    /// What the property is called.
    name: String,
    /// As what its values are compared.
    #[graphql(default_with = "GroupKind::Text")]
    kind: GroupKind,
}

/// A number that is made of the numbers which the entities of a group have in a property.
#[derive(Debug, InputObject)]
#[graphql(name = "EntityMeasure")]
pub(crate) struct MeasureInput {
    /// How it is made.
    function: MeasureOf,
    /// What the property is called; that of the type which `filter.type` names.
    property: String,
}

/// Bounds of a measure, both included. A group without that measure is left out.
#[derive(Debug, InputObject)]
#[graphql(name = "EntityGroupHaving")]
pub(crate) struct HavingInput {
    /// Which of the `measures`, 0 for the first one; the number of entities unless given.
    measure: Option<usize>,
    /// At least this.
    min: Option<f64>,
    /// At most this.
    max: Option<f64>,
}

/// The order of groups; equals are in order of their keys.
#[derive(Debug, InputObject)]
#[graphql(name = "EntityGroupOrder")]
pub(crate) struct GroupOrderInput {
    /// By which of the `measures`, 0 for the first one; by the number of entities unless given.
    measure: Option<usize>,
    /// Which way.
    #[graphql(default_with = "OrderDirection::Desc")]
    direction: OrderDirection,
}

/// Groups of entities.
#[derive(SimpleObject)]
#[graphql(directive = cache_control::apply(Some(CacheControlScope::Tenant)))]
pub(crate) struct EntityGroups {
    /// The groups.
    groups: Vec<EntityGroup>,
    /// Whether there are more than asked for.
    has_more: bool,
}

/// Entities that have something in common.
#[derive(SimpleObject)]
#[graphql(directive = cache_control::apply(Some(CacheControlScope::Tenant)))]
pub(crate) struct EntityGroup {
    /// What they have in common, as texts in the order of `groupBy`; null where they have no such value.
    keys: Vec<Option<String>>,
    /// How many there are.
    count: i64,
    /// The `measures` in their order; null where there is no number.
    measures: Vec<Option<f64>>,
}

/// The values of a property, and how many entities have each.
#[derive(SimpleObject)]
#[graphql(directive = cache_control::apply(Some(CacheControlScope::Tenant)))]
pub(crate) struct EntityFacet {
    /// What the property is called.
    property: String,
    /// The values that most entities have, those first.
    values: Vec<EntityFacetValue>,
    /// Whether there are more than asked for.
    has_more: bool,
}

/// A value of a property.
#[derive(SimpleObject)]
#[graphql(directive = cache_control::apply(Some(CacheControlScope::Tenant)))]
pub(crate) struct EntityFacetValue {
    /// The value, as a text.
    value: String,
    /// How many entities have it.
    count: i64,
}

#[derive(Default)]
pub(super) struct EntityGroupQueries;

#[Object]
impl EntityGroupQueries {
    /// The organization's entities in groups: how many there are, and what their numbers come to. The largest groups come first.
    #[graphql(directive = cache_control::apply(Some(CacheControlScope::Tenant)))]
    #[expect(clippy::too_many_arguments, reason = "what a group can be asked for")]
    async fn entity_groups(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which entities are counted.")] filter: Option<EntityFilterInput>,
        #[graphql(
            desc = "What those of one group have in common, at most 3; all are one group unless given."
        )]
        group_by: Option<Vec<GroupByInput>>,
        #[graphql(desc = "What to make of their numbers, at most 10.")] measures: Option<Vec<MeasureInput>>,
        #[graphql(desc = "Which groups to tell of: all of these hold.")] having: Option<Vec<HavingInput>>,
        #[graphql(desc = "The order of the groups.")] order_by: Option<GroupOrderInput>,
        #[graphql(desc = "How many groups at most: 1 to 100, 20 unless given.")] first: Option<i32>,
    ) -> Result<EntityGroups, Error<GraphError>> {
        let keys = group_by.unwrap_or_default().into_iter().map(GroupKey::try_from);
        let (order, ascending) =
            order_by.map_or((None, false), |order| (order.measure, order.direction == OrderDirection::Asc));
        let asked = GroupsAsked {
            filter: filter_of(filter)?,
            keys: keys.collect::<Result<_, _>>().map_err(GraphError::Argument)?,
            measures: measures.unwrap_or_default().into_iter().map(Into::into).collect(),
            having: having.unwrap_or_default().into_iter().map(Into::into).collect(),
            order,
            ascending,
            size: size(first)?,
        };
        let mut rows = groups::find(ctx.session(), &asked).await?;
        let has_more = cut(&mut rows, asked.size);
        Ok(EntityGroups { groups: rows.into_iter().map(EntityGroup::from).collect(), has_more })
    }

    /// For each of some properties, the values that most entities have.
    #[graphql(directive = cache_control::apply(Some(CacheControlScope::Tenant)))]
    async fn entity_facets(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which entities are counted; `type` must be given.")] filter: EntityFilterInput,
        #[graphql(desc = "Which properties, at most 10.")] properties: Vec<GroupPropertyInput>,
        #[graphql(desc = "How many values of each at most: 1 to 100, 20 unless given.")] first: Option<i32>,
    ) -> Result<Vec<EntityFacet>, Error<GraphError>> {
        if properties.len() > MAX_FACETS {
            let text = format!("`properties` has {} items, allowed are {MAX_FACETS}", properties.len());
            return Err(GraphError::Argument(Problem::new("properties", text)).into());
        }
        let (filter, size) = (filter_of(Some(filter))?, size(first)?);
        let mut facets = Vec::with_capacity(properties.len());
        for GroupPropertyInput { name, kind } in properties {
            let key = GroupKey::Property { name: name.clone(), kind, with_none: false };
            let asked = GroupsAsked {
                filter: filter.clone(),
                keys: vec![key],
                measures: Vec::new(),
                having: Vec::new(),
                order: None,
                ascending: false,
                size,
            };
            let mut rows = groups::find(ctx.session(), &asked).await?;
            let has_more = cut(&mut rows, size);
            let value = |row: GroupRow| {
                let value = row.keys.into_iter().next().flatten()?;
                Some(EntityFacetValue { value, count: row.size })
            };
            let values = rows.into_iter().filter_map(value).collect();
            facets.push(EntityFacet { property: name, values, has_more });
        }
        Ok(facets)
    }
}

fn filter_of(filter: Option<EntityFilterInput>) -> Result<EntityFilter, GraphError> {
    filter.unwrap_or_default().try_into().map_err(GraphError::Argument)
}

fn size(first: Option<i32>) -> Result<u32, GraphError> {
    Ok(Page::try_new((first, None), (None, None), PageLimits::USUAL)?.size)
}

/// Leaves what was asked for; whether there was more.
fn cut(rows: &mut Vec<GroupRow>, size: u32) -> bool {
    let has_more = rows.len() > size as usize;
    rows.truncate(size as usize);
    has_more
}

impl TryFrom<GroupByInput> for GroupKey {
    type Error = Problem;

    fn try_from(input: GroupByInput) -> Result<Self, Problem> {
        match (input.field, input.property) {
            (Some(GroupField::Type), None) => Ok(Self::Type),
            (None, Some(GroupPropertyInput { name, kind })) => {
                Ok(Self::Property { name, kind, with_none: true })
            }
            _ => Err(Problem::new("groupBy", "`groupBy` needs either `field` or `property` in each item")),
        }
    }
}

impl From<MeasureInput> for Measure {
    fn from(MeasureInput { function: of, property }: MeasureInput) -> Self {
        Self { of, property }
    }
}

impl From<HavingInput> for Having {
    fn from(HavingInput { measure, min, max }: HavingInput) -> Self {
        Self { measure, min, max }
    }
}

impl From<GroupRow> for EntityGroup {
    fn from(GroupRow { keys, size, measures }: GroupRow) -> Self {
        Self { keys, count: size, measures }
    }
}
