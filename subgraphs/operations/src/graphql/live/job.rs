//! `Subscription.jobProgress`

use async_graphql::{ComplexObject, Context, InputObject, SimpleObject, Subscription};
use chrono::{DateTime, Utc};
use pulse_events::Route;
use pulse_graphql::{AnyOf, ContextExt, Error, Following, Happened, Live, LiveError, Wanting, follow};
use pulse_types::{Change, ChangeKind, JobId, Permission};
use serde_json::Value;

use crate::graphql::job::Job;
use crate::job::{JobStatus, SUBJECT};

/// Of which jobs to hear. All that is given must hold.
#[derive(Debug, Default, InputObject)]
pub(crate) struct JobProgressFilter {
    /// Of those with these ids; at most 1,000.
    ids: Option<Vec<JobId>>,
    /// Of these kinds.
    kinds: Option<Vec<String>>,
    /// Of those that have, or had until then, one of these statuses.
    statuses: Option<Vec<JobStatus>>,
    /// Of those that you have enqueued.
    #[graphql(default)]
    mine: bool,
}

/// What has changed about a job.
#[derive(SimpleObject)]
#[graphql(complex)]
pub(crate) struct JobProgress {
    /// The id of the job.
    id: JobId,
    /// Its kind.
    job_kind: String,
    /// What is being done about it.
    status: JobStatus,
    /// How far it is, in per cent.
    progress: i32,
    /// Whether it was done with this and has brought something: see `job.result`.
    has_result: bool,
    /// Its version after the change.
    version: i64,
    /// The names of the fields that changed.
    changed_fields: Vec<String>,
    /// When it changed.
    at: DateTime<Utc>,
    /// The place behind this event: subscribe with it as `after` to go on from here.
    cursor: String,
}

impl From<Happened> for JobProgress {
    fn from(Happened { change, cursor }: Happened) -> Self {
        let text = |name| change.attributes.get(name).and_then(Value::as_str).unwrap_or_default();
        let progress = change.attributes.get("progress").and_then(Value::as_i64).unwrap_or_default();
        Self {
            id: JobId::from_uuid(change.key),
            job_kind: text("kind").to_owned(),
            status: JobStatus::from_name(text("status")).unwrap_or(JobStatus::Pending),
            progress: i32::try_from(progress).unwrap_or_default(),
            has_result: change.attributes.get("result").is_some_and(|told| *told == Value::Bool(true)),
            version: change.version,
            changed_fields: change.changed.clone(),
            at: change.at,
            cursor,
        }
    }
}

#[ComplexObject]
impl JobProgress {
    /// The job as it is now, which may be later than this change; null when it was forgotten.
    async fn job(&self, ctx: &Context<'_>) -> Option<Result<Job, Error>> {
        Job::fetch(ctx, self.id).await
    }
}

/// Subscriptions to jobs.
#[derive(Default)]
pub(crate) struct JobSubscriptions;

#[Subscription]
impl JobSubscriptions {
    /// Tells of each change of a job's status and of its progress, at least in steps of ten per cent, once and in the order
    /// of the commits. Needs `job:read`.
    async fn job_progress(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Of which jobs to hear; of all unless given.")] filter: Option<JobProgressFilter>,
        #[graphql(
            desc = "The `cursor` of the last event that was heard: what came later is told of first. From now on unless given."
        )]
        after: Option<String>,
    ) -> Result<Live<JobProgress>, Error<LiveError>> {
        let JobProgressFilter { ids, kinds, statuses, mine } = filter.unwrap_or_default();
        let (ids, kinds) = (AnyOf::try_new("ids", ids)?, AnyOf::try_new("kinds", kinds)?);
        let names = |statuses: Vec<JobStatus>| statuses.iter().map(|s| s.as_str().to_owned()).collect();
        let statuses = AnyOf::try_new("statuses", statuses.map(names))?;
        let owner = mine.then(|| ctx.session().caller().require_user()).transpose()?;
        let owner = owner.map(|owner| owner.to_string());
        let route = ids.route_to(|id| id.uuid()).or_else(|| kinds.route_by("kind")).unwrap_or(Route::All);
        let wanted = Wanting::by(route, move |change: &Change| {
            change.kind != ChangeKind::Deleted
                && ids.has(&JobId::from_uuid(change.key))
                && kinds.has_attribute(change, "kind")
                && statuses.has_attribute(change, "status")
                && owner.as_ref().is_none_or(|owner| change.has("owner", owner) == Some(true))
        });
        follow(ctx, Following { subjects: &[SUBJECT], permission: Permission::JOB_READ, after }, wanted).await
    }
}
