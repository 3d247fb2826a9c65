//! `RoleAssignment`: roles that people and units have.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use pulse_graphql::{Connection, ContextExt, Cursor, Error, Page, PageLimits, Total};
use pulse_types::{Role, RoleAssignmentId, RoleId, UnitId, UserId};

use super::access::PrincipalInput;
use super::role::OrganizationRole;
use super::user::User;
use crate::access::{AccessError, Whom};
use crate::role_assignment::{self, AssignmentFilter, AssignmentRow, NewAssignment};

/// A role that somebody has, beside the one of the membership.
pub(crate) struct RoleAssignment(AssignmentRow);

/// Who gets which role.
#[derive(InputObject)]
pub(crate) struct AssignRoleInput {
    /// Who gets it: a member.
    user_id: Option<UserId>,
    /// Who gets it: all who belong to this sub-organization or team, or to one below it, now or later.
    unit_id: Option<UnitId>,
    /// Which: a role that the organization has made.
    role_id: Option<RoleId>,
    /// Which: one that each organization has, but for `OWNER`.
    template: Option<Role>,
    /// The sub-organization or team in which it holds, with all below it; the whole organization, if not given.
    within: Option<UnitId>,
    /// Makes it safe to repeat the request: the same key with the same input gives nothing twice.
    idempotency_key: Option<String>,
}

/// The role that was given.
#[derive(SimpleObject)]
pub(crate) struct AssignRolePayload {
    /// Who has which role.
    assignment: RoleAssignment,
}

/// Which role to take away.
#[derive(InputObject)]
pub(crate) struct UnassignRoleInput {
    /// The id of the assignment.
    id: RoleAssignmentId,
}

/// What was taken away.
#[derive(SimpleObject)]
pub(crate) struct UnassignRolePayload {
    /// The id of the assignment that is no more.
    id: RoleAssignmentId,
}

/// A role that somebody has, beside the one of the membership.
#[Object]
impl RoleAssignment {
    /// Its id.
    async fn id(&self) -> RoleAssignmentId {
        self.0.id
    }

    /// The id of the member who has it; null when it is a unit's.
    async fn user_id(&self) -> Option<UserId> {
        match self.0.whom {
            Whom::User(user) => Some(user),
            Whom::Unit(_) | Whom::Machine(_) => None,
        }
    }

    /// The member who has it; null when it is a unit's, or you may not see members.
    async fn user(&self, ctx: &Context<'_>) -> Option<Result<User, Error>> {
        match self.0.whom {
            Whom::User(user) => User::fetch(ctx, user).await,
            Whom::Unit(_) | Whom::Machine(_) => None,
        }
    }

    /// The id of the unit whose members have it; null when it is a person's.
    async fn unit_id(&self) -> Option<UnitId> {
        match self.0.whom {
            Whom::Unit(unit) => Some(unit),
            Whom::User(_) | Whom::Machine(_) => None,
        }
    }

    /// The role that the organization has made; null when it is one that each has, or you may not see roles.
    async fn role(&self, ctx: &Context<'_>) -> Option<Result<OrganizationRole, Error>> {
        OrganizationRole::fetch(ctx, self.0.role?).await
    }

    /// The role, when it is one that each organization has.
    async fn template(&self) -> Option<Role> {
        self.0.template
    }

    /// The id of the unit in which it holds; null for the whole organization.
    async fn within(&self) -> Option<UnitId> {
        self.0.place
    }

    /// The id of whoever gave it; null when that is not known any more.
    async fn giver_id(&self) -> Option<UserId> {
        self.0.giver
    }

    /// When it was given.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
}

#[derive(Default)]
pub(super) struct RoleAssignmentQuery;

#[Object]
impl RoleAssignmentQuery {
    /// Who has which role, beside those of memberships, in the order of their giving. Needs `access:read`.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn role_assignments(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those of this member.")] user_id: Option<UserId>,
        #[graphql(desc = "Only those of this unit.")] unit_id: Option<UnitId>,
        #[graphql(desc = "Only those of this role.")] role_id: Option<RoleId>,
        #[graphql(desc = "How many, from the start or `after`: 1 to 100, 20 if not given.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Begin behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many, from the end or `before`: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "End before this cursor.")] before: Option<String>,
    ) -> Result<Connection<RoleAssignment>, Error<AccessError>> {
        let page = Page::try_new((first, after), (last, before), PageLimits::USUAL);
        let page = page.map_err(AccessError::from)?;
        let whom = PrincipalInput { user_id, unit_id, machine_id: None }.at_most_one()?;
        let filter = AssignmentFilter { whom, role: role_id };
        let rows = role_assignment::page(ctx.session(), filter, &page).await?;
        let total = Total::new(move |session| async move { role_assignment::count(&session, filter).await });
        Ok(page.connection(rows, total, |row| (Cursor::new(&(row.id,)), RoleAssignment(row))))
    }
}

#[derive(Default)]
pub(super) struct RoleAssignmentMutation;

#[Object]
impl RoleAssignmentMutation {
    /// Gives a member, or all members of a unit, a role beside those that they have. Needs `access:manage`, in the unit in which
    /// the role is to hold or in the organization, and there every permission that the role gives.
    async fn assign_role(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who gets which role.")] input: AssignRoleInput,
    ) -> Result<AssignRolePayload, Error<AccessError>> {
        let AssignRoleInput { user_id, unit_id, role_id, template, within, idempotency_key } = input;
        let whom = PrincipalInput { user_id, unit_id, machine_id: None }.one("`userId` and `unitId`")?;
        let new = NewAssignment { whom, role: role_id, template, place: within };
        let row = role_assignment::create(ctx.session(), new, idempotency_key).await?;
        Ok(AssignRolePayload { assignment: RoleAssignment(row) })
    }

    /// Takes away a role that was given by `assignRole`. Who loses rights by it loses them within a second. Needs `access:manage`
    /// where the role holds.
    async fn unassign_role(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: UnassignRoleInput,
    ) -> Result<UnassignRolePayload, Error<AccessError>> {
        role_assignment::delete(ctx.session(), input.id).await?;
        Ok(UnassignRolePayload { id: input.id })
    }
}
