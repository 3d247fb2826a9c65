//! What was done in the organization, as the audit keeps it; and what is stored about persons, which is looked up by the same
//! people. Looking is itself something that is done: it is audited.

mod entity;
mod error;
pub(crate) mod export;
pub(crate) mod repo;

use pulse_graphql::{Error, Page};
use pulse_privacy::Entry;
use pulse_store::{Reading, Session, StoreError};
use pulse_types::{AUDIT, Permission};

pub(crate) use entity::AuditRow;
pub(crate) use error::AuditError;
pub(crate) use repo::AuditList;

/// That the audit was read.
pub(crate) const READ: Reading = Reading { action: "audit:read", again: "audit:read_again", subject: AUDIT };

/// That it was read what is stored about persons.
const INVENTORY: Reading =
    Reading { action: "privacy:inventory", again: "privacy:inventory_again", subject: AUDIT };

/// A page of what was done, the newest first.
pub(crate) async fn page(
    session: &Session,
    list: &AuditList,
    page: &Page,
) -> Result<Vec<AuditRow>, Error<AuditError>> {
    session.caller().require(&Permission::AUDIT_READ)?;
    list.check()?;
    let rows = repo::page(session, list, page).await?;
    session.look(READ.of_list(rows.len()));
    Ok(rows)
}

/// How many facts there are.
pub(crate) async fn count(session: &Session, list: &AuditList) -> Result<i64, StoreError> {
    repo::count(session, list).await
}

/// What is stored about persons, and where.
pub(crate) async fn inventory(session: &Session) -> Result<Vec<Entry>, Error> {
    session.caller().require(&Permission::AUDIT_READ)?;
    session.look(INVENTORY.of_list(1));
    Ok(pulse_privacy::inventory(session.store()).await?)
}
