//! What a person prefers, in whatever tenant it acts: what all clients share, and what each client keeps for itself.

mod entity;
mod error;
mod patch;
mod repo;

use std::collections::BTreeMap;

use async_graphql::MaybeUndefined;
use pulse_graphql::Error;
use pulse_store::{AuditFact, Event, EventKind, Session, Write};
use pulse_types::{Tag, UserId};
use serde_json::{Map, Value, json};

pub(crate) use entity::{Channel, PreferencesRow, Shared};
pub(crate) use error::PreferencesError;

use crate::settings::{self, Theme};

pub(crate) const SUBJECT: &str = "accounts.preferences";

/// How many namespaces a person has, beside the one that all clients share.
const MAX_NAMESPACES: i64 = 32;

/// How much JSON a namespace holds.
const MAX_BYTES: usize = 16 * 1024;

/// Of how many kinds somebody says how to be notified.
const MAX_KINDS: usize = 50;

/// The namespace that all clients share.
const SHARED: &str = "";

/// What to change of what all clients share: what is undefined stays, what is null is left to where the person acts.
pub(crate) struct SharedChange {
    pub(crate) locale: MaybeUndefined<String>,
    pub(crate) time_zone: MaybeUndefined<String>,
    pub(crate) theme: MaybeUndefined<Theme>,
    pub(crate) reduced_motion: MaybeUndefined<bool>,
    /// All kinds of which something is said, in the place of those of before.
    pub(crate) notifications: MaybeUndefined<BTreeMap<String, Vec<Channel>>>,
}

/// All that the caller prefers: what all clients share with its version, and the namespaces of clients.
pub(crate) async fn own(session: &Session) -> Result<((Shared, i64), Vec<PreferencesRow>), Error> {
    let user = session.caller().require_user()?;
    session.tag(|| Tag::list(SUBJECT).with("user", user.to_string()));
    let mut rows = repo::all(session, user).await?;
    let shared = rows.iter().position(|row| row.namespace == SHARED).map(|at| rows.remove(at));
    let shared = match shared {
        Some(row) => (parse(&row)?, row.version),
        None => (Shared::default(), 0),
    };
    Ok((shared, rows))
}

/// Changes what all clients share.
pub(crate) async fn update(
    session: &Session,
    expected: Option<i64>,
    change: SharedChange,
) -> Result<(Shared, i64), Error<PreferencesError>> {
    let user = session.caller().require_user()?;
    let SharedChange { locale, time_zone, theme, reduced_motion, notifications } = change;
    let (mut write, row) = begin(session, user, (SHARED, expected)).await?;
    let before: Shared = parse(&row)?;
    let mut shared = before.clone();
    let locale = checked(locale, |text| settings::locale(&text).ok_or(PreferencesError::Locale))?;
    let zone = checked(time_zone, |text| settings::time_zone(&text).ok_or(PreferencesError::TimeZone))?;
    put(&mut shared.locale, locale);
    put(&mut shared.time_zone, zone);
    put(&mut shared.theme, theme);
    put(&mut shared.reduced_motion, reduced_motion);
    match notifications {
        MaybeUndefined::Undefined => {}
        MaybeUndefined::Null => shared.notifications.clear(),
        MaybeUndefined::Value(kinds) => shared.notifications = check_kinds(kinds)?,
    }
    if shared == before {
        return Ok((before, row.version));
    }
    let value = serde_json::to_value(&shared).map_err(Error::internal)?;
    let row = repo::put_in_tx(&mut write, user, SHARED, value).await?;
    tell(&mut write, user, &row);
    write.commit(fact("preferences:update", user, Some(row.version))).await?;
    Ok((shared, row.version))
}

/// Merges a patch (RFC 7396) into a client's namespace.
pub(crate) async fn patch(
    session: &Session,
    (namespace, expected): (&str, Option<i64>),
    patch: Map<String, Value>,
) -> Result<PreferencesRow, Error<PreferencesError>> {
    let user = session.caller().require_user()?;
    check_name(namespace, "input.namespace")?;
    let patch = Value::Object(patch);
    if !patch::is_shallow(&patch) {
        return Err(PreferencesError::Depth.into());
    }
    let (mut write, row) = begin(session, user, (namespace, expected)).await?;
    if row.value.0 == json!({}) && repo::count_in_tx(&mut write, user).await? >= MAX_NAMESPACES {
        return Err(PreferencesError::Namespaces.into());
    }
    let mut value = row.value.0.clone();
    patch::merge(&mut value, patch);
    if value == row.value.0 && row.version > 0 {
        return Ok(row);
    }
    let size = value.to_string().len();
    if size > MAX_BYTES {
        return Err(PreferencesError::Size(size).into());
    }
    let row = repo::put_in_tx(&mut write, user, namespace, value).await?;
    tell(&mut write, user, &row);
    write.commit(fact("preferences:update", user, Some(row.version))).await?;
    Ok(row)
}

/// Forgets what a client keeps. Forgetting it twice is no error.
pub(crate) async fn clear(session: &Session, namespace: &str) -> Result<(), Error<PreferencesError>> {
    let user = session.caller().require_user()?;
    check_name(namespace, "input.namespace")?;
    let mut write = session.write().await?;
    if let Some(row) = repo::clear_in_tx(&mut write, user, namespace).await? {
        write.event_of_no_tenant(event(EventKind::Deleted, user, (namespace, row.version)));
        write.commit(fact("preferences:clear", user, Some(row.version))).await?;
    }
    Ok(())
}

async fn begin(
    session: &Session,
    user: UserId,
    (namespace, expected): (&str, Option<i64>),
) -> Result<(Write, PreferencesRow), Error<PreferencesError>> {
    let mut write = session.write().await?;
    let row = repo::lock_in_tx(&mut write, user, namespace).await?;
    if expected.is_some_and(|expected| expected != row.version) {
        return Err(PreferencesError::Outdated(row.version).into());
    }
    Ok((write, row))
}

/// What stands there was checked when it was written.
fn parse<E>(row: &PreferencesRow) -> Result<Shared, Error<E>> {
    serde_json::from_value(row.value.0.clone()).map_err(Error::internal)
}

fn check_kinds(
    kinds: BTreeMap<String, Vec<Channel>>,
) -> Result<BTreeMap<String, Vec<Channel>>, PreferencesError> {
    if kinds.len() > MAX_KINDS {
        return Err(PreferencesError::Kinds);
    }
    let mut checked = BTreeMap::new();
    for (kind, mut channels) in kinds {
        check_name(&kind, "input.notifications")?;
        channels.sort_unstable();
        channels.dedup();
        checked.insert(kind, channels);
    }
    Ok(checked)
}

fn check_name(name: &str, field: &'static str) -> Result<(), PreferencesError> {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
    let begins = name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
    if begins && name.len() <= 64 && name.bytes().all(is_plain) {
        Ok(())
    } else {
        Err(PreferencesError::Name(field))
    }
}

fn checked<T, U>(
    given: MaybeUndefined<T>,
    check: impl FnOnce(T) -> Result<U, PreferencesError>,
) -> Result<MaybeUndefined<U>, PreferencesError> {
    Ok(match given {
        MaybeUndefined::Undefined => MaybeUndefined::Undefined,
        MaybeUndefined::Null => MaybeUndefined::Null,
        MaybeUndefined::Value(value) => MaybeUndefined::Value(check(value)?),
    })
}

fn put<T>(into: &mut Option<T>, given: MaybeUndefined<T>) {
    match given {
        MaybeUndefined::Undefined => {}
        MaybeUndefined::Null => *into = None,
        MaybeUndefined::Value(value) => *into = Some(value),
    }
}

const fn fact(action: &'static str, user: UserId, version: Option<i64>) -> AuditFact {
    AuditFact { action, subject: SUBJECT, key: Some(user.uuid()), version, items: 1 }
}

fn tell(write: &mut Write, user: UserId, row: &PreferencesRow) {
    let kind = if row.version == 1 { EventKind::Created } else { EventKind::Updated };
    write.event_of_no_tenant(event(kind, user, (&row.namespace, row.version)));
}

/// A person's own: told to that person alone.
fn event(kind: EventKind, user: UserId, (namespace, version): (&str, i64)) -> Event {
    Event {
        kind,
        subject: SUBJECT,
        key: user.uuid(),
        version,
        changed: vec![],
        attributes: json!({ "user": user, "namespace": namespace }),
        before: json!(null),
    }
}
