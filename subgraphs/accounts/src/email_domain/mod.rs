//! Domains of mail: which of them are an organization's own, and which issuer signs in who has an address there.
//!
//! Anybody may claim a domain. It counts once it has published what only its owner was told, and for one organization alone.

mod entity;
mod error;
mod repo;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pulse_graphql::Error;
use pulse_store::{AuditFact, Session, StoreError};
use pulse_types::{IdentityProviderId, OrgId, Permission};

pub(crate) use entity::DomainRow;
pub(crate) use error::DomainError;

use crate::identity_provider;
use crate::oidc::{IssuerError, Oidc};
use crate::user::EmailAddress;

const SUBJECT: &str = "accounts.email_domain";

/// The tenant's domains, at most as many as it may have.
pub(crate) async fn all(session: &Session) -> Result<Vec<DomainRow>, Error> {
    let org = session.caller().require(&Permission::ORGANIZATION_MANAGE)?;
    Ok(repo::all(session, org).await?)
}

/// Says that a domain is the tenant's, and which issuer signs in its people.
pub(crate) async fn claim(
    session: &Session,
    oidc: &Oidc,
    domain: &str,
    provider: Option<IdentityProviderId>,
) -> Result<DomainRow, Error<DomainError>> {
    let org = session.caller().require(&Permission::ORGANIZATION_MANAGE)?;
    let domain = parse(domain)?;
    let proof = format!("pulse-domain={}", URL_SAFE_NO_PAD.encode(rand::random::<[u8; 24]>()));
    let limit = oidc.config.max_domains;
    let mut write = session.write().await?;
    if let Some(provider) = provider
        && !identity_provider::lock_in_tx(&mut write, (org, provider)).await?
    {
        return Err(DomainError::NoSuchProvider.into());
    }
    let row = repo::claim_in_tx(&mut write, (org, &domain), provider, &proof, limit).await?;
    let row = row.ok_or(DomainError::TooMany(limit))?;
    write.commit(fact("email_domain:claim", org)).await?;
    Ok(row)
}

/// Looks whether the domain has published the proof. Showing it twice is no error.
pub(crate) async fn verify(
    session: &Session,
    oidc: &Oidc,
    domain: &str,
) -> Result<DomainRow, Error<DomainError>> {
    let org = session.caller().require(&Permission::ORGANIZATION_MANAGE)?;
    let domain = parse(domain)?;
    let row = repo::find(session, org, &domain).await?.ok_or(DomainError::NotFound)?;
    // What follows may take long.
    session.forget().await;
    let said = match oidc.domain_proof(&domain).await {
        Err(IssuerError::Status { status: 404, .. }) => String::new(),
        said => said.map_err(|error| DomainError::Unreachable(error.to_string()))?,
    };
    if !said.lines().any(|line| line.trim() == row.proof) {
        let url = oidc.config.domain_proof_url.replace("{domain}", &domain);
        return Err(DomainError::NotProven { url, proof: row.proof }.into());
    }
    let mut write = session.write().await?;
    let row = match repo::verified_in_tx(&mut write, (org, &domain), &row.proof).await {
        Err(error) if error.is_duplicate_of("email_domains_verified") => {
            return Err(DomainError::Taken.into());
        }
        row => row?.ok_or(DomainError::NotFound)?,
    };
    write.commit(fact("email_domain:verify", org)).await?;
    Ok(row)
}

/// Gives a domain up: nobody is signed in by it any more.
pub(crate) async fn release(session: &Session, domain: &str) -> Result<String, Error<DomainError>> {
    let org = session.caller().require(&Permission::ORGANIZATION_MANAGE)?;
    let domain = parse(domain)?;
    let mut write = session.write().await?;
    if !repo::delete_in_tx(&mut write, org, &domain).await? {
        return Err(DomainError::NotFound.into());
    }
    write.commit(fact("email_domain:release", org)).await?;
    Ok(domain)
}

/// Whether the tenant has shown that the domain of this address is its own, and this issuer signs in its people.
pub(crate) async fn leads_to(
    tenant: &Session,
    provider: (OrgId, IdentityProviderId),
    email: &EmailAddress,
) -> Result<bool, StoreError> {
    repo::leads_to(tenant, provider, of(email)).await
}

/// The domain of an address.
pub(crate) fn of(email: &EmailAddress) -> &str {
    email.as_str().rsplit_once('@').map_or("", |(_, domain)| domain)
}

/// A domain is what may stand behind an @.
pub(crate) fn parse(text: &str) -> Result<String, DomainError> {
    let address = EmailAddress::try_new(&format!("a@{}", text.trim())).map_err(|_| DomainError::Form)?;
    // An address in digits is no domain.
    let domain = of(&address);
    if domain.parse::<std::net::IpAddr>().is_ok() || domain.len() > 253 {
        return Err(DomainError::Form);
    }
    Ok(domain.to_owned())
}

fn fact(action: &'static str, org: OrgId) -> AuditFact {
    AuditFact { action, subject: SUBJECT, key: Some(org.uuid()), version: None, items: 1 }
}
