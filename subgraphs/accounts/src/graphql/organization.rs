//! `Organization`: a tenant.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use pulse_graphql::{Connection, ContextExt, Error, Page, PageLimits};
use pulse_types::{OrgId, Refusal, Role, Subject};

use super::loaders::Loaders;
use super::membership::{self, MemberConnection};
use super::unit::{self, Unit, UnitFilter};
use crate::membership::MembersError;
use crate::name::Name;
use crate::organization::{self, OrganizationChange, OrganizationError, Seen, Slug};
use crate::unit::UnitsError;

/// A row that the caller may see.
pub(crate) struct Organization(Seen);

/// A new organization.
#[derive(InputObject)]
pub(crate) struct CreateOrganizationInput {
    /// Its name in addresses and commands: 2 to 63 characters of a–z, 0–9 and `-`. No other organization has it.
    slug: String,
    /// Its name for people: 1 to 120 characters.
    name: String,
    /// Makes it safe to repeat the request: the same key with the same input makes nothing twice.
    idempotency_key: Option<String>,
}

/// The new organization.
#[derive(SimpleObject)]
pub(crate) struct CreateOrganizationPayload {
    /// The organization. To act in it, call `switchOrganization`.
    organization: Organization,
}

/// What to change of the organization that you act in. What is not given stays.
#[derive(InputObject)]
pub(crate) struct UpdateOrganizationInput {
    /// Another name in addresses and commands.
    slug: Option<String>,
    /// Another name for people.
    name: Option<String>,
}

/// The organization, changed.
#[derive(SimpleObject)]
pub(crate) struct UpdateOrganizationPayload {
    /// The organization, as it is now.
    organization: Organization,
}

/// A tenant: people, and everything that belongs to them together. You see those that you are a member of.
#[Object]
impl Organization {
    /// The organization's id.
    async fn id(&self) -> OrgId {
        self.0.organization.id
    }

    /// Its name in addresses and commands.
    async fn slug(&self) -> &str {
        &self.0.organization.slug
    }

    /// Its name for people.
    async fn name(&self) -> &str {
        &self.0.organization.name
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.organization.created_at
    }

    /// How often it was changed, and 1.
    async fn version(&self) -> i64 {
        self.0.organization.version
    }

    /// Your role in it; null for a caller that is no person.
    async fn viewer_role(&self) -> Option<Role> {
        self.0.role
    }

    /// Its members in the order of joining. Needs `member:read`, and that you act in it.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn members(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only members with this role.")] role: Option<Role>,
        #[graphql(desc = "How many, from the start or `after`: 1 to 100, 20 if not given.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Begin behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many, from the end or `before`: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "End before this cursor.")] before: Option<String>,
    ) -> Option<Result<MemberConnection, Error<MembersError>>> {
        let page = Page::try_new((first, after), (last, before), PageLimits::USUAL);
        Some(membership::paginate(ctx, self.0.organization.id, role, page).await)
    }

    /// Its sub-organizations and teams in the order of names, each before what is inside it. Needs `unit:read`, and that you act in
    /// it.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn units(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones; all unless given.")] filter: Option<UnitFilter>,
        #[graphql(desc = "How many, from the start or `after`: 1 to 100, 20 if not given.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Begin behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many, from the end or `before`: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "End before this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<Unit>, Error<UnitsError>>> {
        let page = Page::try_new((first, after), (last, before), PageLimits::USUAL);
        Some(unit::units_of(ctx, self.0.organization.id, filter, page).await)
    }
}

impl Organization {
    pub(super) const fn new(seen: Seen) -> Self {
        Self(seen)
    }

    /// The organization with this id, if the caller may see it.
    pub(super) async fn fetch(ctx: &Context<'_>, id: OrgId) -> Option<Result<Self, Error>> {
        ctx.part::<Loaders>()
            .organizations
            .load(id)
            .await
            .map(|row| row.map(Self))
            .map_err(Error::from)
            .transpose()
    }
}

#[derive(Default)]
pub(super) struct OrganizationQuery;

#[Object]
impl OrganizationQuery {
    /// The organization that you act in, or another one that you are a member of. Null when there is none such.
    async fn organization(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The one with this id.")] id: Option<OrgId>,
        #[graphql(desc = "The one with this slug.")] slug: Option<String>,
    ) -> Option<Result<Organization, Error<OrganizationError>>> {
        let never = |error: Error| error.map_client(|never| match never {});
        let seen = match (id, slug) {
            (Some(_), Some(_)) => return Some(Err(OrganizationError::IdAndSlug.into())),
            (Some(_), None) if ctx.session().caller().subject == Subject::Anonymous => {
                return Some(Err(Error::Refused(Refusal::Unauthenticated)));
            }
            (Some(id), None) => return Organization::fetch(ctx, id).await.map(|found| found.map_err(never)),
            (None, Some(slug)) => organization::find_by_slug(ctx.session(), &slug).await,
            (None, None) => organization::current(ctx.session()).await,
        };
        seen.map(|seen| seen.map(Organization)).map_err(never).transpose()
    }

    #[graphql(entity)]
    async fn find_organization_by_id(
        &self,
        ctx: &Context<'_>,
        id: OrgId,
    ) -> Option<Result<Organization, Error>> {
        Organization::fetch(ctx, id).await
    }
}

#[derive(Default)]
pub(super) struct OrganizationMutation;

#[Object]
impl OrganizationMutation {
    /// Makes an organization that you own.
    async fn create_organization(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new organization.")] input: CreateOrganizationInput,
    ) -> Result<CreateOrganizationPayload, Error<OrganizationError>> {
        let CreateOrganizationInput { slug, name, idempotency_key } = input;
        let seen = organization::create(ctx.session(), &slug, &name, idempotency_key).await?;
        Ok(CreateOrganizationPayload { organization: Organization(seen) })
    }

    /// Changes the organization that you act in. Needs `organization:manage`.
    async fn update_organization(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdateOrganizationInput,
    ) -> Result<UpdateOrganizationPayload, Error<OrganizationError>> {
        let slug = input.slug.as_deref().map(Slug::try_new).transpose().map_err(OrganizationError::from)?;
        let name = input.name.as_deref().map(Name::try_new).transpose().map_err(OrganizationError::from)?;
        let seen = organization::update(ctx.session(), OrganizationChange { slug, name }).await?;
        Ok(UpdateOrganizationPayload { organization: Organization(seen) })
    }
}
