//! Queries of entities.

use async_graphql::{Context, Object};
use pulse_graphql::{
    CacheControlScope, Connection, ContextExt, Error, Node, Page, PageLimits, Total, cache_control,
};
use pulse_types::EntityId;

use super::entity::{Entity, wants_details};
use super::entity_filter::EntityFilterInput;
use super::entity_order::EntityOrder;
use super::loaders::Loaders;
use crate::check::Problem;
use crate::entity::filter::{self, EntityFilter};
use crate::entity::{self, EntityRef, list};
use crate::error::GraphError;

#[derive(Default)]
pub(super) struct EntityQueries;

#[Object]
impl EntityQueries {
    /// The entity of an id or of a key; exactly one of them is given.
    async fn entity(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id.")] id: Option<EntityId>,
        #[graphql(desc = "Its key.")] key: Option<String>,
    ) -> Option<Result<Entity, Error<GraphError>>> {
        let by = match (id, key) {
            (Some(id), None) => EntityRef::Id(id),
            (None, Some(key)) => EntityRef::Key(key),
            _ => {
                let problem = Problem::new("id", "`entity` needs either `id` or `key`");
                return Some(Err(GraphError::Argument(problem).into()));
            }
        };
        entity::find(ctx.session(), by).await.map(|row| row.map(Entity::new)).transpose()
    }

    /// The organization's entities.
    #[graphql(directive = cache_control::apply(Some(CacheControlScope::Tenant)))]
    #[expect(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn entities(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Narrows the list.")] filter: Option<EntityFilterInput>,
        #[graphql(desc = "The order; that of creation unless given.")] order_by: Option<EntityOrder>,
        #[graphql(desc = "How many at most, from the beginning: 1 to 100, 20 unless given.")] first: Option<
            i32,
        >,
        #[graphql(desc = "After this cursor.")] after: Option<String>,
        #[graphql(desc = "How many at most, from the end: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Before this cursor.")] before: Option<String>,
    ) -> Result<Connection<Node<Entity>>, Error<GraphError>> {
        let page =
            Page::try_new((first, after), (last, before), PageLimits::USUAL).map_err(GraphError::from)?;
        let filter: EntityFilter = filter.unwrap_or_default().try_into().map_err(GraphError::Argument)?;
        filter::check(&filter).map_err(GraphError::Argument)?;
        let order = EntityOrder::of_list(order_by, &filter).map_err(GraphError::Argument)?;
        let rows = entity::list(ctx.session(), &filter, (&order, &page), wants_details(ctx)).await?;
        let field = order.field.clone();
        let total = Total::new(move |session| {
            let (filter, order) = (filter.clone(), order.clone());
            async move { entity::count(&session, &filter, &order).await }
        });
        Ok(page
            .connection(rows, total, |listed| (list::cursor(&listed, &field), Node(Entity::new(listed.row)))))
    }

    #[graphql(entity)]
    async fn find_entity(
        &self,
        ctx: &Context<'_>,
        #[graphql(key)] id: EntityId,
    ) -> Option<Result<Entity, Error>> {
        Some(ctx.part::<Loaders>().entity(id).await.transpose()?.map(Entity::new))
    }
}
