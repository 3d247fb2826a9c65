//! What was done in the organization, as the audit keeps it; and what is stored about persons, which is looked up by the same
//! people. Looking is itself something that is done: it is audited.

mod entity;
mod error;
pub(crate) mod repo;

use pulse_graphql::{Error, Page};
use pulse_privacy::Entry;
use pulse_store::{AuditFact, Session, StoreError};
use pulse_types::{AUDIT, Permission};

pub(crate) use entity::AuditRow;
pub(crate) use error::AuditError;
pub(crate) use repo::AuditList;

/// A page of what was done, the newest first.
pub(crate) async fn page(
    session: &Session,
    list: &AuditList,
    page: &Page,
) -> Result<Vec<AuditRow>, Error<AuditError>> {
    session.caller().require(&Permission::AUDIT_READ)?;
    list.check()?;
    looked(session, "audit:read").await?;
    repo::page(session, list, page).await
}

/// How many facts there are.
pub(crate) async fn count(session: &Session, list: &AuditList) -> Result<i64, StoreError> {
    repo::count(session, list).await
}

/// What is stored about persons, and where.
pub(crate) async fn inventory(session: &Session) -> Result<Vec<Entry>, Error> {
    session.caller().require(&Permission::AUDIT_READ)?;
    looked(session, "privacy:inventory").await?;
    Ok(pulse_privacy::inventory(session.store()).await?)
}

async fn looked(session: &Session, action: &'static str) -> Result<(), StoreError> {
    let fact = AuditFact { action, subject: AUDIT, key: None, version: None, items: 1 };
    session.write().await?.commit(fact).await
}
