//! Signing in, going on, and signing out.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use pulse_graphql::{ContextExt, Error};
use pulse_types::{OrgId, Secret, SessionId};

use super::organization::Organization;
use super::second_factor::SignInChallenge;
use super::user::User;
use crate::authority::Authority;
use crate::session::{self, Entered, SessionError, SignInError, SignedIn};
use crate::user::UserError;

/// Somebody who registers.
#[derive(InputObject)]
pub(crate) struct RegisterInput {
    /// The address to sign in with; upper and lower case are the same.
    email: String,
    /// 12 to 128 characters, of any kind. The most common passwords are refused.
    password: String,
    /// What you want to be called: 1 to 120 characters.
    name: String,
    /// What is in the letter of an invitation to this address: the address is known to be yours then, and you are a member at
    /// once.
    invitation_token: Option<String>,
    /// Makes it safe to repeat the request: the same key with the same input registers nobody twice.
    idempotency_key: Option<String>,
}

/// Who signs in.
#[derive(InputObject)]
pub(crate) struct SignInInput {
    /// The address that you have registered with.
    email: String,
    /// Your password.
    password: String,
    /// The organization to act in; the one that you joined first if not given.
    organization_slug: Option<String>,
}

/// What to exchange.
#[derive(InputObject)]
pub(crate) struct RefreshSessionInput {
    /// The refresh token that you got last. It can be exchanged once; coming again, it ends the session.
    refresh_token: String,
}

/// Where to go on.
#[derive(InputObject)]
pub(crate) struct SwitchOrganizationInput {
    /// An organization that you are a member of.
    organization_id: OrgId,
}

/// Your first session.
#[derive(SimpleObject)]
pub(crate) struct RegisterPayload {
    #[graphql(flatten)]
    session: SessionFields,
}

/// A new session, or what is asked before there is one.
#[derive(SimpleObject)]
pub(crate) struct SignInPayload {
    #[graphql(flatten)]
    entered: EnteredFields,
}

/// The session, going on.
#[derive(SimpleObject)]
pub(crate) struct RefreshSessionPayload {
    #[graphql(flatten)]
    session: SessionFields,
}

/// A session, with its tokens.
#[derive(SimpleObject)]
pub(crate) struct SessionFields {
    /// Send it as `Authorization: Bearer <token>`. It says who you are, for which organization and with which rights.
    access_token: String,
    /// When the access token ends; refresh the session before.
    access_token_expires_at: DateTime<Utc>,
    /// Exchange it for new tokens by `refreshSession`. Keep it secret.
    refresh_token: String,
    /// You.
    user: User,
    /// The organization that you act in; null while you are a member of none.
    organization: Option<Organization>,
}

/// What signing in leads to: a session with its tokens or, when you have a second factor, a challenge for it.
#[derive(SimpleObject)]
pub(crate) struct EnteredFields {
    /// Send it as `Authorization: Bearer <token>`. It says who you are, for which organization and with which rights. Null
    /// beside a challenge.
    access_token: Option<String>,
    /// When the access token ends; refresh the session before.
    access_token_expires_at: Option<DateTime<Utc>>,
    /// Exchange it for new tokens by `refreshSession`. Keep it secret.
    refresh_token: Option<String>,
    /// You.
    user: Option<User>,
    /// The organization that you act in; null also while you are a member of none.
    organization: Option<Organization>,
    /// What asks for your second factor; null when you are signed in. Everything else is null then.
    challenge: Option<SignInChallenge>,
}

/// The session, in another organization. Its refresh token stays the same.
#[derive(SimpleObject)]
pub(crate) struct SwitchOrganizationPayload {
    /// Send it as `Authorization: Bearer <token>` from now on.
    access_token: String,
    /// When the access token ends; refresh the session before.
    access_token_expires_at: DateTime<Utc>,
    /// You.
    user: User,
    /// The organization that you act in with this access token.
    organization: Option<Organization>,
}

/// The ended session.
#[derive(SimpleObject)]
pub(crate) struct SignOutPayload {
    /// The session that cannot be refreshed any more.
    session_id: SessionId,
}

impl SessionFields {
    pub(super) fn new(signed_in: SignedIn) -> Self {
        let SignedIn { access_token, access_token_expires_at, refresh_token, user, organization } = signed_in;
        Self {
            access_token: access_token.expose().to_owned(),
            access_token_expires_at,
            refresh_token: refresh_token.map(|token| token.expose().to_owned()).unwrap_or_default(),
            user: User::new(user),
            organization: organization.map(Organization::new),
        }
    }
}

impl EnteredFields {
    pub(super) fn new(entered: Entered) -> Self {
        let signed_in = match entered {
            Entered::SignedIn(signed_in) => SessionFields::new(*signed_in),
            Entered::Challenged(challenge) => {
                return Self {
                    access_token: None,
                    access_token_expires_at: None,
                    refresh_token: None,
                    user: None,
                    organization: None,
                    challenge: Some(SignInChallenge::new(challenge)),
                };
            }
        };
        let SessionFields { access_token, access_token_expires_at, refresh_token, user, organization } =
            signed_in;
        Self {
            access_token: Some(access_token),
            access_token_expires_at: Some(access_token_expires_at),
            refresh_token: Some(refresh_token),
            user: Some(user),
            organization,
            challenge: None,
        }
    }
}

#[derive(Default)]
pub(super) struct SessionMutation;

#[Object]
impl SessionMutation {
    /// Makes a user and signs it in. That an address is taken is told: CONFLICT.
    async fn register(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who registers.")] input: RegisterInput,
    ) -> Result<RegisterPayload, Error<UserError>> {
        let RegisterInput { email, password, name, invitation_token, idempotency_key } = input;
        let who = (email.as_str(), Secret::new(password), name.as_str());
        let along = (idempotency_key, invitation_token.map(Secret::new));
        let signed_in = session::register(ctx.session(), ctx.part::<Authority>(), who, along).await?;
        Ok(RegisterPayload { session: SessionFields::new(signed_in) })
    }

    /// Begins a session with address and password. Whoever has a second factor gets a `challenge` instead, for
    /// `verifySecondFactor`.
    async fn sign_in(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who signs in.")] input: SignInInput,
    ) -> Result<SignInPayload, Error<SignInError>> {
        let SignInInput { email, password, organization_slug } = input;
        let who = (email.as_str(), Secret::new(password));
        let authority = ctx.part::<Authority>();
        let entered = session::sign_in(ctx.session(), authority, who, organization_slug.as_deref()).await?;
        Ok(SignInPayload { entered: EnteredFields::new(entered) })
    }

    /// Exchanges a refresh token for new tokens, with the rights that you have now.
    async fn refresh_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to exchange.")] input: RefreshSessionInput,
    ) -> Result<RefreshSessionPayload, Error<SessionError>> {
        let token = Secret::new(input.refresh_token);
        let signed_in = session::refresh(ctx.session(), ctx.part::<Authority>(), &token).await?;
        Ok(RefreshSessionPayload { session: SessionFields::new(signed_in) })
    }

    /// An access token for another organization that you are a member of.
    async fn switch_organization(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Where to go on.")] input: SwitchOrganizationInput,
    ) -> Result<SwitchOrganizationPayload, Error<SessionError>> {
        let authority = ctx.part::<Authority>();
        let switched = session::switch(ctx.session(), authority, input.organization_id).await?;
        let SignedIn { access_token, access_token_expires_at, refresh_token: _, user, organization } =
            switched;
        Ok(SwitchOrganizationPayload {
            access_token: access_token.expose().to_owned(),
            access_token_expires_at,
            user: User::new(user),
            organization: organization.map(Organization::new),
        })
    }

    /// Ends your session: its refresh token is worth nothing any more.
    async fn sign_out(&self, ctx: &Context<'_>) -> Result<SignOutPayload, Error<SessionError>> {
        Ok(SignOutPayload { session_id: session::sign_out(ctx.session()).await? })
    }
}
