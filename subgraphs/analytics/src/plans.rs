//! How PostgreSQL plans the reads, as the app role, with 100,000 events of five tenants.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use pulse_graphql::{Page, PageLimits};
use pulse_store::{PoolOptions, Session, Store};
use pulse_testkit::TestDatabase;
use pulse_types::{Caller, Clock, EntityId, OrgId, RequestId};
use sqlx::{AssertSqlSafe, Executor, Postgres, QueryBuilder};

use crate::event::repo::{EventFilter, page_query};
use crate::metric::Metric;
use crate::metric::repo::now_query;
use crate::series::repo::{ACTIVITY, series_query};
use crate::series::{Aggregate, Grouping, Interval, Range, SeriesRequest};

struct Seeded {
    _database: TestDatabase,
    session: Session,
    org: OrgId,
    now: DateTime<Utc>,
}

/// Five tenants with 20,000 events each, from 45 days ago to 75 days ahead: some in each partition.
async fn seeded() -> Seeded {
    let database = TestDatabase::new().await.expect("a database");
    let clock = Clock::system();
    let now = clock.now();
    let org = OrgId::new(now);
    let mut connection = database.connect().await.expect("a connection");
    let months = "SELECT analytics.make_month(month::date)
                    FROM generate_series(date_trunc('month', now() - interval '45 days'), now() + interval '75 days', '1 month') AS month";
    connection.execute(months).await.expect("partitions");
    for tenant in [org, OrgId::new(now), OrgId::new(now), OrgId::new(now), OrgId::new(now)] {
        let sql = format!(
            "INSERT INTO analytics.events (org_id, at, id, name, value, entity_id, properties)
             SELECT '{tenant}', now() - interval '45 days' + n * interval '518 seconds', gen_random_uuid(), 'name' || n % 100, n,
                    md5('e' || n % 1000)::uuid, '{{}}'
               FROM generate_series(1, 20000) AS n"
        );
        connection.execute(AssertSqlSafe(sql)).await.expect("rows");
    }
    connection.execute("VACUUM ANALYZE analytics.events").await.expect("statistics");
    let store = Store::new(database.options(), &PoolOptions::default(), clock);
    let session = store.session(Arc::new(Caller::system(org, RequestId::new(now))));
    Seeded { _database: database, session, org, now }
}

impl Seeded {
    /// The plan; none may scan all rows of a tenant.
    async fn plan(&self, mut query: QueryBuilder<Postgres>) -> String {
        let query = query.build_query_as::<(String,)>().persistent(false);
        let lines = self.session.fetch_all("explain", query).await.expect("a plan");
        let plan: String = lines.into_iter().map(|(line,)| line + "\n").collect();
        assert!(!plan.contains("Seq Scan"), "rows are scanned:\n{plan}");
        plan
    }

    fn hours(&self, hours: i64) -> Range {
        Range::try_new(self.now - TimeDelta::hours(hours), self.now, Interval::Hour, "UTC").expect("valid")
    }
}

fn assert_index(plan: &str, index: &str) {
    assert!(plan.contains(index), "{index} is not used:\n{plan}");
}

#[tokio::test]
async fn lists_of_events_are_read_in_the_order_of_an_index() {
    let seeded = seeded().await;
    let page = Page::try_new((Some(20), None), (None, None), PageLimits::USUAL).expect("valid");
    let entity = EntityId::from_uuid(uuid::Uuid::from_u128(7));
    for (filter, index) in [
        (EventFilter::default(), "_pkey"),
        (EventFilter { from: Some(seeded.now - TimeDelta::days(1)), ..EventFilter::default() }, "_pkey"),
        (EventFilter { name: Some("name7".to_owned()), ..EventFilter::default() }, "name_at_id"),
        (EventFilter { entity_id: Some(entity), ..EventFilter::default() }, "entity_id_at_id"),
    ] {
        let query = page_query("EXPLAIN ", seeded.org, &filter, &page).expect("valid");
        assert_index(&seeded.plan(query).await, index);
    }
}

#[tokio::test]
async fn time_series_read_only_their_range() {
    let seeded = seeded().await;
    let request = |names, grouping| SeriesRequest {
        range: seeded.hours(24),
        names,
        entity: None,
        aggregate: Aggregate::Sum,
        grouping,
    };
    let plan = seeded.plan(series_query("EXPLAIN ", seeded.org, &request(None, Some(Grouping::Name)))).await;
    assert!(plan.contains("Index Cond: ((org_id = "), "{plan}");
    let names = Some(vec!["name7".to_owned(), "name8".to_owned()]);
    let plan = seeded.plan(series_query("EXPLAIN ", seeded.org, &request(names, None))).await;
    assert_index(&plan, "name_at_id");
}

#[tokio::test]
async fn a_metric_reads_only_its_events_of_the_interval() {
    let seeded = seeded().await;
    let metric = Metric { name: "name7".to_owned(), entity: None, interval: Interval::Day };
    let plan = seeded.plan(now_query("EXPLAIN ", seeded.org, &metric, seeded.now)).await;
    assert_index(&plan, "name_at_id");
    assert!(plan.contains("(at >= "), "{plan}");
}

#[tokio::test]
async fn activity_reads_only_its_ranges() {
    let seeded = seeded().await;
    let range = seeded.hours(24);
    let query = sqlx::query_as::<_, (String,)>(AssertSqlSafe(format!("EXPLAIN {ACTIVITY}")))
        .bind(seeded.org)
        .bind(vec![range.from])
        .bind(vec![range.to])
        .bind(vec!["hour"])
        .bind(vec!["UTC"]);
    let lines = seeded.session.fetch_all("explain", query).await.expect("a plan");
    let plan: String = lines.into_iter().map(|(line,)| line + "\n").collect();
    assert!(!plan.contains("Seq Scan"), "rows are scanned:\n{plan}");
    assert!(plan.contains("Index Cond: ((org_id = "), "{plan}");
}
