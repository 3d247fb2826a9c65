//! Jobs: what a tenant sees of its own, and does about them.

mod entity;
mod error;
pub(crate) mod repo;

use pulse_graphql::Error;
use pulse_store::{AuditFact, Begun, Event, EventKind, IdempotencyKey, Session, Write};
use pulse_types::{JobId, Permission};
use serde_json::{Value, json};

pub(crate) use entity::{JobRow, JobStatus};
pub(crate) use error::JobError;

/// Of the events that crates/jobs tells too.
pub(crate) const SUBJECT: &str = "platform.job";

/// One job.
pub(crate) async fn get(session: &Session, id: JobId) -> Result<Option<JobRow>, Error> {
    session.caller().require(&Permission::JOB_READ)?;
    Ok(repo::find(session, id).await?)
}

/// Has a job not done: one that waits has ended with this; one that runs is given up by its worker, which may take a
/// moment. What is cancelled already stays as it is.
pub(crate) async fn cancel(session: &Session, id: JobId) -> Result<JobRow, Error<JobError>> {
    session.caller().require(&Permission::JOB_MANAGE)?;
    let mut write = session.write().await?;
    let Some(old) = repo::lock_in_tx(&mut write, id).await? else {
        let ended = repo::ended_in_tx(&mut write, id).await?.ok_or(JobError::NotFound(id))?;
        return match ended.status {
            JobStatus::Cancelled => Ok(ended),
            status => Err(JobError::Ended { id, status: status.as_str() }.into()),
        };
    };
    if old.cancel {
        return Ok(old);
    }
    let runs = old.status == JobStatus::Processing;
    let row = if runs {
        repo::ask_in_tx(&mut write, id).await?
    } else {
        repo::end_in_tx(&mut write, id, JobStatus::Cancelled).await?
    };
    let changed = if runs { vec!["cancelRequested"] } else { vec!["status"] };
    write.event(event(EventKind::Updated, &row, changed, Some(old.status)));
    write.commit(fact("job:cancel", &row)).await?;
    if runs {
        session.store().cancelled().notify_one();
    }
    Ok(row)
}

/// Has a job done that failed or was cancelled, with all attempts before it. One that waits or runs already stays as it
/// is.
pub(crate) async fn retry(
    session: &Session,
    id: JobId,
    key: Option<String>,
) -> Result<JobRow, Error<JobError>> {
    session.caller().require(&Permission::JOB_MANAGE)?;
    let key = key.map(IdempotencyKey::try_new).transpose().map_err(JobError::from)?;
    let mut write = match session.write_once("operations.retryJob", key.as_ref(), &id).await? {
        Begun::New(write) => write,
        Begun::Repeated(_) => return Ok(repo::find(session, id).await?.ok_or(JobError::NotFound(id))?),
    };
    let row = match again_in_tx(&mut write, id).await? {
        Again::Begun(row) => row,
        Again::Underway(row) => return Ok(row),
    };
    write.commit_with(fact("job:retry", &row), &json!({ "id": id })).await?;
    session.store().enqueued().notify_one();
    Ok(row)
}

/// What became of a wish to have a job done again.
pub(crate) enum Again {
    Begun(JobRow),
    Underway(JobRow),
}

/// Puts a job back among those that wait, and tells of it.
pub(crate) async fn again_in_tx(write: &mut Write, id: JobId) -> Result<Again, Error<JobError>> {
    if let Some(row) = repo::lock_in_tx(write, id).await? {
        return Ok(Again::Underway(row));
    }
    let old = repo::ended_in_tx(write, id).await?.ok_or(JobError::NotFound(id))?;
    if old.status == JobStatus::Completed {
        return Err(JobError::Completed(id).into());
    }
    let row = repo::again_in_tx(write, id).await?.ok_or(JobError::Repeated(id))?;
    write.event(event(EventKind::Updated, &row, vec!["status", "attempts", "progress"], Some(old.status)));
    Ok(Again::Begun(row))
}

pub(crate) fn event(
    kind: EventKind,
    row: &JobRow,
    changed: Vec<&'static str>,
    before: Option<JobStatus>,
) -> Event {
    let mut attributes = json!({ "kind": row.kind, "status": row.status.as_str(), "progress": row.progress });
    if let Some(owner) = row.actor {
        attributes["owner"] = Value::from(owner.to_string());
    }
    let before = match before.filter(|before| *before != row.status) {
        Some(before) => json!({ "status": before.as_str() }),
        None => Value::Null,
    };
    Event { kind, subject: SUBJECT, key: row.id.uuid(), version: row.version, changed, attributes, before }
}

pub(crate) fn fact(action: &'static str, row: &JobRow) -> AuditFact {
    AuditFact { action, subject: SUBJECT, key: Some(row.id.uuid()), version: Some(row.version), items: 1 }
}
