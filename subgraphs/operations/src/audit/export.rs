//! Exports of the audit: asked for here, written by a job (crates/audit).

use std::time::Duration;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use pulse_audit::{EXPORT, Format, Shown};
use pulse_graphql::Error;
use pulse_privacy::Link;
use pulse_sealing::Sealer;
use pulse_store::{AuditFact, Begun, IdempotencyKey, NewJob, Session, StoreError, Write};
use pulse_types::{AUDIT, AuditExportId, Permission, UserId};
use serde_json::json;
use sqlx::FromRow;
use sqlx::types::Json;

use super::{AuditError, READ};

/// How long a link to an export is good.
const LINK: TimeDelta = TimeDelta::minutes(15);

/// At most so many exports of one organization are under way.
const MOST: i64 = 3;

/// How far an export is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type, async_graphql::Enum)]
#[sqlx(type_name = "text", rename_all = "lowercase")]
#[graphql(name = "AuditExportStatus")]
pub(crate) enum ExportStatus {
    /// It is to be written, or is being written.
    Waiting,
    /// Its file is there until it expires.
    Completed,
    /// It was too large, its job was cancelled or has failed, or somebody whom it named was erased meanwhile.
    Failed,
}

/// A row of `platform.audit_exports`.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct ExportRow {
    pub(crate) id: AuditExportId,
    pub(crate) requester: Option<UserId>,
    pub(crate) from_at: DateTime<Utc>,
    pub(crate) to_at: DateTime<Utc>,
    pub(crate) status: ExportStatus,
    pub(crate) facts: Option<i64>,
    pub(crate) bytes: Option<i64>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) finished_at: Option<DateTime<Utc>>,
    pub(crate) expires_at: Option<DateTime<Utc>>,
}

macro_rules! columns {
    ($($status:tt)+) => {
        concat!(
            "id, requester, from_at, to_at, ",
            $($status)+,
            " AS status, facts, bytes, created_at, finished_at, expires_at"
        )
    };
}

/// One that nobody works on any more, since its job was cancelled or has failed, has failed.
macro_rules! status {
    () => {
        "CASE WHEN status = 'waiting' AND NOT EXISTS (
             SELECT FROM platform.jobs j
              WHERE j.tenant = org_id AND j.kind = 'platform.audit_export' AND j.unique_key = audit_exports.id::text
         ) THEN 'failed' ELSE status END"
    };
}

/// What is asked for.
#[derive(Debug, Clone)]
pub(crate) struct NewExport {
    pub(crate) from: DateTime<Utc>,
    pub(crate) to: DateTime<Utc>,
    pub(crate) shown: Shown,
    pub(crate) format: Format,
}

impl NewExport {
    fn check(&self, now: DateTime<Utc>) -> Result<(), AuditError> {
        for (field, text) in [("action", &self.shown.action), ("subject", &self.shown.subject)] {
            match text.as_ref().map_or(1, |text| text.chars().count()) {
                1..=100 => {}
                length => return Err(AuditError::Length(field, length)),
            }
        }
        if self.from >= self.to {
            return Err(AuditError::Range);
        }
        if self.to > now { Err(AuditError::Ahead) } else { Ok(()) }
    }
}

/// Has the audit of a range written to a file.
pub(crate) async fn begin(
    session: &Session,
    new: NewExport,
    key: Option<String>,
) -> Result<ExportRow, Error<AuditError>> {
    let org = session.caller().require(&Permission::AUDIT_READ)?;
    let now = session.store().clock().now();
    // Facts are in order by the millisecond.
    let new = NewExport { from: new.from.trunc_subsecs(3), to: new.to.trunc_subsecs(3), ..new };
    new.check(now)?;
    let key = key.map(IdempotencyKey::try_new).transpose().map_err(AuditError::from)?;
    let NewExport { from, to, shown, format } = &new;
    let request = (from, to, shown, format.as_str());
    let mut write = match session.write_once("operations.exportAuditEvents", key.as_ref(), &request).await? {
        Begun::New(write) => write,
        Begun::Repeated(response) => {
            let id = serde_json::from_value(response["id"].clone()).map_err(Error::internal)?;
            return Ok(find(session, id).await?.ok_or(AuditError::NoExport)?);
        }
    };
    if waiting_in_tx(&mut write).await? >= MOST {
        return Err(AuditError::TooMany(MOST).into());
    }
    let (id, now) = (AuditExportId::new(write.now()), write.now());
    let sql = concat!(
        "INSERT INTO platform.audit_exports (org_id, id, requester, format, filter, from_at, to_at, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING ",
        columns!("status")
    );
    let insert = sqlx::query_as(sql).bind(org).bind(id).bind(session.caller().actor());
    let insert = insert.bind(format.as_str()).bind(Json(shown)).bind(from).bind(to).bind(now);
    let row = write.fetch_one("audit_exports.insert", insert).await?;
    write.enqueue(job(id));
    let fact =
        AuditFact { action: "audit:export", subject: AUDIT, key: Some(id.uuid()), version: None, items: 1 };
    write.commit_with(fact, &json!({ "id": id })).await?;
    Ok(row)
}

async fn waiting_in_tx(write: &mut Write) -> Result<i64, StoreError> {
    let sql = concat!(
        "SELECT count(*) FROM platform.audit_exports WHERE status = 'waiting' AND ",
        status!(),
        " = 'waiting'"
    );
    let (count,) = write.fetch_one("audit_exports.waiting", sqlx::query_as(sql)).await?;
    Ok(count)
}

/// The tenant's export with this id.
pub(crate) async fn get(session: &Session, id: AuditExportId) -> Result<Option<ExportRow>, Error> {
    session.caller().require(&Permission::AUDIT_READ)?;
    Ok(find(session, id).await?)
}

async fn find(session: &Session, id: AuditExportId) -> Result<Option<ExportRow>, StoreError> {
    let sql = concat!("SELECT ", columns!(status!()), " FROM platform.audit_exports WHERE id = $1");
    session.fetch_optional("audit_exports.find", sqlx::query_as(sql).bind(id)).await
}

/// A link by which the caller downloads the export; `None` while there is nothing to download, when there no longer is, and for
/// programs: a link is for a person.
pub(crate) fn link(session: &Session, sealer: &Sealer, row: &ExportRow) -> Option<String> {
    let now = session.store().clock().now();
    let until = row.expires_at.filter(|_| row.status == ExportStatus::Completed)?;
    let (person, org) = (session.caller().user()?, session.caller().org);
    let expires = (now + LINK).min(until);
    if expires <= now {
        return None;
    }
    session.look(READ.of(row.id.uuid()));
    let link = Link { export: row.id.uuid(), person, org, expires: expires.timestamp() };
    Some(link.path(sealer))
}

fn job(id: AuditExportId) -> NewJob {
    NewJob {
        kind: EXPORT,
        payload: json!({ "export": id }),
        priority: 0,
        max_attempts: 20,
        delay: Duration::ZERO,
        unique_key: Some(id.to_string()),
    }
}
