//! Consents: to what, in which version of its text, since when. What was withdrawn stays as proof.

mod entity;
mod error;
mod repo;

use pulse_graphql::{Error, Page, PageError};
use pulse_store::{AuditFact, Event, EventKind, Session, StoreError};
use pulse_types::{ConsentId, Tag, UserId};
use serde_json::json;

pub(crate) use entity::ConsentRow;
pub(crate) use error::ConsentError;

const SUBJECT: &str = "accounts.consent";

/// Writes down that the caller consents to a version of a text, in place of any other version. Consenting twice is once.
pub(crate) async fn give(
    session: &Session,
    purpose: &str,
    version: &str,
) -> Result<ConsentRow, Error<ConsentError>> {
    let user = session.caller().require_user()?;
    check(purpose)?;
    if !(1..=64).contains(&version.chars().count()) {
        return Err(ConsentError::Version.into());
    }
    let mut write = session.write().await?;
    if let Some(standing) = repo::standing_in_tx(&mut write, user, purpose).await? {
        if standing.version == version {
            return Ok(standing);
        }
        repo::withdraw_in_tx(&mut write, user, standing.id).await?;
        write.event_of_no_tenant(event(EventKind::Updated, user, standing.id));
    }
    let row = repo::insert_in_tx(&mut write, user, purpose, version).await;
    let row = match row {
        Err(error) if error.is_duplicate_of("consents_standing") => return Err(ConsentError::AtOnce.into()),
        row => row?,
    };
    write.event_of_no_tenant(event(EventKind::Created, user, row.id));
    write.commit(fact("consent:give", row.id)).await?;
    Ok(row)
}

/// Ends the caller's consent to something.
pub(crate) async fn withdraw(session: &Session, purpose: &str) -> Result<ConsentRow, Error<ConsentError>> {
    let user = session.caller().require_user()?;
    check(purpose)?;
    let mut write = session.write().await?;
    let standing = repo::standing_in_tx(&mut write, user, purpose).await?.ok_or(ConsentError::NotGiven)?;
    let row = repo::withdraw_in_tx(&mut write, user, standing.id).await?;
    write.event_of_no_tenant(event(EventKind::Updated, user, row.id));
    write.commit(fact("consent:withdraw", row.id)).await?;
    Ok(row)
}

/// A page of the caller's consents, in the order of giving.
pub(crate) async fn page(session: &Session, page: &Page) -> Result<Vec<ConsentRow>, Error<PageError>> {
    let user = session.caller().require_user()?;
    session.tag(|| Tag::list(SUBJECT).with("user", user.to_string()));
    repo::page(session, user, page).await
}

/// How many there are.
pub(crate) async fn count(session: &Session) -> Result<i64, StoreError> {
    let Some(user) = session.caller().user() else { return Ok(0) };
    session.tag(|| Tag::list(SUBJECT).with("user", user.to_string()));
    repo::count(session, user).await
}

fn check(purpose: &str) -> Result<(), ConsentError> {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
    if (1..=64).contains(&purpose.len()) && purpose.bytes().all(is_plain) {
        Ok(())
    } else {
        Err(ConsentError::Purpose)
    }
}

fn fact(action: &'static str, id: ConsentId) -> AuditFact {
    AuditFact { action, subject: SUBJECT, key: Some(id.uuid()), version: None, items: 1 }
}

/// A consent begins with version 1 and ends with 2.
fn event(kind: EventKind, user: UserId, id: ConsentId) -> Event {
    let (version, changed) = if kind == EventKind::Created { (1, vec![]) } else { (2, vec!["withdrawnAt"]) };
    let attributes = json!({ "user": user });
    Event { kind, subject: SUBJECT, key: id.uuid(), version, changed, attributes, before: json!(null) }
}
