//! `AccessGrant`: single permissions that are given or withheld.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use pulse_graphql::{Connection, ContextExt, Cursor, Error, Page, PageLimits, Total};
use pulse_types::{Effect, GrantId, MachineId, Resource, UnitId, UserId};

use super::access::PrincipalInput;
use super::user::User;
use crate::access::{self, AccessError, Whom};
use crate::grant::{self, GrantFilter, GrantRow, NewGrant};

/// A permission that is given to somebody, or withheld.
pub(crate) struct AccessGrant(GrantRow);

/// Who is given what, or has it withheld.
#[derive(InputObject)]
pub(crate) struct GrantAccessInput {
    /// Whom: a member.
    user_id: Option<UserId>,
    /// Whom: all who belong to this sub-organization or team, or to one below it, now or later.
    unit_id: Option<UnitId>,
    /// Whom: an API key or a service account. It never may more than the person who answers for it; in the whole organization
    /// it can only have something withheld.
    machine_id: Option<MachineId>,
    /// Whether it is given or withheld. What is withheld wins over all that gives it.
    effect: Effect,
    /// The permission, such as `entity:read`: when it is given, one that you have there yourself.
    permission: String,
    /// On what: `entity:`, `collection:` or `unit:` and an id, of which a unit stands for all below it; the whole organization, if
    /// not given.
    resource: Option<String>,
    /// When it ends by itself; never, if not given.
    expires_at: Option<DateTime<Utc>>,
    /// Makes it safe to repeat the request: the same key with the same input gives nothing twice.
    idempotency_key: Option<String>,
}

/// What was given, or withheld.
#[derive(SimpleObject)]
pub(crate) struct GrantAccessPayload {
    /// The grant.
    grant: AccessGrant,
}

/// Which grant to take back.
#[derive(InputObject)]
pub(crate) struct RevokeAccessInput {
    /// Which one.
    id: GrantId,
}

/// What was taken back.
#[derive(SimpleObject)]
pub(crate) struct RevokeAccessPayload {
    /// The id of the grant that is no more.
    id: GrantId,
}

/// A permission that is given to somebody, or withheld.
#[Object]
impl AccessGrant {
    /// Its id.
    async fn id(&self) -> GrantId {
        self.0.id
    }

    /// The id of the member; null when it is about somebody else.
    async fn user_id(&self) -> Option<UserId> {
        match self.0.whom {
            Whom::User(user) => Some(user),
            Whom::Unit(_) | Whom::Machine(_) => None,
        }
    }

    /// The member; null when it is about somebody else, or you may not see members.
    async fn user(&self, ctx: &Context<'_>) -> Option<Result<User, Error>> {
        match self.0.whom {
            Whom::User(user) => User::fetch(ctx, user).await,
            Whom::Unit(_) | Whom::Machine(_) => None,
        }
    }

    /// The id of the unit whose members it is about; null when it is about somebody else.
    async fn unit_id(&self) -> Option<UnitId> {
        match self.0.whom {
            Whom::Unit(unit) => Some(unit),
            Whom::User(_) | Whom::Machine(_) => None,
        }
    }

    /// The id of the API key or service account; null when it is about somebody else.
    async fn machine_id(&self) -> Option<MachineId> {
        match self.0.whom {
            Whom::Machine(machine) => Some(machine),
            Whom::User(_) | Whom::Unit(_) => None,
        }
    }

    /// Whether it is given or withheld.
    async fn effect(&self) -> Effect {
        self.0.effect
    }

    /// The permission.
    async fn permission(&self) -> &str {
        self.0.permission.as_str()
    }

    /// On what; null for the whole organization.
    async fn resource(&self) -> Option<String> {
        self.0.resource.as_ref().map(ToString::to_string)
    }

    /// When it ends by itself; null for never.
    async fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.0.expires_at
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
pub(super) struct GrantQuery;

#[Object]
impl GrantQuery {
    /// Permissions that are given or withheld one by one, in the order of their giving. Needs `access:read`.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn grants(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those about this member.")] user_id: Option<UserId>,
        #[graphql(desc = "Only those about this unit's members.")] unit_id: Option<UnitId>,
        #[graphql(desc = "Only those about this API key or service account.")] machine_id: Option<MachineId>,
        #[graphql(desc = "Only those on this thing, such as `entity:` and an id.")] resource: Option<String>,
        #[graphql(desc = "How many, from the start or `after`: 1 to 100, 20 if not given.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Begin behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many, from the end or `before`: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "End before this cursor.")] before: Option<String>,
    ) -> Result<Connection<AccessGrant>, Error<AccessError>> {
        let page = Page::try_new((first, after), (last, before), PageLimits::USUAL);
        let page = page.map_err(AccessError::from)?;
        let whom = PrincipalInput { user_id, unit_id, machine_id }.at_most_one()?;
        let resource = resource.map(|text| text.parse::<Resource>()).transpose();
        let filter = GrantFilter { whom, resource: resource.map_err(AccessError::from)? };
        let rows = grant::page(ctx.session(), &filter, &page).await?;
        let total = Total::new(move |session| {
            let filter = filter.clone();
            async move { grant::count(&session, &filter).await }
        });
        Ok(page.connection(rows, total, |row| (Cursor::new(&(row.id,)), AccessGrant(row))))
    }
}

#[derive(Default)]
pub(super) struct GrantMutation;

#[Object]
impl GrantMutation {
    /// Gives somebody a permission, or withholds it. Needs `access:manage`, in the unit that it is about or in the organization, and
    /// to give it the permission itself. Only owners withhold something from owners.
    async fn grant_access(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who is given what, or has it withheld.")] input: GrantAccessInput,
    ) -> Result<GrantAccessPayload, Error<AccessError>> {
        let GrantAccessInput {
            user_id,
            unit_id,
            machine_id,
            effect,
            permission,
            resource,
            expires_at,
            idempotency_key,
        } = input;
        let all = "`userId`, `unitId` and `machineId`";
        let whom = PrincipalInput { user_id, unit_id, machine_id }.one(all)?;
        let resource = resource.map(|text| text.parse::<Resource>()).transpose();
        let resource = resource.map_err(AccessError::from)?;
        let permission = access::known(&permission)?;
        let new = NewGrant { whom, effect, permission, resource, expires_at };
        let row = grant::create(ctx.session(), new, idempotency_key).await?;
        Ok(GrantAccessPayload { grant: AccessGrant(row) })
    }

    /// Takes back what was given or withheld by `grantAccess`. Who loses rights by it loses them within a second. Needs
    /// `access:manage` where it holds, and to take back what was withheld the permission itself.
    async fn revoke_access(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: RevokeAccessInput,
    ) -> Result<RevokeAccessPayload, Error<AccessError>> {
        grant::delete(ctx.session(), input.id).await?;
        Ok(RevokeAccessPayload { id: input.id })
    }
}
