//! Features that are on for some of a tenant's people.

mod error;
mod evaluate;
mod repo;

use std::collections::HashMap;

use pulse_graphql::Error;
use pulse_store::{
    AuditFact, Begun, CachedRead, Event, EventKind, IdempotencyKey, Scope, Session, Space, StoreError,
    Tagging,
};
use pulse_types::{FeatureFlagId, OrgId, Permission, Role, Tag, UnitId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::types::Json;

pub(crate) use error::FlagError;
pub(crate) use evaluate::{Reason, Rule};
pub(crate) use repo::FlagRow;

use self::evaluate::{Asker, Flag, evaluate};
use crate::{membership, unit};

const SUBJECT: &str = "accounts.feature_flag";

/// How many a tenant has.
const MAX_FLAGS: i64 = 200;

/// How many rules one has.
const MAX_RULES: usize = 20;

/// How many of each kind a rule names.
const MAX_LISTED: usize = 100;

/// Whether a feature is on for who asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Evaluated {
    pub(crate) key: String,
    pub(crate) is_on: bool,
    pub(crate) reason: Reason,
}

/// What a feature is to be.
#[derive(Debug, Serialize)]
pub(crate) struct NewFlag {
    pub(crate) key: String,
    pub(crate) description: String,
    pub(crate) is_on: bool,
    pub(crate) by_default: bool,
    pub(crate) rules: Vec<Rule>,
}

/// What is to change of one; `None` stays.
#[derive(Debug)]
pub(crate) struct FlagChange {
    pub(crate) description: Option<String>,
    pub(crate) is_on: Option<bool>,
    pub(crate) by_default: Option<bool>,
    pub(crate) rules: Option<Vec<Rule>>,
}

/// What each feature is for a caller, until a feature, its membership or its units change.
static EVALUATED: CachedRead<OrgId, Vec<Evaluated>> = CachedRead {
    space: Space::new("accounts.flags_of_caller", 1).within_process(),
    scope: Scope::Caller,
    tagging: Tagging::Collected,
    load: |session, orgs| {
        Box::pin(async move {
            let mut found = HashMap::new();
            for org in orgs {
                found.insert(org, read(session, org).await?);
            }
            Ok(found)
        })
    },
};

/// All features of the tenant by key, for those who decide about them.
pub(crate) async fn all(session: &Session) -> Result<Vec<FlagRow>, Error> {
    let org = session.caller().require(&Permission::SETTINGS_MANAGE)?;
    session.tag(|| Tag::list(SUBJECT));
    Ok(repo::all(session, org).await?)
}

/// What each feature of the tenant is for the caller, by key.
pub(crate) async fn evaluated(session: &Session) -> Result<Vec<Evaluated>, Error> {
    let org = session.caller().require(&Permission::ORGANIZATION_READ)?;
    Ok(session.read_through(&EVALUATED, vec![org]).await?.remove(&org).unwrap_or_default())
}

async fn read(session: &Session, org: OrgId) -> Result<Vec<Evaluated>, StoreError> {
    let asker = session.caller().actor();
    session.tag(|| Tag::list(SUBJECT));
    if let Some(id) = asker {
        session.tag_all([
            Tag::row(membership::SUBJECT, id.uuid()),
            Tag::row(unit::MEMBER, id.uuid()),
            Tag::list(unit::SUBJECT),
        ]);
    }
    let rows = repo::asked(session, org, asker).await?;
    let evaluated = rows.into_iter().map(|row| {
        let role: Option<Role> = row.role.and_then(|role| role.parse().ok());
        let units = row.units.into_iter().map(UnitId::from_uuid).collect();
        let FlagRow { id, key, is_on, by_default, rules, .. } = row.flag;
        let flag = Flag { id: id.uuid(), is_on, by_default, rules: &rules.0 };
        let (is_on, reason) = evaluate(&flag, &Asker { id: asker, role, units });
        Evaluated { key, is_on, reason }
    });
    Ok(evaluated.collect())
}

/// Makes a feature.
pub(crate) async fn create(
    session: &Session,
    new: NewFlag,
    key: Option<String>,
) -> Result<FlagRow, Error<FlagError>> {
    let org = session.caller().require(&Permission::SETTINGS_MANAGE)?;
    check_key(&new.key)?;
    check_description(&new.description)?;
    check_rules(&new.rules)?;
    let key = key.map(IdempotencyKey::try_new).transpose().map_err(FlagError::from)?;
    let mut write = match session.write_once("accounts.createFeatureFlag", key.as_ref(), &new).await? {
        Begun::New(write) => write,
        Begun::Repeated(response) => {
            let id = serde_json::from_value(response["id"].clone()).map_err(Error::internal)?;
            return Ok(repo::by_id(session, org, id).await?.ok_or(FlagError::NotFound)?);
        }
    };
    // Of two at once, one is the last that there may be.
    membership::lock_in_tx(&mut write, org).await?;
    let NewFlag { key, description, is_on, by_default, rules } = new;
    let now = write.now();
    let row = FlagRow {
        id: FeatureFlagId::new(now),
        key,
        description,
        is_on,
        by_default,
        rules: Json(rules),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    match repo::insert_in_tx(&mut write, org, &row, MAX_FLAGS).await {
        Err(error) if error.is_duplicate_of("feature_flags_key") => return Err(FlagError::Taken.into()),
        Ok(false) => return Err(FlagError::TooMany.into()),
        inserted => inserted?,
    };
    write.event(event(EventKind::Created, &row, vec![]));
    write.commit_with(fact("feature_flag:create", &row), &json!({ "id": row.id })).await?;
    Ok(row)
}

/// Changes a feature.
pub(crate) async fn update(
    session: &Session,
    (id, expected): (FeatureFlagId, Option<i64>),
    change: FlagChange,
) -> Result<FlagRow, Error<FlagError>> {
    let org = session.caller().require(&Permission::SETTINGS_MANAGE)?;
    change.description.as_deref().map_or(Ok(()), check_description)?;
    change.rules.as_deref().map_or(Ok(()), check_rules)?;
    let mut write = session.write().await?;
    let mut row = repo::lock_in_tx(&mut write, (org, id)).await?.ok_or(FlagError::NotFound)?;
    if expected.is_some_and(|expected| expected != row.version) {
        return Err(FlagError::Outdated(row.version).into());
    }
    let FlagChange { description, is_on, by_default, rules } = change;
    let changed = [
        put(&mut row.description, description).then_some("description"),
        put(&mut row.is_on, is_on).then_some("isOn"),
        put(&mut row.by_default, by_default).then_some("default"),
        put(&mut row.rules.0, rules).then_some("rules"),
    ];
    let changed: Vec<_> = changed.into_iter().flatten().collect();
    if changed.is_empty() {
        return Ok(row);
    }
    repo::keep_in_tx(&mut write, (org, id), session.caller().actor()).await?;
    let row = repo::update_in_tx(&mut write, org, &row).await?;
    write.event(event(EventKind::Updated, &row, changed));
    write.commit(fact("feature_flag:update", &row)).await?;
    Ok(row)
}

/// Deletes a feature: it is off for everybody, as one that never was.
pub(crate) async fn delete(session: &Session, id: FeatureFlagId) -> Result<(), Error<FlagError>> {
    let org = session.caller().require(&Permission::SETTINGS_MANAGE)?;
    let mut write = session.write().await?;
    let row = repo::lock_in_tx(&mut write, (org, id)).await?.ok_or(FlagError::NotFound)?;
    repo::keep_in_tx(&mut write, (org, id), session.caller().actor()).await?;
    repo::delete_in_tx(&mut write, (org, id)).await?;
    let row = FlagRow { version: row.version + 1, ..row };
    write.event(event(EventKind::Deleted, &row, vec![]));
    write.commit(fact("feature_flag:delete", &row)).await?;
    Ok(())
}

fn check_key(key: &str) -> Result<(), FlagError> {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
    let begins = key.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
    if begins && key.len() <= 64 && key.bytes().all(is_plain) { Ok(()) } else { Err(FlagError::Key) }
}

fn check_description(text: &str) -> Result<(), FlagError> {
    if text.chars().count() <= 500 { Ok(()) } else { Err(FlagError::Description) }
}

fn check_rules(rules: &[Rule]) -> Result<(), FlagError> {
    if rules.len() > MAX_RULES {
        return Err(FlagError::Rules);
    }
    for Rule { roles, units, users, percentage, on: _ } in rules {
        if roles.len().max(units.len()).max(users.len()) > MAX_LISTED {
            return Err(FlagError::Listed);
        }
        if percentage.is_some_and(|share| share > 100) {
            return Err(FlagError::Percentage);
        }
    }
    Ok(())
}

fn put<T: PartialEq>(into: &mut T, given: Option<T>) -> bool {
    match given {
        Some(value) if value != *into => {
            *into = value;
            true
        }
        _ => false,
    }
}

const fn fact(action: &'static str, row: &FlagRow) -> AuditFact {
    AuditFact { action, subject: SUBJECT, key: Some(row.id.uuid()), version: Some(row.version), items: 1 }
}

fn event(kind: EventKind, row: &FlagRow, changed: Vec<&'static str>) -> Event {
    let (key, version) = (row.id.uuid(), row.version);
    Event {
        kind,
        subject: SUBJECT,
        key,
        version,
        changed,
        attributes: json!({ "key": row.key }),
        before: json!(null),
    }
}
