//! `Unit`: a sub-organization or a team.

mod change;
mod live;
mod member;

use async_graphql::{Context, InputObject, Object};
use chrono::{DateTime, Utc};
use pulse_graphql::{Connection, ContextExt, Error, Page, PageError, PageLimits, Total};
use pulse_types::{OrgId, Permission, ResourceKind, UnitId};

pub(super) use change::UnitMutation;
pub(super) use live::UnitSubscriptions;
pub(super) use member::{UnitMembership, memberships_of};

use self::member::UnitMemberConnection;
use super::loaders::Loaders;
use crate::unit::{self, MAX_LEVELS, Tree, UnitKind, UnitRow, UnitsError};

/// A unit that the caller sees, among all that it sees, as they were at one time.
pub(crate) struct Unit {
    tree: Tree,
    row: UnitRow,
}

/// Which units to list. All that is given must hold.
#[derive(Debug, Default, InputObject)]
pub(crate) struct UnitFilter {
    /// Only sub-organizations, or only teams.
    kind: Option<UnitKind>,
    /// Only those directly in this one.
    parent_id: Option<UnitId>,
    /// Only those directly in the organization.
    top_level: Option<bool>,
}

/// Sub-organizations and teams inside an organization. Rights on one hold for all that is inside it. You see those on which you
/// have `unit:read`.
#[Object]
impl Unit {
    /// Its id.
    async fn id(&self) -> UnitId {
        self.row.id
    }

    /// What it is.
    async fn kind(&self) -> UnitKind {
        self.row.kind
    }

    /// Its name, once among those beside it.
    async fn name(&self) -> &str {
        &self.row.name
    }

    /// How often it was changed, and 1.
    async fn version(&self) -> i64 {
        self.row.version
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.row.created_at
    }

    /// When this version was written.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.row.updated_at
    }

    /// The sub-organization that it is in; null directly in the organization, or if you may not see it.
    async fn parent(&self) -> Option<Unit> {
        Self::in_tree(&self.tree, self.row.parent?)
    }

    /// The sub-organizations that it is in, the outermost first: at most 7.
    async fn ancestors(&self) -> Vec<Unit> {
        self.tree.ancestors(self.row.id).into_iter().map(|row| self.beside(row.clone())).collect()
    }

    /// What is directly in it, in the order of names.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn children(
        &self,
        #[graphql(desc = "Only sub-organizations, or only teams.")] kind: Option<UnitKind>,
        #[graphql(desc = "How many, from the start or `after`: 1 to 100, 20 if not given.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Begin behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many, from the end or `before`: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "End before this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<Unit>, Error<UnitsError>>> {
        let rows = self.tree.children(Some(self.row.id));
        let page = Page::try_new((first, after), (last, before), PageLimits::USUAL);
        Some(paginate(&self.tree, rows, kind, page))
    }

    /// What is inside it, on any level, in the order of names, each before what is inside it in turn.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn descendants(
        &self,
        #[graphql(desc = "Only so many levels below it: 1 to 8, all if not given.")] levels: Option<i32>,
        #[graphql(desc = "Only sub-organizations, or only teams.")] kind: Option<UnitKind>,
        #[graphql(desc = "How many, from the start or `after`: 1 to 100, 20 if not given.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Begin behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many, from the end or `before`: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "End before this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<Unit>, Error<UnitsError>>> {
        let levels = match levels.map(|given| (given, usize::try_from(given))) {
            None => MAX_LEVELS,
            Some((_, Ok(levels))) if (1..=MAX_LEVELS).contains(&levels) => levels,
            Some((given, _)) => return Some(Err(UnitsError::Levels(given).into())),
        };
        let rows = self.tree.within(self.row.id, levels);
        let page = Page::try_new((first, after), (last, before), PageLimits::USUAL);
        Some(paginate(&self.tree, rows, kind, page))
    }

    /// The people who belong to it, in the order of being added. Needs `member:read`.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn members(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Also those of what is inside it; each person once.")] with_inner: Option<bool>,
        #[graphql(desc = "How many, from the start or `after`: 1 to 100, 20 if not given.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Begin behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many, from the end or `before`: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "End before this cursor.")] before: Option<String>,
    ) -> Option<Result<UnitMemberConnection, Error<PageError>>> {
        let page = Page::try_new((first, after), (last, before), PageLimits::USUAL);
        Some(member::paginate(ctx, self, with_inner.unwrap_or_default(), page).await)
    }

    /// How many people belong to it. Needs `member:read`.
    async fn member_count(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Also those of what is inside it; each person once.")] with_inner: Option<bool>,
    ) -> Option<Result<i64, Error>> {
        Some(member::count(ctx, self, with_inner.unwrap_or_default()).await)
    }
}

impl Unit {
    /// The unit with this id, if it is among them.
    pub(super) fn in_tree(tree: &Tree, id: UnitId) -> Option<Self> {
        Some(Self { tree: tree.clone(), row: tree.get(id)?.clone() })
    }

    /// The unit with this id, if the caller may see it.
    pub(super) async fn fetch(ctx: &Context<'_>, id: UnitId) -> Option<Result<Self, Error>> {
        seen(ctx).await.map(|tree| Self::in_tree(&tree, id)).transpose()
    }

    /// The unit with this id as it is after a change, of which these are all units.
    fn changed(ctx: &Context<'_>, tree: &Tree, id: UnitId) -> Option<Self> {
        let (_, reach) =
            ctx.session().caller().require_some(&Permission::UNIT_READ, &ResourceKind::UNIT).ok()?;
        Self::in_tree(&tree.seen(reach), id)
    }

    fn beside(&self, row: UnitRow) -> Self {
        Self { tree: self.tree.clone(), row }
    }
}

/// The units of the tenant that the caller sees. Needs `unit:read`, on some of them at least.
pub(super) async fn seen(ctx: &Context<'_>) -> Result<Tree, Error> {
    let (org, reach) = ctx.session().caller().require_some(&Permission::UNIT_READ, &ResourceKind::UNIT)?;
    let tree = ctx.part::<Loaders>().units.load(org).await?.unwrap_or_default();
    Ok(tree.seen(reach))
}

/// A page of the units of `org`, all or those that `filter` says.
pub(super) async fn units_of(
    ctx: &Context<'_>,
    org: OrgId,
    filter: Option<UnitFilter>,
    page: Result<Page, PageError>,
) -> Result<Connection<Unit>, Error<UnitsError>> {
    let UnitFilter { kind, parent_id, top_level } = filter.unwrap_or_default();
    if ctx.session().caller().org != Some(org) {
        return Err(UnitsError::OtherOrganization.into());
    }
    let tree = seen(ctx).await.map_err(|error| error.map_client(|never| match never {}))?;
    match (parent_id, top_level) {
        (Some(_), Some(true)) => Err(UnitsError::TwoPlaces.into()),
        (Some(parent), _) => paginate(&tree, tree.children(Some(parent)), kind, page),
        (None, Some(true)) => paginate(&tree, tree.children(None), kind, page),
        (None, _) => paginate(&tree, tree.rows(), kind, page),
    }
}

/// A page of `rows`, which stand in the order of the tree.
fn paginate<'t>(
    tree: &Tree,
    rows: impl Iterator<Item = &'t UnitRow>,
    kind: Option<UnitKind>,
    page: Result<Page, PageError>,
) -> Result<Connection<Unit>, Error<UnitsError>> {
    let page = page.map_err(UnitsError::from)?;
    let rows: Vec<_> = rows.filter(|row| kind.is_none_or(|kind| row.kind == kind)).cloned().collect();
    let count = i64::try_from(rows.len()).unwrap_or(i64::MAX);
    let total = Total::new(move |_| async move { Ok(count) });
    let rows = unit::slice(tree, rows, &page).map_err(UnitsError::from)?;
    Ok(page.connection(rows, total, |row| (unit::cursor(tree, &row), Unit { tree: tree.clone(), row })))
}

#[derive(Default)]
pub(super) struct UnitQuery;

#[Object]
impl UnitQuery {
    /// A sub-organization or a team of the organization that you act in. Null when there is none such, or you may not see it.
    async fn unit(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The one with this id.")] id: UnitId,
    ) -> Option<Result<Unit, Error>> {
        Unit::fetch(ctx, id).await
    }

    #[graphql(entity)]
    async fn find_unit_by_id(&self, ctx: &Context<'_>, id: UnitId) -> Option<Result<Unit, Error>> {
        ctx.session().caller().require_some(&Permission::UNIT_READ, &ResourceKind::UNIT).ok()?;
        Unit::fetch(ctx, id).await
    }
}
