//! Issuers by which people sign in to an organization: who names them, and what they are for those who ask.
//!
//! Whoever names an issuer decides who may act in the organization, as its owners too. So owners do alone.

mod checks;
mod entity;
mod error;
mod repo;

use std::sync::Arc;

use pulse_graphql::Error;
use pulse_sealing::{OpenError, Place, Sealer};
use pulse_store::{AuditFact, Begun, Event, EventKind, IdempotencyKey, Reading, Session, StoreError, Write};
use pulse_types::{Caller, IdentityProviderId, OrgId, Permission, Role, Secret};
use serde_json::json;

pub(crate) use entity::{ProviderRow, ProviderSettings};
pub(crate) use error::ProviderError;

use crate::email_domain;
use crate::oidc::{Metadata, Oidc, Provider, RoleMapping};
use crate::user::EmailAddress;

pub(crate) const SUBJECT: &str = "accounts.identity_provider";

/// That somebody saw by which issuers people come in, and as what.
const READ: Reading =
    Reading { action: "identity_provider:read", again: "identity_provider:read_again", subject: SUBJECT };

type Key = (OrgId, IdentityProviderId);

/// What is to change of an issuer; `None` stays, and `Some(None)` takes away.
#[expect(clippy::option_option, reason = "left out, taken away, or another one")]
#[derive(Debug, Clone, Default)]
pub(crate) struct ProviderChange {
    pub(crate) name: Option<String>,
    pub(crate) issuer: Option<String>,
    pub(crate) client_id: Option<String>,
    pub(crate) client_secret: Option<Secret>,
    pub(crate) scopes: Option<Vec<String>>,
    pub(crate) enabled: Option<bool>,
    pub(crate) sign_up: Option<bool>,
    pub(crate) assumes_verified: Option<bool>,
    pub(crate) trusts_second_factor: Option<bool>,
    pub(crate) role_claim: Option<Option<String>>,
    pub(crate) role_mappings: Option<Vec<RoleMapping>>,
    pub(crate) default_role: Option<Option<Role>>,
    pub(crate) expected_version: Option<i64>,
}

/// The tenant's issuers, at most as many as it may have.
pub(crate) async fn all(session: &Session) -> Result<Vec<ProviderRow>, Error> {
    let org = session.caller().require(&Permission::ORGANIZATION_MANAGE)?;
    let rows = repo::all(session, org).await?;
    session.look(READ.of_list(rows.len()));
    Ok(rows)
}

/// Names an issuer.
pub(crate) async fn create(
    session: &Session,
    (oidc, sealer): (&Oidc, &Sealer),
    (settings, secret): (ProviderSettings, Option<Secret>),
    key: Option<String>,
) -> Result<ProviderRow, Error<ProviderError>> {
    let org = session.caller().require(&Permission::ORGANIZATION_MANAGE)?;
    checks::check(&settings, &oidc.config)?;
    checks::check_secret(secret.as_ref())?;
    let key = key.map(IdempotencyKey::try_new).transpose().map_err(ProviderError::from)?;
    let request = (&settings.name, &settings.issuer, &settings.client_id, &settings.scopes);
    let mut write =
        match session.write_once("accounts.createIdentityProvider", key.as_ref(), &request).await? {
            Begun::New(write) => write,
            Begun::Repeated(response) => {
                let id: IdentityProviderId =
                    serde_json::from_value(response["id"].clone()).map_err(Error::internal)?;
                return Ok(repo::find(session, (org, id)).await?.ok_or(ProviderError::NotFound(id))?);
            }
        };
    let id = IdentityProviderId::new(write.now());
    let stored = secret.map(|secret| sealer.seal(&secret, place((org, id))));
    let limit = oidc.config.max_providers;
    let row = repo::insert_in_tx(&mut write, (org, id), &settings, stored.as_deref(), limit).await?;
    let row = row.ok_or(ProviderError::TooMany(limit))?;
    write.event(event(EventKind::Created, &row, vec![]));
    write.commit_with(fact("identity_provider:create", &row), &json!({ "id": id })).await?;
    Ok(row)
}

/// Changes what is said of an issuer. What is the same already changes nothing.
pub(crate) async fn update(
    session: &Session,
    (oidc, sealer): (&Oidc, &Sealer),
    id: IdentityProviderId,
    change: ProviderChange,
) -> Result<ProviderRow, Error<ProviderError>> {
    let org = session.caller().require(&Permission::ORGANIZATION_MANAGE)?;
    let key = (org, id);
    checks::check_secret(change.client_secret.as_ref())?;
    let mut write = session.write().await?;
    let old = repo::lock_in_tx(&mut write, key).await?.ok_or(ProviderError::NotFound(id))?;
    if let Some(expected) = change.expected_version.filter(|expected| *expected != old.version) {
        return Err(ProviderError::Version { expected, actual: old.version }.into());
    }
    let stored = change.client_secret.as_ref().map(|secret| sealer.seal(secret, place(key)));
    let settings = changed(old.settings(), change);
    if settings == old.settings() && stored.is_none() {
        return Ok(old);
    }
    checks::check(&settings, &oidc.config)?;
    repo::keep_in_tx(&mut write, key, session.caller().actor()).await?;
    let row = repo::update_in_tx(&mut write, key, &settings, stored.as_deref()).await?;
    write.event(event(EventKind::Updated, &row, vec![]));
    write.commit(fact("identity_provider:update", &row)).await?;
    Ok(row)
}

fn changed(settings: ProviderSettings, change: ProviderChange) -> ProviderSettings {
    let ProviderSettings {
        mut name,
        mut issuer,
        mut client_id,
        mut scopes,
        mut enabled,
        mut sign_up,
        mut assumes_verified,
        mut trusts_second_factor,
        mut roles,
    } = settings;
    replace(&mut name, change.name);
    replace(&mut issuer, change.issuer);
    replace(&mut client_id, change.client_id);
    replace(&mut scopes, change.scopes);
    replace(&mut enabled, change.enabled);
    replace(&mut sign_up, change.sign_up);
    replace(&mut assumes_verified, change.assumes_verified);
    replace(&mut trusts_second_factor, change.trusts_second_factor);
    replace(&mut roles.claim, change.role_claim);
    replace(&mut roles.mappings, change.role_mappings);
    replace(&mut roles.default, change.default_role);
    ProviderSettings {
        name,
        issuer,
        client_id,
        scopes,
        enabled,
        sign_up,
        assumes_verified,
        trusts_second_factor,
        roles,
    }
}

fn replace<T>(old: &mut T, new: Option<T>) {
    if let Some(new) = new {
        *old = new;
    }
}

/// Forgets an issuer: nobody is signed in by it any more. Domains that led to it lead nowhere.
pub(crate) async fn delete(
    session: &Session,
    id: IdentityProviderId,
) -> Result<IdentityProviderId, Error<ProviderError>> {
    let org = session.caller().require(&Permission::ORGANIZATION_MANAGE)?;
    let mut write = session.write().await?;
    let row = repo::lock_in_tx(&mut write, (org, id)).await?.ok_or(ProviderError::NotFound(id))?;
    repo::keep_in_tx(&mut write, (org, id), session.caller().actor()).await?;
    repo::delete_in_tx(&mut write, (org, id)).await?;
    let row = ProviderRow { version: row.version + 1, ..row };
    write.event(event(EventKind::Deleted, &row, vec![]));
    write.commit(fact("identity_provider:delete", &row)).await?;
    Ok(id)
}

/// Asks the issuer for its description and its keys, as they are now.
pub(crate) async fn test(
    session: &Session,
    (oidc, sealer): (&Oidc, &Sealer),
    id: IdentityProviderId,
) -> Result<Arc<Metadata>, Error<ProviderError>> {
    let org = session.caller().require(&Permission::ORGANIZATION_MANAGE)?;
    let row = repo::find(session, (org, id)).await?.ok_or(ProviderError::NotFound(id))?;
    let provider = as_asked(session, sealer, (org, row)).await.map_err(Error::internal)?;
    // What follows may take long.
    session.forget().await;
    Ok(oidc.metadata_now(&provider).await.map_err(ProviderError::Asked)?)
}

/// Lets nobody delete the tenant's issuer until this write ends; `false` when there is none.
pub(crate) async fn lock_in_tx(write: &mut Write, key: Key) -> Result<bool, StoreError> {
    Ok(repo::lock_in_tx(write, key).await?.is_some())
}

/// Why a stored issuer cannot be asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unreadable {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("accounts.identity_providers.client_secret of {id}: {cause}")]
    Secret { id: IdentityProviderId, cause: OpenError },
}

/// The issuer that the API calls so, for somebody who is not known yet: of the settings, or of an organization.
pub(crate) async fn find(
    session: &Session,
    (oidc, sealer): (&Oidc, &Sealer),
    key: &str,
) -> Result<Option<Provider>, Unreadable> {
    if let Some(provider) = oidc.of_settings(key) {
        return Ok(Some(provider));
    }
    let Ok(id) = key.parse::<IdentityProviderId>() else { return Ok(None) };
    let nobody = nobody(session);
    let Some(org) = repo::organization(&nobody, id).await? else { return Ok(None) };
    nobody.forget().await;
    let tenant = tenant(session, org);
    let row = repo::find(&tenant, (org, id)).await?.filter(|row| row.enabled);
    let provider = match row {
        Some(row) => Some(as_asked(&tenant, sealer, (org, row)).await?),
        None => None,
    };
    tenant.forget().await;
    Ok(provider)
}

/// The issuer of an organization that signs in who has this address: what the API calls it, and its name.
pub(crate) async fn of_address(
    session: &Session,
    email: &EmailAddress,
) -> Result<Option<(IdentityProviderId, String)>, StoreError> {
    repo::of_domain(&nobody(session), email_domain::of(email)).await
}

/// A session of Pulse itself in a tenant: for what is looked up before anybody is known.
pub(crate) fn tenant(session: &Session, org: OrgId) -> Session {
    session.store().session(Arc::new(Caller::system(org, session.caller().request)))
}

fn nobody(session: &Session) -> Session {
    session.store().session(Arc::new(Caller::anonymous(session.caller().request)))
}

async fn as_asked(
    session: &Session,
    sealer: &Sealer,
    (org, row): (OrgId, ProviderRow),
) -> Result<Provider, Unreadable> {
    let id = row.id;
    let stored = repo::secret(session, (org, id)).await?;
    let secret = stored.map(|stored| sealer.open(&stored, place((org, id)))).transpose();
    let client_secret = secret.map_err(|cause| Unreadable::Secret { id, cause })?;
    let ProviderSettings {
        name: _,
        issuer,
        client_id,
        scopes,
        enabled: _,
        sign_up,
        assumes_verified,
        trusts_second_factor,
        roles,
    } = row.settings();
    Ok(Provider {
        key: id.to_string(),
        owner: Some((org, id)),
        issuer,
        client_id,
        client_secret,
        scopes,
        sign_up,
        assumes_verified,
        domains: vec![],
        roles,
        tenants: vec![],
        trusts_second_factor,
    })
}

/// Where the secret of an issuer's client is.
pub(crate) const fn place((org, id): Key) -> Place {
    Place { owner: org.uuid(), column: "accounts.identity_providers.client_secret", row: id.uuid() }
}

fn fact(action: &'static str, row: &ProviderRow) -> AuditFact {
    let (key, version) = (Some(row.id.uuid()), Some(row.version));
    AuditFact { action, subject: SUBJECT, key, version, items: 1 }
}

fn event(kind: EventKind, row: &ProviderRow, changed: Vec<&'static str>) -> Event {
    Event {
        kind,
        subject: SUBJECT,
        key: row.id.uuid(),
        version: row.version,
        changed,
        attributes: json!({}),
        before: json!(null),
    }
}
