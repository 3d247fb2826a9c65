//! `User`: somebody who can sign in.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use pulse_graphql::{ClientError, Code, Connection, ContextExt, Error, Page, PageError, PageLimits, Total};
use pulse_types::UserId;

use super::consent::{self, Consent, ConsentsError};
use super::device::{self, Session, SessionsError};
use super::linked_identity::{self, Identity};
use super::loaders::Loaders;
use super::organization::Organization;
use super::passkey::{self, Passkey};
use super::second_factor::{self, SecondFactor, SecondFactorError};
use super::unit::{self, UnitMembership};
use crate::joined;
use crate::linked_identity::IdentityError;
use crate::organization::{self, Seen};
use crate::unit::UnitKind;
use crate::user::{self, UserError, UserRow};

/// A row that the caller may see.
pub(crate) struct User(UserRow);

/// What to change of yourself.
#[derive(InputObject)]
pub(crate) struct UpdateMeInput {
    /// What you want to be called: 1 to 120 characters.
    name: String,
}

/// You, changed.
#[derive(SimpleObject)]
pub(crate) struct UpdateMePayload {
    /// You, as you are now.
    user: User,
}

/// Why the organizations of a person cannot be listed.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum OrganizationsError {
    /// Wrong arguments.
    #[error(transparent)]
    Page(#[from] PageError),
    /// Somebody else's.
    #[error("only the person may see which organizations it is a member of")]
    NotYou,
}

impl ClientError for OrganizationsError {
    fn code(&self) -> Code {
        match self {
            Self::Page(error) => error.code(),
            Self::NotYou => Code::Forbidden,
        }
    }

    fn field(&self) -> Option<String> {
        match self {
            Self::Page(error) => error.field(),
            Self::NotYou => None,
        }
    }
}

/// Somebody who can sign in. You see yourself, and with `member:read` the members of the organization that you act in.
#[Object]
impl User {
    /// The person's id.
    async fn id(&self) -> UserId {
        self.0.id
    }

    /// The address that the person signs in with. Seeing that of somebody else is audited.
    async fn email(&self, ctx: &Context<'_>) -> &str {
        user::look_at_address(ctx.session(), self.0.id);
        &self.0.email
    }

    /// Whether the address is known to be yours: you have used what was sent to it. Null for anybody but you.
    async fn email_verified(&self, ctx: &Context<'_>) -> Option<bool> {
        self.email_is_verified(ctx)
    }

    /// What the person wants to be called.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// When the person registered.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// How often the person was changed, and 1.
    async fn version(&self) -> i64 {
        self.0.version
    }

    /// Where you are signed in, in the order of signing in: sessions that can go on. Refused for anybody else.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn sessions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, from the start or `after`: 1 to 100, 20 if not given.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Begin behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many, from the end or `before`: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "End before this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<Session>, Error<SessionsError>>> {
        let page = Page::try_new((first, after), (last, before), PageLimits::USUAL);
        Some(device::sessions_of(ctx, self, page).await)
    }

    /// Who you are at issuers, in the order of linking: 20 at most. Refused for anybody else.
    async fn identities(&self, ctx: &Context<'_>) -> Option<Result<Vec<Identity>, Error<IdentityError>>> {
        Some(linked_identity::identities_of(ctx, self).await)
    }

    /// What you have consented to, in the order of giving. Refused for anybody else.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn consents(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, from the start or `after`: 1 to 100, 20 if not given.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Begin behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many, from the end or `before`: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "End before this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<Consent>, Error<ConsentsError>>> {
        let page = Page::try_new((first, after), (last, before), PageLimits::USUAL);
        Some(consent::consents_of(ctx, self, page).await)
    }

    /// What is asked of you when you sign in, beside your password; null for nothing. Refused for anybody else.
    async fn second_factor(
        &self,
        ctx: &Context<'_>,
    ) -> Option<Result<SecondFactor, Error<SecondFactorError>>> {
        second_factor::of(ctx, self).await.transpose()
    }

    /// Keys in your devices that sign you in, in the order of their making: at most 20. Refused for anybody else.
    async fn passkeys(&self, ctx: &Context<'_>) -> Option<Result<Vec<Passkey>, Error<SecondFactorError>>> {
        Some(passkey::of(ctx, self).await)
    }

    /// The sub-organizations and teams that the person belongs to in the organization that you act in, at most 100, in the order
    /// of names, each before what is inside it. Needs `unit:read`.
    async fn units(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only sub-organizations, or only teams.")] kind: Option<UnitKind>,
    ) -> Option<Result<Vec<UnitMembership>, Error>> {
        Some(unit::memberships_of(ctx, self.0.id, kind).await)
    }

    /// The organizations that you are a member of, in the order of joining. Refused for anybody else.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn organizations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, from the start or `after`: 1 to 100, 20 if not given.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Begin behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many, from the end or `before`: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "End before this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<Organization>, Error<OrganizationsError>>> {
        if ctx.session().caller().user() != Some(self.0.id) {
            return Some(Err(OrganizationsError::NotYou.into()));
        }
        let page = Page::try_new((first, after), (last, before), PageLimits::USUAL);
        Some(own_organizations(ctx, page).await.map_err(|error| error.map_client(OrganizationsError::from)))
    }
}

impl User {
    pub(super) const fn new(row: UserRow) -> Self {
        Self(row)
    }

    pub(super) const fn row(&self) -> &UserRow {
        &self.0
    }

    /// The user with this id, if the caller may see it.
    pub(super) async fn fetch(ctx: &Context<'_>, id: UserId) -> Option<Result<Self, Error>> {
        ctx.part::<Loaders>().users.load(id).await.map(|row| row.map(Self)).map_err(Error::from).transpose()
    }
}

async fn own_organizations(
    ctx: &Context<'_>,
    page: Result<Page, PageError>,
) -> Result<Connection<Organization>, Error<PageError>> {
    let page = page?;
    let rows = organization::own_page(ctx.session(), &page).await?;
    let total = Total::new(|session| async move { organization::own_count(&session).await });
    Ok(page.connection(rows, total, |row| {
        let cursor = joined::cursor(row.joined_at, row.organization.id.uuid());
        (cursor, Organization::new(Seen::from(row)))
    }))
}

#[derive(Default)]
pub(super) struct UserQuery;

#[Object]
impl UserQuery {
    /// You; null for somebody who has not signed in.
    async fn me(&self, ctx: &Context<'_>) -> Option<Result<User, Error>> {
        User::fetch(ctx, ctx.session().caller().user()?).await
    }

    /// The organizations that you are a member of, in the order of joining.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn organizations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, from the start or `after`: 1 to 100, 20 if not given.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Begin behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many, from the end or `before`: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "End before this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<Organization>, Error<PageError>>> {
        Some(own_organizations(ctx, Page::try_new((first, after), (last, before), PageLimits::USUAL)).await)
    }

    #[graphql(entity)]
    async fn find_user_by_id(&self, ctx: &Context<'_>, id: UserId) -> Option<Result<User, Error>> {
        User::fetch(ctx, id).await
    }
}

#[derive(Default)]
pub(super) struct UserMutation;

#[Object]
impl UserMutation {
    /// Changes what you are called.
    async fn update_me(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdateMeInput,
    ) -> Result<UpdateMePayload, Error<UserError>> {
        let row = user::rename(ctx.session(), &input.name).await?;
        Ok(UpdateMePayload { user: User(row) })
    }
}
