//! Usage: which operations use what, how often, and whose they are. Coordinates, never documents or values.

mod entity;
mod error;
pub(crate) mod repo;

use chrono::TimeDelta;
use pulse_graphql::Error;
use pulse_store::{AuditFact, Session, StoreError, Write};
use pulse_types::{OrgId, Permission};

pub(crate) use entity::{OperationKind, Reported, UseRow};
pub(crate) use error::UsageError;

use crate::rules::Rules;
use crate::target::check_environment;

/// What the audit says usage is.
const SUBJECT: &str = "registry.usage";

/// A report has at most so many operations,
const MOST_OPERATIONS: usize = 500;

/// and so many coordinates in all.
const MOST_COORDINATES: usize = 20_000;

/// What was longer ago is not recorded any more.
const OLDEST: TimeDelta = TimeDelta::days(31);

/// What came of a report.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Recorded {
    pub(crate) recorded: usize,
    /// There are too many different operations already.
    pub(crate) left_out: usize,
}

/// Adds what was reported to what is known.
pub(crate) async fn report(
    session: &Session,
    environment: &str,
    reported: &[Reported],
) -> Result<Recorded, Error<UsageError>> {
    let org = session.caller().require(&Permission::SCHEMA_REPORT)?;
    check_environment(environment).map_err(UsageError::from)?;
    check(reported, session.store().clock().now().date_naive())?;
    let mut write = session.write().await?;
    let ids = repo::operations_in_tx(&mut write, org, environment, reported).await?;
    let recorded: Vec<_> = ids.into_iter().zip(reported).filter_map(|(id, one)| Some((id?, one))).collect();
    repo::record_in_tx(&mut write, org, environment, &recorded).await?;
    let items = i32::try_from(recorded.len()).unwrap_or(i32::MAX);
    let action = "schema:report_usage";
    write.commit(AuditFact { action, subject: SUBJECT, key: None, version: None, items }).await?;
    Ok(Recorded { recorded: recorded.len(), left_out: reported.len() - recorded.len() })
}

/// Writes down that a manifest has these operations: they count as used for as long as it is there. Whether there was room for
/// all of them.
pub(crate) async fn declare_in_tx(
    write: &mut Write,
    org: OrgId,
    environment: &str,
    declared: &[Reported],
) -> Result<bool, StoreError> {
    for some in declared.chunks(MOST_OPERATIONS) {
        let ids = repo::operations_in_tx(write, org, environment, some).await?;
        let Some(ids) = ids.into_iter().collect::<Option<Vec<_>>>() else { return Ok(false) };
        let known: Vec<_> = ids.into_iter().zip(some).collect();
        repo::declare_in_tx(write, org, environment, &known).await?;
    }
    Ok(true)
}

/// Who used a coordinate within so many days, those who did most first.
pub(crate) async fn of_coordinate(
    session: &Session,
    environment: &str,
    coordinate: String,
    days: i32,
) -> Result<Vec<UseRow>, Error<UsageError>> {
    session.caller().require(&Permission::SCHEMA_READ)?;
    check_environment(environment).map_err(UsageError::from)?;
    if !(1..=365).contains(&days) {
        return Err(UsageError::Days.into());
    }
    let since = session.store().clock().now().date_naive() - TimeDelta::days(days.into());
    let scope = (environment, since);
    let users = repo::users_of(session, scope, &[coordinate]).await?;
    let operations: Vec<_> = users.into_iter().map(|(_, operation)| operation).collect();
    let mut senders = repo::uses(session, scope, &operations, &Rules::default()).await?;
    senders.sort_by(|a, b| (b.requests, &a.name, &a.client_name).cmp(&(a.requests, &b.name, &b.client_name)));
    Ok(senders)
}

fn check(reported: &[Reported], today: chrono::NaiveDate) -> Result<(), UsageError> {
    let coordinates: usize = reported.iter().map(|one| one.coordinates.len()).sum();
    for (what, given, most) in [
        ("operations", reported.len(), MOST_OPERATIONS),
        ("coordinates in all", coordinates, MOST_COORDINATES),
    ] {
        if !(1..=most).contains(&given) {
            return Err(UsageError::Size { what, given, most });
        }
    }
    for (place, one) in reported.iter().enumerate() {
        let is_hex = |letter: u8| letter.is_ascii_digit() || (b'a'..=b'f').contains(&letter);
        if one.signature.len() != 64 || !one.signature.bytes().all(is_hex) {
            return Err(UsageError::Signature(place));
        }
        let longest = one.coordinates.iter().map(|name| name.chars().count()).max().unwrap_or_default();
        for (argument, length, max) in [
            ("name", one.name.chars().count(), 200),
            ("clientName", one.client_name.chars().count(), 200),
            ("clientVersion", one.client_version.chars().count(), 100),
            ("coordinates", longest, 300),
        ] {
            if length > max {
                return Err(UsageError::TextLength { place, argument, max });
            }
        }
        if !(1..=1_000_000_000).contains(&one.requests) || !(0..=one.requests).contains(&one.errors) {
            return Err(UsageError::Count(place));
        }
        if one.day > today + TimeDelta::days(1) || one.day < today - OLDEST {
            return Err(UsageError::Day(OLDEST.num_days(), place));
        }
    }
    Ok(())
}
