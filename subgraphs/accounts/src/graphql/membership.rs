//! Memberships: the members of an organization, and changing who they are.

use async_graphql::connection::{Connection, ConnectionNameType, EdgeNameType};
use async_graphql::{ComplexObject, Context, InputObject, Object, OutputType, SimpleObject};
use chrono::{DateTime, Utc};
use pulse_graphql::{ContextExt, Cursor, Error, Page, PageError, Total};
use pulse_store::StoreError;
use pulse_types::{Caller, OrgId, Role, UserId};

use super::unit::{self, UnitMembership};
use super::user::User;
use crate::joined;
use crate::membership::{self, MembersError, MembershipError, MembershipRow};
use crate::user;

/// Members of an organization.
pub(crate) type MemberConnection = Connection<Cursor, User, Total, MemberEdgeFields, MemberName, MemberName>;

type MemberEdge = async_graphql::connection::Edge<Cursor, User, MemberEdgeFields, MemberName>;

/// Names the connection and its edges after what they are, since there may be other lists of users.
pub(crate) struct MemberName;

impl ConnectionNameType for MemberName {
    fn type_name<T: OutputType>() -> String {
        "MemberConnection".to_owned()
    }
}

impl EdgeNameType for MemberName {
    fn type_name<T: OutputType>() -> String {
        "MemberEdge".to_owned()
    }
}

/// How somebody belongs to the organization.
#[derive(SimpleObject)]
pub(crate) struct MemberEdgeFields {
    /// What the member may do.
    role: Role,
    /// When the person became a member.
    joined_at: DateTime<Utc>,
}

/// How one person belongs to the organization.
#[derive(SimpleObject)]
#[graphql(complex)]
pub(crate) struct Membership {
    /// What the member may do.
    role: Role,
    /// When the person became a member.
    joined_at: DateTime<Utc>,
    #[graphql(skip)]
    user_id: UserId,
    /// Whether it is one of another organization than the one that the caller acts in.
    #[graphql(skip)]
    is_elsewhere: bool,
}

impl Membership {
    /// One of an organization in which the caller may not act yet.
    pub(super) fn of(org: OrgId, row: MembershipRow, caller: &Caller) -> Self {
        Self { is_elsewhere: caller.org != Some(org), ..row.into() }
    }
}

/// Somebody who is to become a member.
#[derive(InputObject)]
pub(crate) struct AddMemberInput {
    /// The address that the person has registered with.
    email: String,
    /// What the member may do. Only an owner makes owners.
    role: Role,
}

/// The new member.
#[derive(SimpleObject)]
pub(crate) struct AddMemberPayload {
    /// The new membership.
    membership: Membership,
}

/// Another role for a member.
#[derive(InputObject)]
pub(crate) struct ChangeMemberRoleInput {
    /// The member.
    user_id: UserId,
    /// What the member may do from now on. Only an owner makes and unmakes owners.
    role: Role,
}

/// The changed member.
#[derive(SimpleObject)]
pub(crate) struct ChangeMemberRolePayload {
    /// The membership, as it is now.
    membership: Membership,
}

/// A member who is to leave.
#[derive(InputObject)]
pub(crate) struct RemoveMemberInput {
    /// The member; yourself, to leave.
    user_id: UserId,
}

/// The member who has left.
#[derive(SimpleObject)]
pub(crate) struct RemoveMemberPayload {
    /// Who is no member any more.
    user_id: UserId,
}

#[ComplexObject]
impl Membership {
    /// The member; null if you may not see members.
    async fn user(&self, ctx: &Context<'_>) -> Option<Result<User, Error>> {
        User::fetch(ctx, self.user_id).await
    }

    /// The sub-organizations and teams that the member belongs to: at most 100. Needs `unit:read`. Null of another organization
    /// than the one that you act in.
    async fn units(&self, ctx: &Context<'_>) -> Option<Result<Vec<UnitMembership>, Error>> {
        if self.is_elsewhere {
            return None;
        }
        Some(unit::memberships_of(ctx, self.user_id, None).await)
    }
}

impl From<MembershipRow> for Membership {
    fn from(MembershipRow { user_id, role, version: _, joined_at }: MembershipRow) -> Self {
        Self { role: role.0, joined_at, user_id, is_elsewhere: false }
    }
}

/// A page of the members of `org`: one statement for the memberships, one for the people.
pub(super) async fn paginate(
    ctx: &Context<'_>,
    org: OrgId,
    role: Option<Role>,
    page: Result<Page, PageError>,
) -> Result<MemberConnection, Error<MembersError>> {
    let page = page.map_err(MembersError::from)?;
    let session = ctx.session();
    let rows = membership::page(session, org, role, &page).await?;
    let ids: Vec<UserId> = rows.iter().map(|row| row.user_id).collect();
    let mut users = user::find(session, &ids).await?;
    let total = Total::new(move |session| async move { membership::count(&session, org, role).await });
    let mut members = Vec::with_capacity(rows.len());
    for row in rows {
        let user = users.remove(&row.user_id).ok_or_else(|| no_such_user(org, row.user_id))?;
        members.push((row, user));
    }
    let (more, from_within) = (members.len() > page.size as usize, page.from.is_some());
    members.truncate(page.size as usize);
    if page.backwards {
        members.reverse();
    }
    let (previous, next) = if page.backwards { (more, from_within) } else { (from_within, more) };
    let mut connection = MemberConnection::with_additional_fields(previous, next, total);
    connection.edges.extend(members.into_iter().map(|(row, user)| {
        let cursor = joined::cursor(row.joined_at, row.user_id.uuid());
        let fields = MemberEdgeFields { role: row.role.0, joined_at: row.joined_at };
        MemberEdge::with_additional_fields(cursor, User::new(user), fields)
    }));
    Ok(connection)
}

fn no_such_user(org: OrgId, user: UserId) -> StoreError {
    StoreError::Inconsistent {
        table: "accounts.memberships",
        column: "user_id",
        row: format!("{org}, {user}"),
        problem: "there is no such user".to_owned(),
    }
}

#[derive(Default)]
pub(super) struct MembershipMutation;

#[Object]
impl MembershipMutation {
    /// Makes somebody who has registered a member of the organization that you act in. Needs `member:manage`.
    async fn add_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new member.")] input: AddMemberInput,
    ) -> Result<AddMemberPayload, Error<MembershipError>> {
        let row = membership::add(ctx.session(), &input.email, input.role).await?;
        Ok(AddMemberPayload { membership: row.into() })
    }

    /// Gives a member of the organization that you act in another role. Needs `member:manage`.
    async fn change_member_role(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who, and which role.")] input: ChangeMemberRoleInput,
    ) -> Result<ChangeMemberRolePayload, Error<MembershipError>> {
        let row = membership::change_role(ctx.session(), input.user_id, input.role).await?;
        Ok(ChangeMemberRolePayload { membership: row.into() })
    }

    /// Ends a membership of the organization that you act in. Needs `member:manage`, except to leave by yourself.
    async fn remove_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who.")] input: RemoveMemberInput,
    ) -> Result<RemoveMemberPayload, Error<MembershipError>> {
        membership::remove(ctx.session(), input.user_id).await?;
        Ok(RemoveMemberPayload { user_id: input.user_id })
    }
}
