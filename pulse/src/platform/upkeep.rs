//! What has to be done by the clock: jobs of Pulse itself, each by itself, so that one that fails holds up no other.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pulse_events::Retention;
use pulse_jobs::{FORGET, FixedSchedule, Forget, Job, JobContext, JobError, JobHandler, JobsConfig, Missed};

/// Statements of the maintenance role, by their kind of job. Partitions are made a month ahead.
const CHORES: [(&str, &str); 7] = [
    ("upkeep.audit", "SELECT platform.ensure_month_partitions('platform.audit', 1)"),
    ("upkeep.analytics", "SELECT analytics.make_month((now() + interval '1 month')::date)"),
    ("upkeep.throttles", "DELETE FROM accounts.throttles WHERE last_failed_at < now() - interval '1 day'"),
    ("upkeep.schema_checks", "DELETE FROM registry.checks WHERE created_at < now() - interval '90 days'"),
    ("upkeep.schema_usage", "DELETE FROM registry.usage WHERE day < (now() - interval '365 days')::date"),
    ("upkeep.schema_variants", FORGET_VARIANTS),
    ("upkeep.idempotency", "DELETE FROM platform.idempotency WHERE at < now() - interval '1 day'"),
];

/// Variants of pull requests go with all that was published to them, when their time is over.
const FORGET_VARIANTS: &str = "WITH gone AS (
        DELETE FROM registry.variants WHERE expires_at < now() RETURNING org_id, environment, name
    ), compositions AS (
        DELETE FROM registry.compositions AS c USING gone AS g
         WHERE (c.org_id, c.environment, c.variant) = (g.org_id, g.environment, g.name)
    )
    DELETE FROM registry.schema_versions AS v USING gone AS g
     WHERE (v.org_id, v.environment, v.variant) = (g.org_id, g.environment, g.name)";

const FORGET_LOG: &str = "upkeep.log";

/// How long the event log keeps what was committed: whoever was away for longer reads again by a query.
const LOG_RETENTION: Retention = Retention { keep: Duration::from_hours(7 * 24) };

/// Who does it.
pub(super) fn handlers(jobs: &JobsConfig) -> Vec<Arc<dyn JobHandler>> {
    let mut handlers: Vec<Arc<dyn JobHandler>> = vec![Arc::new(Forget::new(jobs)), Arc::new(ForgetLog)];
    handlers
        .extend(CHORES.map(|(kind, statement)| Arc::new(Chore { kind, statement }) as Arc<dyn JobHandler>));
    handlers
}

/// When: hourly, each at another minute; jobs are forgotten more often, since there are many.
pub(super) fn schedules() -> Vec<FixedSchedule> {
    let hourly = |kind, cron| FixedSchedule { name: kind, kind, cron, missed: Missed::Once };
    vec![
        hourly(FORGET, "*/10 * * * *"),
        hourly("upkeep.audit", "1 * * * *"),
        hourly("upkeep.analytics", "2 * * * *"),
        hourly("upkeep.idempotency", "3 * * * *"),
        hourly("upkeep.throttles", "5 * * * *"),
        hourly(FORGET_LOG, "4 * * * *"),
        hourly("upkeep.schema_checks", "6 * * * *"),
        hourly("upkeep.schema_usage", "7 * * * *"),
        hourly("upkeep.schema_variants", "8 * * * *"),
    ]
}

/// One statement of the maintenance role.
struct Chore {
    kind: &'static str,
    statement: &'static str,
}

#[async_trait]
impl JobHandler for Chore {
    fn kind(&self) -> &'static str {
        self.kind
    }

    async fn run(&self, _: &Job, context: &JobContext) -> Result<(), JobError> {
        let mut connection = context.store().maintenance().await?;
        connection.execute(self.kind, sqlx::query(self.statement)).await?;
        Ok(connection.commit().await?)
    }
}

/// Lets the event log forget what is old.
struct ForgetLog;

#[async_trait]
impl JobHandler for ForgetLog {
    fn kind(&self) -> &'static str {
        FORGET_LOG
    }

    async fn run(&self, _: &Job, context: &JobContext) -> Result<(), JobError> {
        LOG_RETENTION.apply(context.store()).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schedule_has_a_handler_and_a_time() {
        let handlers = handlers(&JobsConfig::default());
        for FixedSchedule { name, kind, cron, .. } in schedules() {
            assert!(handlers.iter().any(|handler| handler.kind() == kind), "{name}");
            pulse_jobs::Cron::try_new(cron, "UTC").unwrap();
        }
        assert_eq!(handlers.len(), schedules().len());
    }
}
