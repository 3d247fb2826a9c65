//! Who belongs to a unit, and to which units somebody belongs.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::connection::{Connection, ConnectionNameType, EdgeNameType};
use async_graphql::{Context, OutputType, SimpleObject};
use chrono::{DateTime, Utc};
use futures::future;
use pulse_graphql::{ContextExt, Cursor, Error, Page, PageError, Total};
use pulse_types::{Permission, Refusal, UnitId, UserId};

use super::super::loaders::Loaders;
use super::super::user::User;
use super::{Unit, seen};
use crate::unit::{self, Inside, ListedMember, Slice, UnitKind, UnitMemberRow};

/// People who belong to a unit.
pub(crate) type UnitMemberConnection =
    Connection<Cursor, User, Total, UnitMemberEdgeFields, UnitMemberName, UnitMemberName>;

type UnitMemberEdge = async_graphql::connection::Edge<Cursor, User, UnitMemberEdgeFields, UnitMemberName>;

/// Names the connection and its edges after what they are, since there are other lists of users.
pub(crate) struct UnitMemberName;

impl ConnectionNameType for UnitMemberName {
    fn type_name<T: OutputType>() -> String {
        "UnitMemberConnection".to_owned()
    }
}

impl EdgeNameType for UnitMemberName {
    fn type_name<T: OutputType>() -> String {
        "UnitMemberEdge".to_owned()
    }
}

/// How somebody belongs to the unit.
#[derive(SimpleObject)]
pub(crate) struct UnitMemberEdgeFields {
    /// When the person was added; the first time, if to several of what is listed.
    added_at: DateTime<Utc>,
}

/// A sub-organization or a team that somebody belongs to.
#[derive(SimpleObject)]
pub(crate) struct UnitMembership {
    /// Which one.
    unit: Unit,
    /// When the person was added.
    added_at: DateTime<Utc>,
}

/// A page of the members of `of`. For all units of one request it takes a statement for the page and one for the people.
pub(super) async fn paginate(
    ctx: &Context<'_>,
    of: &Unit,
    with_inner: bool,
    page: Result<Page, PageError>,
) -> Result<UnitMemberConnection, Error<PageError>> {
    let page = page?;
    let (inside, slice) = (asked(ctx, of, with_inner)?, Slice::try_new(&page)?);
    let loaders = ctx.part::<Loaders>();
    let mut rows = loaders.unit_members.load((inside.clone(), slice)).await?.unwrap_or_default();
    let (more, from_within) = (rows.len() > page.size as usize, page.from.is_some());
    rows.truncate(page.size as usize);
    if page.backwards {
        rows.reverse();
    }
    let people = future::try_join_all(rows.iter().map(|row| loaders.member(row.user_id))).await?;
    let counts = Arc::clone(&loaders.unit_member_counts);
    let total = Total::new(move |_| {
        let (counts, inside) = (Arc::clone(&counts), inside.clone());
        async move { Ok(counts.load(inside).await?.unwrap_or(0)) }
    });
    let (previous, next) = if page.backwards { (more, from_within) } else { (from_within, more) };
    let mut connection = UnitMemberConnection::with_additional_fields(previous, next, total);
    // Who is gone since the page was read is not shown.
    let shown = rows.into_iter().zip(people).filter_map(|(row, user)| Some((row, user?)));
    connection.edges.extend(shown.map(|(row, user)| edge(&row, User::new(user))));
    Ok(connection)
}

fn edge(row: &ListedMember, user: User) -> UnitMemberEdge {
    UnitMemberEdge::with_additional_fields(
        row.cursor(),
        user,
        UnitMemberEdgeFields { added_at: row.added_at },
    )
}

/// How many members `of` has.
pub(super) async fn count(ctx: &Context<'_>, of: &Unit, with_inner: bool) -> Result<i64, Error> {
    let inside = asked(ctx, of, with_inner)?;
    Ok(ctx.part::<Loaders>().unit_member_counts.load(inside).await?.unwrap_or(0))
}

fn asked(ctx: &Context<'_>, of: &Unit, with_inner: bool) -> Result<Inside, Refusal> {
    unit::inside(ctx.session().caller(), &of.tree, (of.row.id, with_inner))
}

/// The units that `user` belongs to and the caller sees, with their members if it is somebody else.
pub(in super::super) async fn memberships_of(
    ctx: &Context<'_>,
    user: UserId,
    kind: Option<UnitKind>,
) -> Result<Vec<UnitMembership>, Error> {
    let tree = seen(ctx).await?;
    let caller = ctx.session().caller();
    let rows = ctx.part::<Loaders>().units_of.load(user).await?.unwrap_or_default();
    let added: HashMap<UnitId, DateTime<Utc>> =
        rows.into_iter().map(|UnitMemberRow { unit, added_at, .. }| (unit, added_at)).collect();
    let may_see = |id| {
        caller.user() == Some(user)
            || caller.require_on(&Permission::MEMBER_READ, &unit::resource(id)).is_ok()
    };
    let rows = tree.rows().filter(|row| kind.is_none_or(|kind| row.kind == kind));
    let memberships = rows.filter(|row| may_see(row.id)).filter_map(|row| {
        Some(UnitMembership { added_at: *added.get(&row.id)?, unit: Unit::in_tree(&tree, row.id)? })
    });
    Ok(memberships.collect())
}
