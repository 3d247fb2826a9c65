//! Schedules of a tenant: seeing, pausing and running them. Those that are part of Pulse belong to no tenant, so that the
//! wall hides them.

mod entity;
mod error;
pub(crate) mod repo;

use pulse_graphql::Error;
use pulse_jobs::Cron;
use pulse_store::{AuditFact, Event, EventKind, Session};
use pulse_types::{JobId, Permission, ScheduleId};
use serde_json::json;

pub(crate) use entity::{MissedRuns, ScheduleRow};
pub(crate) use error::ScheduleError;

use crate::job::{self, JobRow};

pub(crate) const SUBJECT: &str = "platform.schedule";

/// One schedule.
pub(crate) async fn get(session: &Session, id: ScheduleId) -> Result<Option<ScheduleRow>, Error> {
    session.caller().require(&Permission::JOB_READ)?;
    Ok(repo::find(session, id).await?)
}

/// Lets it fire no more. One that is paused already stays as it is.
pub(crate) async fn pause(session: &Session, id: ScheduleId) -> Result<ScheduleRow, Error<ScheduleError>> {
    session.caller().require(&Permission::JOB_MANAGE)?;
    let mut write = session.write().await?;
    let old = repo::lock_in_tx(&mut write, id).await?.ok_or(ScheduleError::NotFound(id))?;
    if !old.enabled {
        return Ok(old);
    }
    let row = repo::set_in_tx(&mut write, id, false, old.next_run).await?;
    write.event(event(&row, vec!["isPaused"]));
    write.commit(fact("schedule:pause", &row)).await?;
    Ok(row)
}

/// Lets it fire again, from its next time on: what would have run meanwhile was not missed.
pub(crate) async fn resume(session: &Session, id: ScheduleId) -> Result<ScheduleRow, Error<ScheduleError>> {
    session.caller().require(&Permission::JOB_MANAGE)?;
    let mut write = session.write().await?;
    let old = repo::lock_in_tx(&mut write, id).await?.ok_or(ScheduleError::NotFound(id))?;
    if old.enabled {
        return Ok(old);
    }
    let next = Cron::try_new(&old.cron, &old.zone).ok().and_then(|cron| cron.next(write.now()));
    let next = next.ok_or(ScheduleError::Never(id))?;
    let row = repo::set_in_tx(&mut write, id, true, Some(next)).await?;
    write.event(event(&row, vec!["isPaused", "nextRunAt"]));
    write.commit(fact("schedule:resume", &row)).await?;
    session.store().enqueued().notify_one();
    Ok(row)
}

/// Enqueues its job now, whether it is paused or not; while one that was enqueued like this waits or runs, that one is
/// meant.
pub(crate) async fn run(
    session: &Session,
    id: ScheduleId,
) -> Result<(ScheduleRow, JobRow), Error<ScheduleError>> {
    session.caller().require(&Permission::JOB_MANAGE)?;
    let mut write = session.write().await?;
    let schedule = repo::lock_in_tx(&mut write, id).await?.ok_or(ScheduleError::NotFound(id))?;
    let new = JobId::new(write.now());
    let (job, is_new) = repo::run_in_tx(&mut write, (id, new), session.caller().actor()).await?;
    if is_new {
        write.event(job::event(EventKind::Created, &job, vec!["status"], None));
        write.commit(fact("schedule:run", &schedule)).await?;
        session.store().enqueued().notify_one();
    }
    Ok((schedule, job))
}

fn event(row: &ScheduleRow, changed: Vec<&'static str>) -> Event {
    Event {
        kind: EventKind::Updated,
        subject: SUBJECT,
        key: row.id.uuid(),
        version: row.version,
        changed,
        attributes: json!({ "kind": row.kind, "enabled": row.enabled }),
        before: json!(null),
    }
}

fn fact(action: &'static str, row: &ScheduleRow) -> AuditFact {
    AuditFact { action, subject: SUBJECT, key: Some(row.id.uuid()), version: Some(row.version), items: 1 }
}
