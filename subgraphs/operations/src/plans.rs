//! How PostgreSQL plans the reads, as the roles that do them, with 100,000 deliveries, jobs and streams of five tenants.

use std::sync::Arc;

use chrono::TimeDelta;
use pulse_graphql::{Page, PageLimits};
use pulse_store::{PoolOptions, Session, Store};
use pulse_testkit::TestDatabase;
use pulse_types::{Caller, Clock, OrgId, RequestId, WebhookId};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Postgres, QueryBuilder};

use crate::audit;
use crate::audit::AuditList;
use crate::dead_letter;
use crate::dead_letter::repo::DeadLetterList;
use crate::delivery::DeliveryStatus;
use crate::delivery::repo::{self, DeliveryFilter};
use crate::job;
use crate::job::JobStatus;
use crate::job::repo::JobList;
use crate::stream;
use crate::stream::repo::StreamFilter;
use crate::webhook;

const TENANTS: usize = 5;

struct Seeded {
    database: TestDatabase,
    session: Session,
    org: OrgId,
    webhook: WebhookId,
}

/// Each tenant has fifty webhooks, and 20,000 deliveries of one of them, a hundred of which wait.
async fn seeded() -> Seeded {
    let database = TestDatabase::new().await.expect("a database");
    let clock = Clock::system();
    let now = clock.now();
    let mut connection = database.connect().await.expect("a connection");
    let mut seeded = Vec::new();
    for _ in 0..TENANTS {
        let (org, webhook) = (OrgId::new(now), WebhookId::new(now));
        seed(&mut connection, org, webhook).await.expect("rows");
        seeded.push((org, webhook));
    }
    connection.execute("ANALYZE").await.expect("statistics");
    connection.close().await.expect("closed");
    let (org, webhook) = seeded[0];
    let store = Store::new(database.options(), &PoolOptions::default(), clock);
    let session = store.session(Arc::new(Caller::system(org, RequestId::new(now))));
    Seeded { database, session, org, webhook }
}

async fn seed(connection: &mut PgConnection, org: OrgId, webhook: WebhookId) -> Result<(), sqlx::Error> {
    let sql = format!(
        "SET pulse.org_id = '{org}';
         INSERT INTO operations.webhooks (org_id, id, url, description, filter, secret, state, version, created_at,
             updated_at)
         SELECT '{org}', CASE WHEN n = 1 THEN '{webhook}' ELSE gen_random_uuid() END, 'u', '', '{{}}', 's', 'ACTIVE', 1,
                now(), now()
           FROM generate_series(1, 50) AS n;
         INSERT INTO operations.dispatch (tenant, webhook, host, due_at)
         SELECT org_id, id, 'h', CASE WHEN id = '{webhook}' THEN now() END FROM operations.webhooks
          WHERE org_id = '{org}';
         INSERT INTO operations.deliveries (org_id, id, webhook_id, position, event_type, body, status,
             next_attempt_at, created_at)
         SELECT '{org}', gen_random_uuid(), '{webhook}', n, 'a.b.created', '{{}}',
                CASE WHEN n % 200 = 0 THEN 'PENDING' ELSE 'DELIVERED' END, CASE WHEN n % 200 = 0 THEN now() END, now()
           FROM generate_series(1, 20000) AS n;
         INSERT INTO platform.jobs_ended (id, tenant, kind, payload, status, priority, attempts, max_attempts, run_at,
             progress, claims, version, created_at, finished_at)
         SELECT gen_random_uuid(), '{org}', 'kind' || n % 50, '{{}}',
                CASE WHEN n % 10 = 0 THEN 'failed' ELSE 'completed' END, 0, 1, 3, now(), 100, 1, 3, now(), now()
           FROM generate_series(1, 20000) AS n;
         INSERT INTO platform.jobs (id, tenant, kind, payload, priority, max_attempts, run_at, created_at)
         SELECT gen_random_uuid(), '{org}', 'kind' || n % 50, '{{}}', 0, 3, now(), now()
           FROM generate_series(1, 2000) AS n;
         INSERT INTO platform.dead_letters (id, consumer, position, tenant, event, attempts, error, at)
         SELECT gen_random_uuid(), 'group {org}', n, '{org}', '{{}}', 5, '', now() FROM generate_series(1, 2000) AS n;
         INSERT INTO platform.audit (org_id, id, at, actor, action, subject, key, items, request)
         SELECT '{org}', (substr(platform.uuid_floor(now() - n * interval '1 second')::text, 1, 13)
                          || substr(gen_random_uuid()::text, 14))::uuid, now(),
                md5('actor' || n % 500)::uuid, 'action:' || n % 200, 'subject.' || n % 200, md5('key' || n % 500)::uuid, 1,
                gen_random_uuid()
           FROM generate_series(1, 20000) AS n;
         INSERT INTO operations.gateways (id, lease_until) VALUES ('{org}', now() + interval '1 hour');
         INSERT INTO operations.streams (tenant, id, gateway, person, kind, transport, hash, opened_at)
         SELECT '{org}', gen_random_uuid(), '{org}', gen_random_uuid(), 'SUBSCRIPTION', 'SSE', 'h', now()
           FROM generate_series(1, 20000) AS n"
    );
    connection.execute(AssertSqlSafe(sql)).await.map(drop)
}

impl Seeded {
    async fn plan(&self, mut query: QueryBuilder<Postgres>) -> String {
        let query = query.build_query_as::<(String,)>();
        let lines = self.session.fetch_all("explain", query).await.expect("a plan");
        lines.into_iter().map(|(line,)| line + "\n").collect()
    }

    /// The plan of a statement with its parameters written out, inside the tenant, as `role`.
    async fn plan_as(&self, role: &str, statement: &str) -> String {
        let mut connection = self.database.connect().await.expect("a connection");
        let setup = format!("SET pulse.org_id = '{}'; SET ROLE {role}", self.org);
        connection.execute(AssertSqlSafe(setup)).await.expect("the role");
        let sql = AssertSqlSafe(format!("EXPLAIN {statement}"));
        let lines: Vec<String> = sqlx::query_scalar(sql).fetch_all(&mut connection).await.expect("a plan");
        lines.join("\n")
    }
}

fn assert_indexed(plan: &str, index: &str) {
    assert!(plan.contains(index), "{index} is not used:\n{plan}");
    assert!(!plan.contains("Seq Scan on deliveries"), "rows are scanned:\n{plan}");
}

#[tokio::test]
async fn lists_read_no_more_than_they_show() {
    let seeded = seeded().await;
    let page = Page::try_new((Some(20), None), (None, None), PageLimits::USUAL).expect("valid");
    let plan = seeded.plan(webhook::repo::page_query("EXPLAIN ", &page).expect("valid")).await;
    assert!(plan.contains("webhooks_pkey"), "{plan}");

    let deliveries =
        |filter: DeliveryFilter| repo::page_query("EXPLAIN ", seeded.webhook, &filter, &page).expect("valid");
    assert_indexed(&seeded.plan(deliveries(DeliveryFilter::default())).await, "deliveries_webhook");
    let failed = DeliveryFilter { status: Some(DeliveryStatus::Failed), ..DeliveryFilter::default() };
    assert_indexed(&seeded.plan(deliveries(failed)).await, "deliveries_status");
}

#[tokio::test]
async fn what_is_due_is_found_among_what_was() {
    let seeded = seeded().await;
    let webhook = seeded.webhook;
    let due = format!(
        "SELECT id, body, attempts FROM operations.deliveries WHERE webhook_id = '{webhook}' AND status = 'PENDING'
            AND next_attempt_at <= now() ORDER BY next_attempt_at, id LIMIT 4"
    );
    assert_indexed(&seeded.plan_as("pulse_app", &due).await, "deliveries_due");
    let next = format!(
        "SELECT next_attempt_at FROM operations.deliveries WHERE webhook_id = '{webhook}' AND status = 'PENDING'
          ORDER BY next_attempt_at LIMIT 1"
    );
    assert_indexed(&seeded.plan_as("pulse_app", &next).await, "deliveries_due");
    let turns = "SELECT webhook FROM operations.dispatch WHERE due_at <= now() ORDER BY due_at LIMIT 64";
    assert!(seeded.plan_as("pulse_system", turns).await.contains("dispatch_due"));
    let old = "SELECT org_id, id FROM operations.deliveries WHERE created_at < now() - interval '1 day'
                ORDER BY created_at LIMIT 5000";
    assert_indexed(&seeded.plan_as("pulse_maintenance", old).await, "deliveries_age");
}

#[tokio::test]
async fn lists_of_jobs_read_no_more_than_they_show() {
    let seeded = seeded().await;
    let page = Page::try_new((Some(20), None), (None, None), PageLimits::USUAL).expect("valid");
    let all = JobList::default();
    let failed = JobList { statuses: vec![JobStatus::Failed], ..all.clone() };
    let of_kind = JobList { kind: Some("kind7".to_owned()), ..all.clone() };
    let oldest = JobList { ascending: true, ..all.clone() };
    let indexes = [
        (all, "jobs_ended_tenant"),
        (failed, "jobs_ended_unfinished"),
        (of_kind, "jobs_ended_kind"),
        (oldest, "jobs_ended_tenant"),
    ];
    for (list, index) in indexes {
        let plan = seeded.plan(job::repo::page_query("EXPLAIN ", &list, &page).expect("valid")).await;
        assert!(plan.contains(index), "{index} is not used:\n{plan}");
        assert!(!plan.contains("Seq Scan"), "rows are scanned:\n{plan}");
    }
    let letters = DeadLetterList::default();
    let plan = seeded.plan(dead_letter::repo::page_query("EXPLAIN ", &letters, &page).expect("valid")).await;
    for index in ["dead_letters_tenant", "jobs_ended_unfinished"] {
        assert!(plan.contains(index), "{index} is not used:\n{plan}");
    }
    assert!(!plan.contains("Seq Scan"), "rows are scanned:\n{plan}");
}

#[tokio::test]
async fn pages_of_the_audit_read_no_more_than_they_show() {
    let seeded = seeded().await;
    let page = Page::try_new((Some(20), None), (None, None), PageLimits::USUAL).expect("valid");
    let now = seeded.session.store().clock().now();
    let somebody = uuid::Uuid::from_u128(7);
    let lists = [
        (AuditList::default(), "org_id"),
        (
            AuditList { actor: Some(pulse_types::UserId::from_uuid(somebody)), ..AuditList::default() },
            "(actor = ",
        ),
        (AuditList { action: Some("action:7".to_owned()), ..AuditList::default() }, "(action = "),
        (AuditList { subject: Some("subject.7".to_owned()), ..AuditList::default() }, "(subject = "),
        (AuditList { key: Some(somebody), ..AuditList::default() }, "(key = "),
        (
            AuditList { from: Some(now - TimeDelta::minutes(1)), to: Some(now), ..AuditList::default() },
            "(id >= ",
        ),
    ];
    for (list, condition) in lists {
        let plan = seeded.plan(audit::repo::page_query("EXPLAIN ", &list, &page).expect("valid")).await;
        let indexed = plan.lines().any(|line| line.contains("Index Cond") && line.contains(condition));
        assert!(indexed, "{condition} is not looked up:\n{plan}");
        let scanned = plan.lines().any(|line| line.contains("Seq Scan") && !line.contains("audit_other"));
        assert!(!scanned, "rows are scanned:\n{plan}");
    }
}

#[tokio::test]
async fn a_page_of_streams_is_read_in_its_order() {
    let seeded = seeded().await;
    let page = Page::try_new((Some(20), None), (None, None), PageLimits::USUAL).expect("valid");
    let all = StreamFilter::default();
    let plan = seeded.plan(stream::repo::page_query("EXPLAIN ", &all, &page).expect("valid")).await;
    assert!(plan.contains("streams_pkey"), "{plan}");
    assert!(!plan.contains("Seq Scan on streams") && !plan.contains("Sort"), "all rows are read:\n{plan}");
}
