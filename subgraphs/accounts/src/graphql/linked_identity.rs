//! `Identity`: who a person is at an issuer; and signing in by issuers.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use pulse_graphql::{ContextExt, Error};
use pulse_store::StoreError;
use pulse_types::{IdentityId, OrgId, Secret, SessionId};

use super::session::EnteredFields;
use super::user::User;
use crate::authority::Authority;
use crate::linked_identity::{self, Begun, IdentityError, IdentityRow, Offer, Returned};
use crate::oidc::Oidc;

/// Who you are at an issuer.
#[derive(SimpleObject)]
pub(crate) struct Identity {
    /// Its id.
    id: IdentityId,
    /// The issuer.
    issuer: String,
    /// The organization whose identity provider it is; null for one that everybody may use.
    organization_id: Option<OrgId>,
    /// The address that the issuer last named.
    email: Option<String>,
    /// When it was linked.
    linked_at: DateTime<Utc>,
    /// When you last signed in by it.
    last_used_at: DateTime<Utc>,
}

/// An identity provider by which you can sign in.
#[derive(SimpleObject)]
pub(crate) struct SignInProvider {
    /// What `startSignIn` calls it.
    id: ID,
    /// What to write on the button.
    name: String,
}

/// Where somebody wants to sign in.
#[derive(InputObject)]
pub(crate) struct StartSignInInput {
    /// The identity provider: one of `signInProviders`.
    provider_id: ID,
    /// The page of yours to come back to, exactly as the operator has listed it.
    redirect_uri: String,
}

/// Somebody who is on the way to an identity provider.
#[derive(SimpleObject)]
pub(crate) struct StartSignInPayload {
    #[graphql(flatten)]
    begun: BegunFields,
}

/// Where to go, and what to keep.
#[derive(SimpleObject)]
pub(crate) struct BegunFields {
    /// Where to send the browser.
    authorization_url: String,
    /// Keep it in the browser (session storage), and send it on with what the issuer answers: so that nobody is signed in as
    /// somebody else by a link.
    browser_secret: String,
    /// Until when the answer is taken.
    expires_at: DateTime<Utc>,
}

/// What your page was given by the issuer.
#[derive(InputObject)]
pub(crate) struct CompleteSignInInput {
    /// The parameter `code`.
    code: String,
    /// The parameter `state`.
    state: String,
    /// The parameter `iss`, if there is one.
    issuer: Option<String>,
    /// What you have kept since `startSignIn`.
    browser_secret: String,
    /// The organization to act in; the one that you joined first if not given. An organization's own identity provider leads
    /// into that organization.
    organization_slug: Option<String>,
}

/// A new session, or what is asked before there is one.
#[derive(SimpleObject)]
pub(crate) struct CompleteSignInPayload {
    #[graphql(flatten)]
    entered: EnteredFields,
}

/// Where somebody wants to be known from.
#[derive(InputObject)]
pub(crate) struct StartLinkInput {
    /// The identity provider: one of `signInProviders`.
    provider_id: ID,
    /// The page of yours to come back to, exactly as the operator has listed it.
    redirect_uri: String,
    /// Your password; needed if you have one.
    password: Option<String>,
}

/// Somebody who is on the way to an identity provider.
#[derive(SimpleObject)]
pub(crate) struct StartLinkPayload {
    #[graphql(flatten)]
    begun: BegunFields,
}

/// What your page was given by the issuer.
#[derive(InputObject)]
pub(crate) struct LinkIdentityInput {
    /// The parameter `code`.
    code: String,
    /// The parameter `state`.
    state: String,
    /// The parameter `iss`, if there is one.
    issuer: Option<String>,
    /// What you have kept since `startLink`.
    browser_secret: String,
}

/// The linked identity.
#[derive(SimpleObject)]
pub(crate) struct LinkIdentityPayload {
    /// Who you are there.
    identity: Identity,
}

/// Which identity is not to be yours any more.
#[derive(InputObject)]
pub(crate) struct UnlinkIdentityInput {
    /// Which one.
    identity_id: IdentityId,
}

/// The unlinked identity.
#[derive(SimpleObject)]
pub(crate) struct UnlinkIdentityPayload {
    /// Its id.
    identity_id: IdentityId,
}

/// Where to go when signed out.
#[derive(InputObject)]
pub(crate) struct SignOutAtIssuerInput {
    /// The page of yours to come back to, exactly as the operator has listed it; none if left out.
    redirect_uri: Option<String>,
}

/// The ended session.
#[derive(SimpleObject)]
pub(crate) struct SignOutAtIssuerPayload {
    /// The session that cannot be refreshed any more.
    session_id: SessionId,
    /// Where to send the browser to be signed out there too; null where the session was begun in another way, or the issuer
    /// has no such place or does not answer.
    end_session_url: Option<String>,
}

impl From<IdentityRow> for Identity {
    fn from(row: IdentityRow) -> Self {
        let organization_id = row.organization();
        let IdentityRow { id, scope: _, issuer, email, linked_at, last_used_at } = row;
        Self { id, issuer, organization_id, email, linked_at, last_used_at }
    }
}

impl From<Begun> for BegunFields {
    fn from(Begun { url, secret, expires_at }: Begun) -> Self {
        Self { authorization_url: url, browser_secret: secret.expose().to_owned(), expires_at }
    }
}

/// The identities of a person: its own, and nobody else's.
pub(super) async fn identities_of(
    ctx: &Context<'_>,
    user: &User,
) -> Result<Vec<Identity>, Error<IdentityError>> {
    if ctx.session().caller().user() != Some(user.row().id) {
        return Err(IdentityError::NotYou.into());
    }
    let rows = linked_identity::all(ctx.session()).await?;
    Ok(rows.into_iter().map(Identity::from).collect())
}

#[derive(Default)]
pub(crate) struct LinkedIdentityQuery;

#[Object]
impl LinkedIdentityQuery {
    /// The identity providers by which you can sign in: those that everybody may use, and before them the one of the
    /// organization that has your address's domain.
    async fn sign_in_providers(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Your address, by whose domain your organization is found.")] email: Option<String>,
    ) -> Result<Vec<SignInProvider>, Error> {
        let offers = linked_identity::offers(ctx.session(), ctx.part::<Oidc>(), email.as_deref()).await;
        let offers = offers.map_err(|error: StoreError| Error::from(error))?;
        let offers = offers.into_iter().map(|Offer { id, name }| SignInProvider { id: ID(id), name });
        Ok(offers.collect())
    }
}

#[derive(Default)]
pub(crate) struct LinkedIdentityMutation;

#[Object]
impl LinkedIdentityMutation {
    /// Begins to sign in by an identity provider: send the browser to `authorizationUrl`.
    async fn start_sign_in(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Where you want to sign in.")] input: StartSignInInput,
    ) -> Result<StartSignInPayload, Error<IdentityError>> {
        let to = (input.provider_id.as_str(), input.redirect_uri.as_str());
        let (authority, oidc) = (ctx.part::<Authority>(), ctx.part::<Oidc>());
        let begun = linked_identity::start(ctx.session(), authority, oidc, to).await?;
        Ok(StartSignInPayload { begun: begun.into() })
    }

    /// Begins a session by what an identity provider has answered. It is good once.
    async fn complete_sign_in(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What your page was given.")] input: CompleteSignInInput,
    ) -> Result<CompleteSignInPayload, Error<IdentityError>> {
        let CompleteSignInInput { code, state, issuer, browser_secret, organization_slug } = input;
        let returned = returned(code, state, issuer, browser_secret);
        let (authority, oidc) = (ctx.part::<Authority>(), ctx.part::<Oidc>());
        let slug = organization_slug.as_deref();
        let entered = linked_identity::sign_in(ctx.session(), authority, oidc, returned, slug).await?;
        Ok(CompleteSignInPayload { entered: EnteredFields::new(entered) })
    }

    /// Begins to link who you are at an identity provider with you: send the browser to `authorizationUrl`.
    async fn start_link(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Where you want to be known from.")] input: StartLinkInput,
    ) -> Result<StartLinkPayload, Error<IdentityError>> {
        let to = (input.provider_id.as_str(), input.redirect_uri.as_str());
        let (authority, oidc) = (ctx.part::<Authority>(), ctx.part::<Oidc>());
        let password = input.password.map(Secret::new);
        let begun = linked_identity::start_linking(ctx.session(), authority, oidc, to, password).await?;
        Ok(StartLinkPayload { begun: begun.into() })
    }

    /// Links who you are at an identity provider with you, by what it has answered. From then on you can sign in by it.
    async fn link_identity(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What your page was given.")] input: LinkIdentityInput,
    ) -> Result<LinkIdentityPayload, Error<IdentityError>> {
        let LinkIdentityInput { code, state, issuer, browser_secret } = input;
        let returned = returned(code, state, issuer, browser_secret);
        let (authority, oidc) = (ctx.part::<Authority>(), ctx.part::<Oidc>());
        let row = linked_identity::link(ctx.session(), authority, oidc, returned).await?;
        Ok(LinkIdentityPayload { identity: row.into() })
    }

    /// Takes an identity away from you, and ends the sessions that were begun by it, but for this one. The last way in stays.
    async fn unlink_identity(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: UnlinkIdentityInput,
    ) -> Result<UnlinkIdentityPayload, Error<IdentityError>> {
        let identity_id = linked_identity::unlink(ctx.session(), input.identity_id).await?;
        Ok(UnlinkIdentityPayload { identity_id })
    }

    /// Ends your session, and says where you are signed out at the issuer by which it was begun.
    async fn sign_out_at_issuer(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Where to go then.")] input: SignOutAtIssuerInput,
    ) -> Result<SignOutAtIssuerPayload, Error<IdentityError>> {
        let (authority, oidc) = (ctx.part::<Authority>(), ctx.part::<Oidc>());
        let uri = input.redirect_uri.as_deref();
        let (session_id, end_session_url) =
            linked_identity::sign_out(ctx.session(), authority, oidc, uri).await?;
        Ok(SignOutAtIssuerPayload { session_id, end_session_url })
    }
}

fn returned(code: String, state: String, issuer: Option<String>, browser_secret: String) -> Returned {
    let (code, state, secret) = (Secret::new(code), Secret::new(state), Secret::new(browser_secret));
    Returned { code, state, issuer, secret }
}
