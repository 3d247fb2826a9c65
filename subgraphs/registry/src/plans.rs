//! How PostgreSQL plans the reads, as the app role, with 20,000 published schemas of five tenants.

use std::sync::Arc;

use pulse_graphql::{Page, PageLimits};
use pulse_store::{PoolOptions, Session, Store};
use pulse_testkit::TestDatabase;
use pulse_types::{Caller, Clock, OrgId, RequestId};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Postgres, QueryBuilder};

use crate::target::Target;
use crate::version::repo::VersionList;
use crate::{clients, composition, variant, version};

const TENANTS: usize = 5;

struct Seeded {
    _database: TestDatabase,
    session: Session,
}

/// Each tenant has 500 variants, and 4,000 schemas and compositions of 40 of them.
async fn seeded() -> Seeded {
    let database = TestDatabase::new().await.expect("a database");
    let clock = Clock::system();
    let now = clock.now();
    let orgs: Vec<OrgId> = (0..TENANTS).map(|_| OrgId::new(now)).collect();
    let mut connection = database.connect().await.expect("a connection");
    for org in &orgs {
        seed(&mut connection, *org).await.expect("rows");
    }
    connection.execute("ANALYZE").await.expect("statistics");
    connection.close().await.expect("closed");
    let store = Store::new(database.options(), &PoolOptions::default(), clock);
    let session = store.session(Arc::new(Caller::system(orgs[0], RequestId::new(now))));
    Seeded { _database: database, session }
}

async fn seed(connection: &mut PgConnection, org: OrgId) -> Result<(), sqlx::Error> {
    let sql = format!(
        "SET pulse.org_id = '{org}';
         INSERT INTO registry.variants (org_id, id, environment, name, number, revision, created_at, updated_at)
         SELECT '{org}', gen_random_uuid(), 'e' || n % 10, 'v' || n, 1, 1, now(), now() FROM generate_series(1, 500) AS n;
         INSERT INTO registry.schema_versions (org_id, id, environment, variant, subgraph, number, state, sdl, sdl_hash,
             created_at)
         SELECT '{org}', gen_random_uuid(), 'e' || n % 4, 'v' || n % 10, 's' || n % 50, n, 'PUBLISHED', '', '', now()
           FROM generate_series(1, 4000) AS n;
         INSERT INTO registry.compositions (org_id, id, environment, variant, number, state, cause, supergraph,
             supergraph_hash, diagnostics, changes, breaking, dangerous, safe, created_at)
         SELECT '{org}', gen_random_uuid(), 'e' || n % 4, 'v' || n % 10, n, 'COMPOSED', 'PUBLISH', '', '', '[]', '[]', 0, 0,
                0, now()
           FROM generate_series(1, 4000) AS n;
         INSERT INTO registry.clients (org_id, id, name, description, modes, tools, manifests, version, created_at, updated_at)
         SELECT '{org}', gen_random_uuid(), 'c' || n, '', '{{}}', '{{}}', 0, 1, now(), now()
           FROM generate_series(1, 2000) AS n"
    );
    connection.execute(AssertSqlSafe(sql)).await.map(drop)
}

impl Seeded {
    async fn plan(&self, mut query: QueryBuilder<Postgres>) -> String {
        let query = query.build_query_as::<(String,)>();
        let lines = self.session.fetch_all("explain", query).await.expect("a plan");
        lines.into_iter().map(|(line,)| line + "\n").collect()
    }
}

fn assert_indexed(plan: &str, index: &str) {
    assert!(plan.contains(index), "{index} is not used:\n{plan}");
    assert!(!plan.contains("Seq Scan"), "rows are scanned:\n{plan}");
}

#[tokio::test]
async fn lists_read_no_more_than_they_show() {
    let seeded = seeded().await;
    let page = Page::try_new((Some(20), None), (None, None), PageLimits::USUAL).expect("valid");
    let target = Target::try_new("e1".to_owned(), "v1".to_owned()).expect("names");

    let all = variant::repo::page_query("EXPLAIN ", None, &page).expect("valid");
    assert_indexed(&seeded.plan(all).await, "variants_org_id_environment_name_key");
    let of_one = variant::repo::page_query("EXPLAIN ", Some("e1"), &page).expect("valid");
    assert_indexed(&seeded.plan(of_one).await, "variants_org_id_environment_name_key");

    let clients = clients::repo::page_query("EXPLAIN ", &page).expect("valid");
    assert_indexed(&seeded.plan(clients).await, "clients_org_id_name_key");

    let versions = |subgraph: Option<&str>| {
        let list = VersionList { target: target.clone(), subgraph: subgraph.map(str::to_owned) };
        version::repo::page_query("EXPLAIN ", &list, &page).expect("valid")
    };
    assert_indexed(
        &seeded.plan(versions(None)).await,
        "schema_versions_org_id_environment_variant_number_key",
    );
    assert_indexed(&seeded.plan(versions(Some("s1"))).await, "schema_versions_subgraph");

    let compositions = composition::repo::page_query("EXPLAIN ", &target, &page).expect("valid");
    assert_indexed(&seeded.plan(compositions).await, "compositions_org_id_environment_variant_number_key");
}
