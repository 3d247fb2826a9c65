//! Statements about the audit. The database shows a tenant its own.

use chrono::{DateTime, Utc};
use pulse_graphql::{Error, Page};
use pulse_store::{Session, StoreError};
use pulse_types::{AUDIT, Tag, UserId};
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::{AuditError, AuditRow};

/// Which facts.
#[derive(Debug, Clone, Default)]
pub(crate) struct AuditList {
    pub(crate) actor: Option<UserId>,
    pub(crate) action: Option<String>,
    pub(crate) subject: Option<String>,
    pub(crate) key: Option<Uuid>,
    pub(crate) from: Option<DateTime<Utc>>,
    pub(crate) to: Option<DateTime<Utc>>,
}

impl AuditList {
    pub(super) fn check(&self) -> Result<(), AuditError> {
        for (field, text) in [("action", &self.action), ("subject", &self.subject)] {
            match text.as_ref().map_or(1, |text| text.chars().count()) {
                1..=100 => {}
                length => return Err(AuditError::Length(field, length)),
            }
        }
        match (self.from, self.to) {
            (Some(from), Some(to)) if from >= to => Err(AuditError::Times),
            _ => Ok(()),
        }
    }
}

pub(super) async fn page(
    session: &Session,
    list: &AuditList,
    page: &Page,
) -> Result<Vec<AuditRow>, Error<AuditError>> {
    session.tag(|| Tag::list(AUDIT));
    Ok(session.fetch_all("audit.page", page_query("", list, page)?.build_query_as()).await?)
}

/// The statement of [`page`], after `verb`: nothing, or `EXPLAIN `.
pub(crate) fn page_query(
    verb: &str,
    list: &AuditList,
    page: &Page,
) -> Result<QueryBuilder<Postgres>, AuditError> {
    let mut query = QueryBuilder::new(verb);
    query.push(
        "SELECT id, at, actor, action, subject, key, version, items, request, address FROM platform.audit WHERE true",
    );
    push_conditions(&mut query, list);
    if let Some(cursor) = &page.from {
        let (id,) = cursor.values::<(Uuid,)>()?;
        query.push(if page.backwards { " AND id > " } else { " AND id < " }).push_bind(id);
    }
    query.push(if page.backwards { " ORDER BY id LIMIT " } else { " ORDER BY id DESC LIMIT " });
    query.push_bind(page.limit());
    Ok(query)
}

pub(super) async fn count(session: &Session, list: &AuditList) -> Result<i64, StoreError> {
    session.tag(|| Tag::list(AUDIT));
    let mut query = QueryBuilder::new("SELECT count(*) FROM platform.audit WHERE true");
    push_conditions(&mut query, list);
    let (count,): (i64,) = session.fetch_one("audit.count", query.build_query_as()).await?;
    Ok(count)
}

/// Facts have ids of the time that they were written at, to the millisecond.
fn push_conditions(query: &mut QueryBuilder<Postgres>, list: &AuditList) {
    let AuditList { actor, action, subject, key, from, to } = list;
    if let Some(actor) = actor {
        query.push(" AND actor = ").push_bind(*actor);
    }
    if let Some(action) = action {
        query.push(" AND action = ").push_bind(action.clone());
    }
    if let Some(subject) = subject {
        query.push(" AND subject = ").push_bind(subject.clone());
    }
    if let Some(key) = key {
        query.push(" AND key = ").push_bind(*key);
    }
    if let Some(from) = from {
        query.push(" AND id >= ").push_bind(least(*from));
    }
    if let Some(to) = to {
        query.push(" AND id < ").push_bind(least(*to));
    }
}

/// The least UUIDv7 of a time.
fn least(at: DateTime<Utc>) -> Uuid {
    let milliseconds = u128::try_from(at.timestamp_millis()).unwrap_or(0);
    Uuid::from_u128((milliseconds & 0xffff_ffff_ffff) << 80)
}
