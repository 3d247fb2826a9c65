//! `OrganizationRole`: roles that an organization has made.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use pulse_graphql::{Connection, ContextExt, Cursor, Error, Page, PageLimits, Total};
use pulse_types::{Permission, Role, RoleId};

use super::Loaders;
use crate::role::{self, RoleChange, RoleError, RoleRow};

/// A role that the organization has made, beside the four that each has.
pub(crate) struct OrganizationRole(RoleRow);

/// A right to do one kind of thing.
pub(crate) struct PermissionInfo(&'static Permission);

/// What a new role is to be.
#[derive(InputObject)]
pub(crate) struct CreateRoleInput {
    /// What people call it: 1 to 120 characters, once in the organization.
    name: String,
    /// What it is for: at most 1000 characters.
    description: Option<String>,
    /// What it gives: permissions such as `entity:read`, none that you do not have yourself.
    permissions: Vec<String>,
    /// Makes it safe to repeat the request: the same key with the same input makes nothing twice.
    idempotency_key: Option<String>,
}

/// The new role.
#[derive(SimpleObject)]
pub(crate) struct CreateRolePayload {
    /// The role.
    role: OrganizationRole,
}

/// What is to change of a role; what is not given stays.
#[derive(InputObject)]
pub(crate) struct UpdateRoleInput {
    /// Which one.
    id: RoleId,
    /// What people call it from now on.
    name: Option<String>,
    /// What it is for.
    description: Option<String>,
    /// What it gives from now on, to all who have it: nothing new that you do not have yourself.
    permissions: Option<Vec<String>>,
    /// Refuse the change when it has another version by now.
    expected_version: Option<i64>,
}

/// The changed role.
#[derive(SimpleObject)]
pub(crate) struct UpdateRolePayload {
    /// The role, as it is now.
    role: OrganizationRole,
}

/// Which role to delete.
#[derive(InputObject)]
pub(crate) struct DeleteRoleInput {
    /// Which one.
    id: RoleId,
}

/// What was deleted.
#[derive(SimpleObject)]
pub(crate) struct DeleteRolePayload {
    /// The id of the deleted role.
    id: RoleId,
}

/// A right to do one kind of thing.
#[Object]
impl PermissionInfo {
    /// Its name, `resource:action`.
    async fn name(&self) -> &str {
        self.0.as_str()
    }

    /// What it is for.
    async fn description(&self) -> &str {
        self.0.description().unwrap_or_default()
    }

    /// Those of the four roles of each organization that have it.
    async fn roles(&self) -> Vec<Role> {
        let roles = [Role::Owner, Role::Admin, Role::Member, Role::Viewer];
        roles.into_iter().filter(|role| role.permissions().contains(self.0)).collect()
    }
}

/// A role that the organization has made, beside the four that each has.
#[Object]
impl OrganizationRole {
    /// Its id.
    async fn id(&self) -> RoleId {
        self.0.id
    }

    /// What people call it.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// What it is for.
    async fn description(&self) -> &str {
        &self.0.description
    }

    /// What it gives.
    async fn permissions(&self) -> &[String] {
        &self.0.permissions
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it last changed.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }

    /// How often it was changed, and 1.
    async fn version(&self) -> i64 {
        self.0.version
    }
}

impl OrganizationRole {
    /// The role of this id, if there is one that the caller may see.
    pub(super) async fn fetch(ctx: &Context<'_>, id: RoleId) -> Option<Result<Self, Error>> {
        ctx.part::<Loaders>().roles.load(id).await.map(|row| row.map(Self)).map_err(Error::from).transpose()
    }
}

#[derive(Default)]
pub(super) struct RoleQuery;

#[Object]
impl RoleQuery {
    /// All permissions that roles and grants are made of.
    #[expect(clippy::unused_self, reason = "a field has its object")]
    fn permissions(&self, ctx: &Context<'_>) -> Result<Vec<PermissionInfo>, Error> {
        if !ctx.session().caller().is_known() {
            return Err(pulse_types::Refusal::Unauthenticated.into());
        }
        Ok(Permission::ALL.iter().map(PermissionInfo).collect())
    }

    /// The roles that the organization has made, in the order of their making. Needs `role:read`.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn roles(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, from the start or `after`: 1 to 100, 20 if not given.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Begin behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many, from the end or `before`: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "End before this cursor.")] before: Option<String>,
    ) -> Result<Connection<OrganizationRole>, Error<RoleError>> {
        let page = Page::try_new((first, after), (last, before), PageLimits::USUAL);
        let page = page.map_err(RoleError::from)?;
        let rows = role::page(ctx.session(), &page).await?;
        let total = Total::new(|session| async move { role::count(&session).await });
        Ok(page.connection(rows, total, |row| (Cursor::new(&(row.id,)), OrganizationRole(row))))
    }
}

#[derive(Default)]
pub(super) struct RoleMutation;

#[Object]
impl RoleMutation {
    /// Makes a role. Needs `role:manage`, and every permission that it gives.
    async fn create_role(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What it is to be.")] input: CreateRoleInput,
    ) -> Result<CreateRolePayload, Error<RoleError>> {
        let CreateRoleInput { name, description, permissions, idempotency_key } = input;
        let new = (&*name, description, &*permissions);
        let row = role::create(ctx.session(), new, idempotency_key).await?;
        Ok(CreateRolePayload { role: OrganizationRole(row) })
    }

    /// Changes a role, and with it what all may who have it: what it gives no more they lose within a second, what it gives anew
    /// they have with their next token. Needs `role:manage`, and every permission that it did not give.
    async fn update_role(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdateRoleInput,
    ) -> Result<UpdateRolePayload, Error<RoleError>> {
        let UpdateRoleInput { id, name, description, permissions, expected_version } = input;
        let change = RoleChange { name, description, permissions, expected_version };
        let row = role::update(ctx.session(), id, change).await?;
        Ok(UpdateRolePayload { role: OrganizationRole(row) })
    }

    /// Deletes a role, and takes it from all who have it. Needs `role:manage`.
    async fn delete_role(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: DeleteRoleInput,
    ) -> Result<DeleteRolePayload, Error<RoleError>> {
        role::delete(ctx.session(), input.id).await?;
        Ok(DeleteRolePayload { id: input.id })
    }
}
