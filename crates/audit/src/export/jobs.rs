//! The jobs that write exports and delete them.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use pulse_files::{Files, FilesError};
use pulse_jobs::{Job, JobContext, JobError, JobHandler};
use pulse_store::{AuditFact, Session, Write};
use pulse_types::{AUDIT, AuditExportId, OrgId};
use sqlx::FromRow;
use sqlx::types::Json;

use super::record::Format;
use super::write::{Range, Shown, WriteError, is_chained, write};
use super::{AuditExports, file_name};

/// The kind of the job that writes one.
pub const EXPORT: &str = "platform.audit_export";
pub(super) const EXPIRE: &str = "platform.audit_exports_expire";

/// Files deleted at a time.
const BATCH: i64 = 100;

/// Writes one.
pub(super) struct Export(pub(super) AuditExports);

#[derive(FromRow)]
struct Waiting {
    format: String,
    filter: Json<Shown>,
    from_at: DateTime<Utc>,
    to_at: DateTime<Utc>,
    status: String,
}

/// How one ended.
enum Ended {
    Completed { facts: u64, bytes: u64 },
    Failed,
}

impl Export {
    async fn export(
        &self,
        session: &Session,
        (org, id, format): (OrgId, AuditExportId, Format),
        waiting: &Waiting,
        context: &JobContext,
    ) -> Result<Ended, JobError> {
        let range = Range { tenant: org.uuid(), from: waiting.from_at, to: waiting.to_at };
        let AuditExports { files, sealer, delay, .. } = &self.0;
        let passed = (context.store().clock().now() - range.to).to_std().unwrap_or_default();
        if let Some(delay) = delay.checked_sub(passed).filter(|delay| !delay.is_zero()) {
            let reason = "what was begun in the range may still be committed".to_owned();
            return Err(JobError::RetryAfter { reason, delay });
        }
        if !is_chained(session, &range).await? {
            return Err(JobError::Retry("the last facts of the range are not in the chain yet".to_owned()));
        }
        let mut file = match files.create(&file_name(id, format)).await {
            Err(FilesError::NoFolder) => return Ok(Ended::Failed),
            file => file.map_err(not_kept)?,
        };
        let what = (&range, &waiting.filter.0, format);
        let facts = match write(session, sealer, what, &mut file, context).await {
            Err(WriteError::Files(FilesError::TooLarge(_))) => return Ok(Ended::Failed),
            Err(WriteError::Files(error)) => return Err(not_kept(error)),
            Err(WriteError::Store(error)) => return Err(error.into()),
            Err(WriteError::Job(error)) => return Err(error),
            Ok(facts) => facts,
        };
        Ok(Ended::Completed { facts, bytes: file.finish().await.map_err(not_kept)? })
    }
}

#[async_trait]
impl JobHandler for Export {
    fn kind(&self) -> &'static str {
        EXPORT
    }

    async fn run(&self, job: &Job, context: &JobContext) -> Result<(), JobError> {
        let id = job.payload.get("export").and_then(|id| id.as_str()).and_then(|id| id.parse().ok());
        let (id, org): (AuditExportId, _) =
            id.zip(job.tenant).ok_or_else(|| JobError::Fatal("it names no export".to_owned()))?;
        let session = context.session(org);
        let find = sqlx::query_as(
            "SELECT format, filter, from_at, to_at, status FROM platform.audit_exports WHERE id = $1",
        );
        let found: Option<Waiting> = session.fetch_optional("audit_exports.waiting", find.bind(id)).await?;
        let Some(waiting) = found else { return Ok(()) };
        let format = Format::from_name(&waiting.format)
            .ok_or_else(|| JobError::Fatal("its format is none".to_owned()))?;
        match waiting.status.as_str() {
            "waiting" => {}
            // Somebody in it was erased after an attempt that was cut off.
            "failed" => {
                self.0.files.delete(&file_name(id, format)).await.map_err(not_kept)?;
                return Ok(());
            }
            _ => return Ok(()),
        }
        let ended = self.export(&session, (org, id, format), &waiting, context).await?;
        let write = session.write().await?;
        if !end_in_tx(write, id, &ended, self.0.lifetime).await? {
            // Somebody in it was erased while it was written.
            self.0.files.delete(&file_name(id, format)).await.map_err(not_kept)?;
        }
        Ok(())
    }
}

/// Whether it was still wanted.
async fn end_in_tx(
    mut write: Write,
    id: AuditExportId,
    ended: &Ended,
    lifetime: Duration,
) -> Result<bool, JobError> {
    let now = write.now();
    let (status, facts, bytes, expires) = match ended {
        Ended::Completed { facts, bytes } => {
            ("completed", i64::try_from(*facts).ok(), i64::try_from(*bytes).ok(), Some(now + lifetime))
        }
        Ended::Failed => ("failed", None, None, None),
    };
    let end = sqlx::query(
        "UPDATE platform.audit_exports SET status = $2, facts = $3, bytes = $4, finished_at = $5, expires_at = $6
          WHERE id = $1 AND status = 'waiting'",
    );
    let end = end.bind(id).bind(status).bind(facts).bind(bytes).bind(now).bind(expires);
    if write.execute("audit_exports.end", end).await? == 0 {
        return Ok(false);
    }
    let items = facts.and_then(|facts| i32::try_from(facts).ok()).unwrap_or(i32::MAX);
    let action = match ended {
        Ended::Completed { .. } => "audit:exported",
        Ended::Failed => "audit:export_failed",
    };
    let items = if matches!(ended, Ended::Failed) { 1 } else { items };
    write.commit(AuditFact { action, subject: AUDIT, key: Some(id.uuid()), version: None, items }).await?;
    Ok(true)
}

/// Deletes those whose time is over.
pub(super) struct Expire(pub(super) Files);

#[async_trait]
impl JobHandler for Expire {
    fn kind(&self) -> &'static str {
        EXPIRE
    }

    async fn run(&self, _: &Job, context: &JobContext) -> Result<(), JobError> {
        let store = context.store();
        loop {
            let mut connection = store.maintenance().await?;
            let over = sqlx::query_as(
                "UPDATE platform.audit_exports SET expires_at = NULL
                  WHERE (org_id, id) IN (SELECT org_id, id FROM platform.audit_exports WHERE expires_at <= $1
                                          LIMIT $2 FOR UPDATE SKIP LOCKED)
                 RETURNING id, format",
            );
            let over: Vec<(AuditExportId, String)> = connection
                .fetch_all("audit_exports.over", over.bind(store.clock().now()).bind(BATCH))
                .await?;
            for (id, format) in &over {
                if let Some(format) = Format::from_name(format) {
                    self.0.delete(&file_name(*id, format)).await.map_err(not_kept)?;
                }
            }
            connection.commit().await?;
            if over.is_empty() {
                return Ok(());
            }
        }
    }
}

/// A file that could not be written may be later.
#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
fn not_kept(error: FilesError) -> JobError {
    tracing::warn!(error = &error as &dyn std::error::Error, "an export of the audit cannot be kept");
    JobError::Retry(error.to_string())
}
