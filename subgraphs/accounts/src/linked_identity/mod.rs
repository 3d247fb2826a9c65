//! Identities: who a person is at issuers, and signing in by them.
//!
//! What an issuer says of somebody is believed about an account when the person has linked the two, or when the issuer may
//! speak for the domain of the address: the settings say so of one of theirs, and an organization has shown that the domain is
//! its own. An organization's issuer speaks for that organization alone: what it begins stays there.

mod admission;
mod attempt;
mod entity;
mod error;
mod linking;
mod repo;
mod sign_in;

use pulse_graphql::Error;
use pulse_sealing::Sealer;
use pulse_store::{AuditFact, Event, EventKind, Session, StoreError};
use pulse_types::{IdentityId, Secret, UserId};
use serde_json::json;

pub(crate) use attempt::Begun;
pub(crate) use entity::IdentityRow;
pub(crate) use error::IdentityError;
pub(crate) use linking::{all, link, start as start_linking, unlink};
pub(crate) use sign_in::{sign_in, sign_out, start};

use self::repo::Named;
use crate::identity_provider;
use crate::oidc::{Answer, Claimed, Oidc, Provider};
use crate::throttle::Attempt;

pub(crate) const SUBJECT: &str = "accounts.identity";

/// How many identities a person may have.
const MAX_IDENTITIES: u32 = 20;

/// What a browser brings back from an issuer.
pub(crate) struct Returned {
    pub(crate) code: Secret,
    pub(crate) state: Secret,
    /// The parameter `iss`, when the issuer sent it along.
    pub(crate) issuer: Option<String>,
    /// What the browser has kept since it began.
    pub(crate) secret: Secret,
}

/// An issuer that somebody can be sent to.
pub(crate) struct Offer {
    pub(crate) id: String,
    pub(crate) name: String,
}

/// The issuers of the settings, and before them that of the organization whose domain the address has.
pub(crate) async fn offers(
    session: &Session,
    oidc: &Oidc,
    email: Option<&str>,
) -> Result<Vec<Offer>, StoreError> {
    let email = email.and_then(|email| crate::user::EmailAddress::try_new(email).ok());
    let own = match &email {
        Some(email) => identity_provider::of_address(session, email).await?,
        None => None,
    };
    let own = own.map(|(id, name)| Offer { id: id.to_string(), name });
    let settings = oidc.config.providers.iter();
    let settings = settings.map(|(id, section)| Offer { id: id.clone(), name: section.name.clone() });
    Ok(own.into_iter().chain(settings).collect())
}

async fn begin(
    session: &Session,
    (oidc, sealer): (&Oidc, &Sealer),
    (key, redirect_uri, actor): (&str, &str, Option<UserId>),
    counted: Option<&Attempt>,
) -> Result<Begun, Error<IdentityError>> {
    if !oidc.config.redirect_uris.iter().any(|page| page == redirect_uri) {
        return Err(IdentityError::RedirectUri(redirect_uri.chars().take(200).collect()).into());
    }
    let provider = provider(session, (oidc, sealer), key).await?;
    let sent = oidc.send(&provider, redirect_uri).await.map_err(IdentityError::from)?;
    let lifetime = oidc.config.attempt_lifetime;
    let (by, to) = ((sealer, lifetime), (provider.key.as_str(), redirect_uri, actor));
    attempt::begin(session, by, to, (sent, counted)).await
}

async fn provider(
    session: &Session,
    asking: (&Oidc, &Sealer),
    key: &str,
) -> Result<Provider, Error<IdentityError>> {
    let found = identity_provider::find(session, asking, key).await.map_err(Error::internal)?;
    Ok(found.ok_or(IdentityError::NoSuchProvider)?)
}

/// Who came back, and from where. The attempt is used up whatever the issuer says.
async fn ask(
    session: &Session,
    (oidc, sealer): (&Oidc, &Sealer),
    returned: Returned,
    actor: Option<UserId>,
) -> Result<(Provider, Claimed), Error<IdentityError>> {
    let Returned { code, state, issuer, secret } = returned;
    let back = attempt::take(session, sealer, (&state, &secret), actor).await?;
    let provider = provider(session, (oidc, sealer), &back.provider).await?;
    let attempt::Back { provider: _, redirect_uri, nonce, verifier } = back;
    let answer = Answer { code, issuer, nonce, verifier, redirect_uri };
    let now = session.store().clock().now();
    let claimed = oidc.exchange(&provider, answer, now).await.map_err(IdentityError::from)?;
    Ok((provider, claimed))
}

fn named<'a>(provider: &'a Provider, claimed: &'a Claimed) -> Named<'a> {
    (provider.scope(), &claimed.issuer, &claimed.subject)
}

fn fact(action: &'static str, id: IdentityId) -> AuditFact {
    AuditFact { action, subject: SUBJECT, key: Some(id.uuid()), version: None, items: 1 }
}

/// An identity begins with version 1 and ends with 2.
fn event(kind: EventKind, (user, id): (UserId, IdentityId)) -> Event {
    let version = if kind == EventKind::Deleted { 2 } else { 1 };
    let attributes = json!({ "user": user });
    Event {
        kind,
        subject: SUBJECT,
        key: id.uuid(),
        version,
        changed: vec![],
        attributes,
        before: json!(null),
    }
}
