//! `DeadLetter`.

#![expect(clippy::too_many_arguments, reason = "each argument of a field is one of its function")]

use async_graphql::{ComplexObject, Context, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use pulse_graphql::{Connection, ContextExt, Cursor, Error, Page, PageLimits, Total};
use pulse_types::{ChangeKind, DeadLetterId, JobId, Permission};

use super::job::Job;
use crate::dead_letter::repo::{self, DeadLetterList};
use crate::dead_letter::{self, DeadLetterError, DeadLetterRow, DeadLetterSource, Retried};

/// Something that was tried as often as it may be and could not be done.
#[derive(SimpleObject)]
#[graphql(complex)]
pub(crate) struct DeadLetter {
    /// Its id; of a job, that of the job.
    id: DeadLetterId,
    /// What it was.
    source: DeadLetterSource,
    /// What could not do it: the name of the consumer group, or the kind of the job.
    name: String,
    /// How often it was tried.
    attempts: i32,
    /// Why the last attempt failed.
    error: Option<String>,
    /// When it was given up.
    failed_at: DateTime<Utc>,
    /// Whether it is about to be tried once more.
    is_retrying: bool,
    /// The event; null for a job.
    event: Option<DeadEvent>,
}

/// An event that could not be handled.
#[derive(SimpleObject)]
pub(crate) struct DeadEvent {
    /// What it is about, such as `entities.entity`.
    subject: String,
    /// To which one it happened.
    key: ID,
    /// What happened.
    kind: ChangeKind,
    /// Its version after the change.
    version: i64,
    /// When it was changed.
    at: DateTime<Utc>,
}

impl From<DeadLetterRow> for DeadLetter {
    fn from(row: DeadLetterRow) -> Self {
        let DeadLetterRow { id, source, name, attempts, error, at, retry, event } = row;
        let event = event.map(|event| DeadEvent {
            subject: event.subject.to_string(),
            key: event.key.into(),
            kind: event.kind,
            version: event.version,
            at: event.at,
        });
        Self { id, source, name, attempts, error, failed_at: at, is_retrying: retry, event }
    }
}

#[ComplexObject]
impl DeadLetter {
    /// The job; null for an event.
    async fn job(&self, ctx: &Context<'_>) -> Option<Result<Job, Error>> {
        match self.source {
            DeadLetterSource::Event => None,
            DeadLetterSource::Job => Job::fetch(ctx, JobId::from_uuid(self.id.uuid())).await,
        }
    }
}

/// Which dead letters. All that is given must hold.
#[derive(Debug, Default, InputObject)]
pub(crate) struct DeadLetterFilter {
    /// Those of this source.
    source: Option<DeadLetterSource>,
    /// Those of this consumer group, or of jobs of this kind.
    name: Option<String>,
}

/// Which dead letter to try again.
#[derive(InputObject)]
pub(crate) struct RetryDeadLetterInput {
    /// Which one.
    id: DeadLetterId,
}

/// What is tried again.
#[derive(SimpleObject)]
pub(crate) struct RetryDeadLetterPayload {
    /// The letter, which is there until its event is handled; null for a job.
    dead_letter: Option<DeadLetter>,
    /// The job, which is like others again; null for an event.
    job: Option<Job>,
}

/// Which dead letter to discard.
#[derive(InputObject)]
pub(crate) struct DiscardDeadLetterInput {
    /// Which one.
    id: DeadLetterId,
}

/// What was discarded.
#[derive(SimpleObject)]
pub(crate) struct DiscardDeadLetterPayload {
    /// The id of what is gone.
    id: DeadLetterId,
}

/// Queries about dead letters.
#[derive(Default)]
pub(crate) struct DeadLetterQuery;

#[Object]
impl DeadLetterQuery {
    /// What could not be done for the organization: events that a consumer group gave up on and jobs that failed for good,
    /// the newest first by their ids.
    async fn dead_letters(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only these.")] filter: Option<DeadLetterFilter>,
        #[graphql(desc = "At most so many from the start, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Begin after this cursor.")] after: Option<String>,
        #[graphql(desc = "At most so many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "End before this cursor.")] before: Option<String>,
    ) -> Result<Connection<DeadLetter>, Error<DeadLetterError>> {
        let session = ctx.session();
        session.caller().require(&Permission::JOB_READ)?;
        let page = Page::try_new((first, after), (last, before), PageLimits::USUAL);
        let page = page.map_err(DeadLetterError::from)?;
        let DeadLetterFilter { source, name } = filter.unwrap_or_default();
        let wanted = DeadLetterList { source, name };
        wanted.check()?;
        let rows = repo::page(session, &wanted, &page).await?;
        let total = Total::new(move |session| {
            let wanted = wanted.clone();
            async move { repo::count(&session, &wanted).await }
        });
        Ok(page.connection(rows, total, |row| (Cursor::new(&(row.id,)), DeadLetter::from(row))))
    }
}

/// Mutations of dead letters.
#[derive(Default)]
pub(crate) struct DeadLetterMutation;

#[Object]
impl DeadLetterMutation {
    /// Has a dead letter tried again: an event once, by its group; a job with all attempts before it. Needs `job:manage`.
    async fn retry_dead_letter(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: RetryDeadLetterInput,
    ) -> Result<RetryDeadLetterPayload, Error<DeadLetterError>> {
        Ok(match dead_letter::retry(ctx.session(), input.id).await? {
            Retried::Event(row) => RetryDeadLetterPayload { dead_letter: Some(row.into()), job: None },
            Retried::Job(row) => RetryDeadLetterPayload { dead_letter: None, job: Some(row.into()) },
        })
    }

    /// Forgets a dead letter: nothing more is done about it. Needs `job:manage`.
    async fn discard_dead_letter(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: DiscardDeadLetterInput,
    ) -> Result<DiscardDeadLetterPayload, Error<DeadLetterError>> {
        dead_letter::discard(ctx.session(), input.id).await?;
        Ok(DiscardDeadLetterPayload { id: input.id })
    }
}
