//! Dead letters: events that a consumer group gave up on, and jobs that failed for good.

mod entity;
mod error;
pub(crate) mod repo;

use pulse_graphql::Error;
use pulse_store::{AuditFact, Event, EventKind, Session};
use pulse_types::{DeadLetterId, JobId, Permission};
use serde_json::json;

pub(crate) use entity::{DeadLetterRow, DeadLetterSource};
pub(crate) use error::DeadLetterError;

use crate::job::{self, Again, JobRow, JobStatus};

/// Of the events that crates/events tells too.
pub(crate) const SUBJECT: &str = "platform.dead_letter";

/// What became of a letter that is to be tried again.
pub(crate) enum Retried {
    /// Its group tries it once more; until then it stays.
    Event(DeadLetterRow),
    /// It is a job like others again.
    Job(JobRow),
}

/// Has a letter tried again: an event once, a job with all attempts before it.
pub(crate) async fn retry(session: &Session, id: DeadLetterId) -> Result<Retried, Error<DeadLetterError>> {
    session.caller().require(&Permission::JOB_MANAGE)?;
    let mut write = session.write().await?;
    if let Some(row) = repo::retry_in_tx(&mut write, id).await? {
        write.event(event(EventKind::Updated, &row, vec!["isRetrying"]));
        write.commit(fact("dead_letter:retry", id)).await?;
        return Ok(Retried::Event(row));
    }
    let job = JobId::from_uuid(id.uuid());
    let ended = job::repo::ended_in_tx(&mut write, job).await?;
    if ended.is_some_and(|row| row.status != JobStatus::Failed) {
        return Err(DeadLetterError::NotFound(id).into());
    }
    let again = job::again_in_tx(&mut write, job).await;
    match again.map_err(|error| error.map_client(|error| of_job(error, id)))? {
        Again::Underway(row) => Ok(Retried::Job(row)),
        Again::Begun(row) => {
            write.commit(fact("dead_letter:retry", id)).await?;
            session.store().enqueued().notify_one();
            Ok(Retried::Job(row))
        }
    }
}

/// Forgets a letter: nothing more is done about it.
pub(crate) async fn discard(session: &Session, id: DeadLetterId) -> Result<(), Error<DeadLetterError>> {
    session.caller().require(&Permission::JOB_MANAGE)?;
    let mut write = session.write().await?;
    if let Some(row) = repo::discard_in_tx(&mut write, id).await? {
        write.event(event(EventKind::Deleted, &row, vec![]));
    } else {
        let job = JobId::from_uuid(id.uuid());
        let ended = job::repo::ended_in_tx(&mut write, job).await?;
        let failed = ended.filter(|row| row.status == JobStatus::Failed);
        let row = failed.ok_or(DeadLetterError::NotFound(id))?;
        job::repo::forget_in_tx(&mut write, job).await?;
        write.event(job::event(
            EventKind::Deleted,
            &JobRow { version: row.version + 1, ..row },
            vec![],
            None,
        ));
    }
    write.commit(fact("dead_letter:discard", id)).await?;
    Ok(())
}

/// Whoever asks for a dead letter knows of no job.
fn of_job(error: job::JobError, id: DeadLetterId) -> DeadLetterError {
    match error {
        job::JobError::NotFound(_) => DeadLetterError::NotFound(id),
        other => DeadLetterError::Job(other),
    }
}

fn event(kind: EventKind, row: &DeadLetterRow, changed: Vec<&'static str>) -> Event {
    Event {
        kind,
        subject: SUBJECT,
        key: row.id.uuid(),
        version: i64::from(row.attempts),
        changed,
        attributes: json!({ "consumer": row.name }),
        before: json!(null),
    }
}

fn fact(action: &'static str, id: DeadLetterId) -> AuditFact {
    AuditFact { action, subject: SUBJECT, key: Some(id.uuid()), version: None, items: 1 }
}
