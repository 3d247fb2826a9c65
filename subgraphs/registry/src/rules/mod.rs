//! How changes are judged in an environment: by use within which time, how much of it, by whom.

mod entity;
mod error;
pub(crate) mod repo;

use pulse_graphql::Error;
use pulse_store::{AuditFact, Event, EventKind, Session};
use pulse_types::{Permission, SchemaEnvironmentId};
use serde_json::json;

pub(crate) use entity::{Level, Rules, RulesRow, Style, rule};
pub(crate) use error::RulesError;

use crate::target::check_environment;
use crate::variant::repo::MOST_ENVIRONMENTS;

/// What events of rules are about.
pub(crate) const SUBJECT: &str = "registry.environment";

/// The rules of an environment, where they were ever set.
pub(crate) async fn get(session: &Session, environment: &str) -> Result<Option<RulesRow>, Error<RulesError>> {
    session.caller().require(&Permission::SCHEMA_READ)?;
    check_environment(environment).map_err(RulesError::from)?;
    Ok(repo::find(session, environment).await?)
}

/// Sets the rules of an environment.
pub(crate) async fn set(
    session: &Session,
    environment: &str,
    expected: Option<i64>,
    change: impl FnOnce(Rules) -> Rules,
) -> Result<RulesRow, Error<RulesError>> {
    let org = session.caller().require(&Permission::SCHEMA_MANAGE)?;
    check_environment(environment).map_err(RulesError::from)?;
    let mut write = session.write().await?;
    let old = repo::lock_in_tx(&mut write, environment).await?;
    let actual = old.as_ref().map_or(0, |row| row.version);
    if let Some(expected) = expected.filter(|expected| *expected != actual) {
        return Err(RulesError::VersionMismatch { expected, actual }.into());
    }
    if let Some(old) = &old {
        repo::keep_in_tx(&mut write, old.id, session.caller().actor()).await?;
    }
    let id = old.as_ref().map_or_else(|| SchemaEnvironmentId::new(write.now()), |row| row.id);
    let rules = change(old.map(Rules::from).unwrap_or_default());
    check(&rules)?;
    let row = repo::upsert_in_tx(&mut write, (org, id), environment, &rules, MOST_ENVIRONMENTS).await?;
    let row = row.ok_or(RulesError::TooMany(MOST_ENVIRONMENTS))?;
    let kind = if row.version == 1 { EventKind::Created } else { EventKind::Updated };
    write.event(Event {
        kind,
        subject: SUBJECT,
        key: row.id.uuid(),
        version: row.version,
        changed: vec!["rules"],
        attributes: json!({ "environment": environment }),
        before: json!(null),
    });
    let (key, version) = (Some(row.id.uuid()), Some(row.version));
    let action = "schema:set_rules";
    write.commit(AuditFact { action, subject: SUBJECT, key, version, items: 1 }).await?;
    Ok(row)
}

fn check(rules: &Rules) -> Result<(), RulesError> {
    let Rules { window_days, min_requests, min_share, excluded_clients, excluded_operations, style } = rules;
    if !(1..=365).contains(window_days) {
        return Err(RulesError::Range { argument: "windowDays", least: 1, most: 365 });
    }
    if !(1..=1_000_000_000).contains(min_requests) {
        return Err(RulesError::Range { argument: "minRequests", least: 1, most: 1_000_000_000 });
    }
    if !(0.0..=100.0).contains(min_share) {
        return Err(RulesError::Range { argument: "minSharePercent", least: 0, most: 100 });
    }
    let lists = [
        ("excludedClients", excluded_clients),
        ("excludedOperations", excluded_operations),
        ("lintIgnored", &style.ignore),
    ];
    for (argument, list) in lists {
        let is_good = |entry: &String| (1..=200).contains(&entry.chars().count());
        if list.len() > 100 || !list.iter().all(is_good) {
            return Err(RulesError::List(argument));
        }
    }
    match style.levels.keys().find(|name| rule(name).is_none()) {
        None => Ok(()),
        Some(unknown) => {
            let known = pulse_schema::LintRule::ALL.iter().map(|rule| rule.as_str()).collect();
            Err(RulesError::UnknownRule { given: unknown.chars().take(64).collect(), known })
        }
    }
}
