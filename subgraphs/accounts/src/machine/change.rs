//! Changing what a machine may do.

use async_graphql::MaybeUndefined;
use chrono::{DateTime, Utc};
use pulse_graphql::Error;
use pulse_store::{EventKind, Session};
use pulse_types::{Caller, MachineId, Permission};

use super::entity::{Done, Kind, MachineRow};
use super::{MachineError, event, fact, limits, repo, require_good};
use crate::name::Name;

/// What is to change of a machine; what is not given stays, and null takes away.
#[derive(Debug, Clone, Default)]
pub(crate) struct MachineChange {
    pub(crate) name: Option<String>,
    pub(crate) scopes: Option<Vec<String>>,
    pub(crate) operations: Option<Vec<String>>,
    pub(crate) client: MaybeUndefined<String>,
    pub(crate) networks: Option<Vec<String>>,
    pub(crate) requests_per_minute: MaybeUndefined<i32>,
    pub(crate) cost_per_minute: MaybeUndefined<i32>,
    pub(crate) expires_at: MaybeUndefined<DateTime<Utc>>,
    pub(crate) enabled: Option<bool>,
    /// Whether the caller answers for it from now on.
    pub(crate) take_over: bool,
    pub(crate) expected_version: Option<i64>,
}

/// Changes a machine. What is the same already changes nothing. Whoever changes more than its name, or switches it on, must
/// have all that it may do.
pub(crate) async fn update(
    session: &Session,
    key: (Kind, MachineId),
    change: MachineChange,
) -> Result<MachineRow, Error<MachineError>> {
    let caller = session.caller();
    let org = caller.require(&Permission::API_KEY_MANAGE)?;
    let taker = change.take_over.then(|| caller.require_user()).transpose()?;
    let mut write = session.write().await?;
    let old = repo::lock_in_tx(&mut write, org, key).await?.ok_or(MachineError::NotFound(key.1))?;
    if let Some(expected) = change.expected_version.filter(|expected| *expected != old.version) {
        return Err(MachineError::VersionMismatch { expected, actual: old.version }.into());
    }
    require_good(&old)?;
    let new = MachineRow { maker: taker.unwrap_or(old.maker), ..changed(caller, &old, change, write.now())? };
    let only_named = MachineRow { name: new.name.clone(), ..old.clone() };
    if new == old {
        return Ok(old);
    }
    let means_more = new != only_named;
    if means_more && new != (MachineRow { enabled: false, ..only_named }) {
        limits::scopes(caller, &new.scopes)?;
    }
    let new = MachineRow { terms: old.terms + i64::from(means_more), ..new };
    let row = repo::update_in_tx(&mut write, org, (&new, caller.actor())).await?;
    write.event(event(EventKind::Updated, &row, Some(&old), fields(&old, &row)));
    write.commit(fact(Done::Update, &row)).await?;
    Ok(row)
}

/// The row with what is to change.
fn changed(
    caller: &Caller,
    old: &MachineRow,
    change: MachineChange,
    now: DateTime<Utc>,
) -> Result<MachineRow, MachineError> {
    let MachineChange {
        name,
        scopes,
        operations,
        client,
        networks,
        requests_per_minute,
        cost_per_minute,
        ..
    } = change;
    let mut new = old.clone();
    if let Some(name) = name {
        Name::try_new(&name)?.as_str().clone_into(&mut new.name);
    }
    if let Some(scopes) = scopes {
        new.scopes = limits::scopes(caller, &scopes)?;
    }
    if let Some(operations) = operations {
        new.operations = limits::operations(&operations)?;
    }
    if !client.is_undefined() {
        new.client = limits::client(client.take())?;
    }
    if let Some(networks) = networks {
        new.networks = limits::networks(&networks)?;
    }
    if !requests_per_minute.is_undefined() {
        new.requests_per_minute = limits::at_least_one(requests_per_minute.take(), "requestsPerMinute")?;
    }
    if !cost_per_minute.is_undefined() {
        new.cost_per_minute = limits::at_least_one(cost_per_minute.take(), "costPerMinute")?;
    }
    if !change.expires_at.is_undefined() {
        let end = change.expires_at.take();
        if end.is_some_and(|end| end <= now) {
            return Err(MachineError::Expired);
        }
        new.expires_at = end;
    }
    new.enabled = change.enabled.unwrap_or(old.enabled);
    Ok(new)
}

fn fields(old: &MachineRow, new: &MachineRow) -> Vec<&'static str> {
    let fields = [
        (old.name != new.name, "name"),
        (old.maker != new.maker, "maker"),
        (old.scopes != new.scopes, "scopes"),
        (old.operations != new.operations, "operations"),
        (old.client != new.client, "client"),
        (old.networks != new.networks, "networks"),
        (old.requests_per_minute != new.requests_per_minute, "requestsPerMinute"),
        (old.cost_per_minute != new.cost_per_minute, "costPerMinute"),
        (old.enabled != new.enabled, "enabled"),
        (old.expires_at != new.expires_at, "expiresAt"),
    ];
    fields.into_iter().filter_map(|(differs, field)| differs.then_some(field)).collect()
}
