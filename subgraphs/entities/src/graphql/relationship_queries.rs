//! Queries of relationships.

use async_graphql::{Context, Object};
use pulse_graphql::{
    CacheControlScope, Connection, ContextExt, Error, Node, Page, PageLimits, Total, cache_control,
};
use pulse_types::RelationshipId;

use super::loaders::Loaders;
use super::relationship::Relationship;
use super::relationship_inputs::RelationshipFilterInput;
use crate::check::{self, Problem};
use crate::error::GraphError;
use crate::relationship;
use crate::relationship::list::RelationshipFilter;

#[derive(Default)]
pub(super) struct RelationshipQueries;

#[Object]
impl RelationshipQueries {
    /// The relationship of an id.
    async fn relationship(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id.")] id: RelationshipId,
    ) -> Option<Result<Relationship, Error>> {
        Some(ctx.part::<Loaders>().relationship(id).await.transpose()?.map(Relationship::new))
    }

    /// The organization's relationships: those of one entity in order of type and other end, others in order of their
    /// creation.
    #[graphql(directive = cache_control::apply(Some(CacheControlScope::Tenant)))]
    #[expect(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn relationships(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Narrows the list.")] filter: Option<RelationshipFilterInput>,
        #[graphql(desc = "How many at most, from the beginning: 1 to 100, 20 unless given.")] first: Option<
            i32,
        >,
        #[graphql(desc = "After this cursor.")] after: Option<String>,
        #[graphql(desc = "How many at most, from the end: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Before this cursor.")] before: Option<String>,
    ) -> Result<Connection<Node<Relationship>>, Error<GraphError>> {
        let page =
            Page::try_new((first, after), (last, before), PageLimits::USUAL).map_err(GraphError::from)?;
        let filter = RelationshipFilter::from(filter.unwrap_or_default());
        check_filter(&filter).map_err(GraphError::Argument)?;
        let rows = relationship::list(ctx.session(), &filter, &page).await?;
        let counted = filter.clone();
        let total = Total::new(move |session| {
            let filter = counted.clone();
            async move { relationship::count(&session, &filter).await }
        });
        Ok(page.connection(rows, total, |row| (filter.cursor(&row), Node(Relationship::new(row)))))
    }

    #[graphql(entity)]
    async fn find_relationship(
        &self,
        ctx: &Context<'_>,
        #[graphql(key)] id: RelationshipId,
    ) -> Option<Result<Relationship, Error>> {
        Some(ctx.part::<Loaders>().relationship(id).await.transpose()?.map(Relationship::new))
    }
}

fn check_filter(filter: &RelationshipFilter) -> Result<(), Problem> {
    filter.type_name.as_deref().map_or(Ok(()), |name| check::type_name("filter.type", name))?;
    filter.min_confidence.map_or(Ok(()), check::confidence)
}
