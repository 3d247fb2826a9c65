//! Machines: programs that act in a tenant by a credential of their own. An API key is sent with each request; a service
//! account exchanges its secret for access tokens. Neither may more than the person who answers for it, at any time.

mod change;
mod entity;
mod error;
mod limits;
mod oauth;
mod repo;
mod uses;
mod verify;

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use pulse_graphql::{Error, Page};
use pulse_store::{AuditFact, Begun, Event, EventKind, IdempotencyKey, Session, StoreError};
use pulse_tokens::MachineSecret;
use pulse_types::{MachineId, Permission, Secret};
use serde_json::{Value, json};

pub(crate) use change::{MachineChange, update};
pub(crate) use entity::{Kind, MachineRow};
pub(crate) use error::MachineError;
pub(crate) use limits::Limits;
pub(crate) use oauth::{LocalGrants, internal_routes as oauth_routes};
pub use oauth::{OAUTH_PATH, TokenGrant, TokenGrants, TokenRefusal, TokenRequest, token_routes};
pub(crate) use verify::internal_routes;
pub use verify::{
    MACHINES_PATH, MachineQuestion, MachineRefusal, Machines, MachinesUnavailable, VerifiedMachine,
};

use self::entity::Done;
use crate::access;
use crate::name::Name;

pub(crate) const SUBJECT: &str = "accounts.machine";

/// How many entries a list of operations or networks has.
const MAX_LIST: usize = 100;

/// How many machines an organization has.
const MAX_PER_ORGANIZATION: i64 = 1_000;

/// How long, in seconds, an old secret stays good at most: 30 days.
const MAX_OVERLAP: i32 = 30 * 24 * 3600;

/// What a new machine is to be.
pub(crate) struct NewMachine {
    pub(crate) kind: Kind,
    pub(crate) name: Name,
    pub(crate) scopes: Vec<String>,
    pub(crate) limits: Limits,
    pub(crate) expires_at: Option<DateTime<Utc>>,
}

/// What somebody has asked for, to be checked.
pub(crate) struct Wanted {
    pub(crate) name: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) limits: Limits,
    pub(crate) expires_at: Option<DateTime<Utc>>,
}

/// Those of these machines that the caller may see, revoked ones among them.
pub(crate) async fn find(
    session: &Session,
    kind: Kind,
    ids: &[MachineId],
) -> Result<HashMap<MachineId, MachineRow>, StoreError> {
    let Ok(org) = session.caller().require(&Permission::API_KEY_READ) else { return Ok(HashMap::new()) };
    let rows = repo::find_many(session, org, (kind, ids)).await?;
    for row in &rows {
        session.look(kind.reading().of(row.id.uuid()));
    }
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

/// A page of the tenant's machines that were not revoked, in the order of their making.
pub(crate) async fn page(
    session: &Session,
    kind: Kind,
    page: &Page,
) -> Result<Vec<MachineRow>, Error<MachineError>> {
    let org = session.caller().require(&Permission::API_KEY_READ)?;
    let rows = repo::page(session, (org, kind), page).await?;
    session.look(kind.reading().of_list(rows.len()));
    Ok(rows)
}

/// How many there are.
pub(crate) async fn count(session: &Session, kind: Kind) -> Result<i64, StoreError> {
    match session.caller().org {
        Some(org) => repo::count(session, org, kind).await,
        None => Ok(0),
    }
}

/// Makes a machine, for which the caller answers, and its secret; no secret when the same request was answered before.
pub(crate) async fn create(
    session: &Session,
    kind: Kind,
    wanted: Wanted,
    key: Option<String>,
) -> Result<(MachineRow, Option<Secret>), Error<MachineError>> {
    let caller = session.caller();
    let org = caller.require(&Permission::API_KEY_MANAGE)?;
    // What a machine makes would go on when it ends.
    let maker = caller.require_user()?;
    let new = check(session, kind, wanted)?;
    let key = key.map(IdempotencyKey::try_new).transpose().map_err(MachineError::from)?;
    let request = (new.name.as_str(), &new.scopes, &new.limits, &new.expires_at);
    let operation = match kind {
        Kind::ApiKey => "accounts.createApiKey",
        Kind::ServiceAccount => "accounts.createServiceAccount",
    };
    let mut write = match session.write_once(operation, key.as_ref(), &request).await? {
        Begun::New(write) => write,
        Begun::Repeated(response) => {
            let id: MachineId = serde_json::from_value(response["id"].clone()).map_err(Error::internal)?;
            let row = repo::find_many(session, org, (kind, &[id])).await?.pop();
            return Ok((row.ok_or(MachineError::NotFound(id))?, None));
        }
    };
    let id = MachineId::new(write.now());
    let secret = MachineSecret::new(kind.secret(), id);
    let row = repo::insert_in_tx(&mut write, (org, id, maker), &new).await?.ok_or(MachineError::TooMany)?;
    repo::insert_secret_in_tx(&mut write, (org, id), secret.hash()).await?;
    write.event(event(EventKind::Created, &row, None, vec![]));
    write.commit_with(fact(Done::Create, &row), &json!({ "id": id })).await?;
    Ok((row, Some(secret.text().clone())))
}

fn check(session: &Session, kind: Kind, wanted: Wanted) -> Result<NewMachine, MachineError> {
    let Wanted { name, scopes, limits, expires_at } = wanted;
    if expires_at.is_some_and(|end| end <= session.store().clock().now()) {
        return Err(MachineError::Expired);
    }
    Ok(NewMachine {
        kind,
        name: Name::try_new(&name)?,
        scopes: limits::scopes(session.caller(), &scopes)?,
        limits: Limits {
            operations: limits::operations(&limits.operations)?,
            client: limits::client(limits.client)?,
            networks: limits::networks(&limits.networks)?,
            requests_per_minute: limits::at_least_one(limits.requests_per_minute, "requestsPerMinute")?,
            cost_per_minute: limits::at_least_one(limits.cost_per_minute, "costPerMinute")?,
        },
        expires_at,
    })
}

/// Gives it a new secret. The old one is good for `overlap` seconds more. Whoever gets the secret must have all that it is
/// good for.
pub(crate) async fn rotate(
    session: &Session,
    key: (Kind, MachineId),
    overlap: i32,
) -> Result<(MachineRow, Secret), Error<MachineError>> {
    let caller = session.caller();
    let org = caller.require(&Permission::API_KEY_MANAGE)?;
    if !(0..=MAX_OVERLAP).contains(&overlap) {
        return Err(MachineError::Overlap.into());
    }
    let (kind, id) = key;
    let mut write = session.write().await?;
    let old = repo::lock_in_tx(&mut write, org, key).await?.ok_or(MachineError::NotFound(id))?;
    require_good(&old)?;
    limits::scopes(caller, &old.scopes)?;
    let holds = access::require_to_hold_in_tx(&mut write, (org, caller), id).await;
    holds.map_err(|error| error.map_client(MachineError::from))?;
    let good_until = (overlap > 0).then(|| write.now() + TimeDelta::seconds(overlap.into()));
    repo::retire_secrets_in_tx(&mut write, (org, id), good_until).await?;
    let secret = MachineSecret::new(kind.secret(), id);
    repo::insert_secret_in_tx(&mut write, (org, id), secret.hash()).await?;
    // Gateways have to learn when the old key ends; access tokens of an account are of no secret, unless that has leaked.
    let ends_now = kind == Kind::ApiKey || overlap == 0;
    let new = MachineRow { terms: old.terms + i64::from(ends_now), ..old.clone() };
    let row = repo::update_in_tx(&mut write, org, (&new, caller.actor())).await?;
    write.event(event(EventKind::Updated, &row, Some(&old), vec!["secret"]));
    write.commit(fact(Done::Rotate, &row)).await?;
    Ok((row, secret.text().clone()))
}

/// Ends it for good, and with it everything that stands on it.
pub(crate) async fn revoke(
    session: &Session,
    key: (Kind, MachineId),
) -> Result<MachineRow, Error<MachineError>> {
    let caller = session.caller();
    let org = caller.require(&Permission::API_KEY_MANAGE)?;
    let id = key.1;
    let mut write = session.write().await?;
    let old = repo::lock_in_tx(&mut write, org, key).await?.ok_or(MachineError::NotFound(id))?;
    if old.revoked_at.is_some() {
        return Ok(old);
    }
    repo::retire_secrets_in_tx(&mut write, (org, id), None).await?;
    let new = MachineRow { revoked_at: Some(write.now()), ..old.clone() };
    let row = repo::update_in_tx(&mut write, org, (&new, caller.actor())).await?;
    write.event(event(EventKind::Deleted, &row, Some(&old), vec![]));
    write.commit(fact(Done::Revoke, &row)).await?;
    Ok(row)
}

fn require_good(row: &MachineRow) -> Result<(), MachineError> {
    if row.revoked_at.is_some() { Err(MachineError::Revoked) } else { Ok(()) }
}

fn fact(done: Done, row: &MachineRow) -> AuditFact {
    let (key, version) = (Some(row.id.uuid()), Some(row.version));
    AuditFact { action: row.kind.action(done), subject: SUBJECT, key, version, items: 1 }
}

/// Gateways learn by `terms` whether what they know of it is still true.
fn event(kind: EventKind, row: &MachineRow, old: Option<&MachineRow>, changed: Vec<&'static str>) -> Event {
    let before = old.filter(|old| old.terms != row.terms);
    Event {
        kind,
        subject: SUBJECT,
        key: row.id.uuid(),
        version: row.version,
        changed,
        attributes: json!({ "kind": row.kind, "maker": row.maker, "terms": row.terms }),
        before: before.map_or(Value::Null, |old| json!({ "terms": old.terms })),
    }
}
