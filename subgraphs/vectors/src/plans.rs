//! How PostgreSQL plans the reads, as the app role, with 100,000 items of five tenants.

use std::sync::Arc;

use pulse_graphql::{Page, PageLimits};
use pulse_store::{PoolOptions, Session, Store};
use pulse_testkit::TestDatabase;
use pulse_types::{Caller, Clock, CollectionId, EntityId, OrgId, RequestId};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Postgres, QueryBuilder};

use crate::collection::{self, CollectionRow, IndexStatus};
use crate::item::repo::{self, ItemFilter};
use crate::item::search::push_search;
use crate::item::similar::{SOURCES, SourceRow, push_near};

const TENANTS: usize = 5;

struct Seeded {
    _database: TestDatabase,
    session: Session,
    org: OrgId,
    collection: CollectionRow,
}

/// Each tenant has a collection of 20,000 items; the first one's is indexed.
async fn seeded() -> Seeded {
    let database = TestDatabase::new().await.expect("a database");
    let clock = Clock::system();
    let now = clock.now();
    let orgs: Vec<OrgId> = (0..TENANTS).map(|_| OrgId::new(now)).collect();
    let mut connection = database.connect().await.expect("a connection");
    let collections: Vec<CollectionId> = orgs.iter().map(|_| CollectionId::new(now)).collect();
    for (org, collection) in orgs.iter().zip(&collections) {
        seed(&mut connection, *org, *collection).await.expect("rows");
    }
    let (org, id) = (orgs[0], collections[0]);
    let build = format!("SET pulse.org_id = '{org}'; SELECT vectors.build_index('{id}'); ANALYZE");
    connection.execute(AssertSqlSafe(build)).await.expect("an index");
    connection.close().await.expect("closed");
    let store = Store::new(database.options(), &PoolOptions::default(), clock);
    let session = store.session(Arc::new(Caller::system(org, RequestId::new(now))));
    let collection = collection::repo::find(&session, id).await.expect("read").expect("there");
    Seeded { _database: database, session, org, collection }
}

async fn seed(
    connection: &mut PgConnection,
    org: OrgId,
    collection: CollectionId,
) -> Result<(), sqlx::Error> {
    // The same entity ids in all tenants, to see that a look-up stays in its own.
    let sql = format!(
        "SET pulse.org_id = '{org}';
         INSERT INTO vectors.collections
         SELECT '{org}', '{collection}', 'x', 4, 'EUCLIDEAN', 8, 32, 40, 1000, 'HNSW', 20000, 1, 1, now(), now();
         INSERT INTO vectors.collections
         SELECT '{org}', gen_random_uuid(), 'n' || n, 4, 'EUCLIDEAN', 8, 32, 40, 1000, 'EXACT', 0, 1, 1, now(), now()
           FROM generate_series(1, 99) AS n;
         SELECT vectors.create_partition('{collection}');
         INSERT INTO vectors.items
         SELECT '{org}', '{collection}', gen_random_uuid(), 'k' || n,
                format('[%s,%s,%s,%s]', random(), random(), random(), random())::vector,
                jsonb_build_object('n', n % 10), md5('e' || n % 10000)::uuid, 1, now(), now()
           FROM generate_series(1, 20000) AS n"
    );
    connection.execute(AssertSqlSafe(sql)).await.map(drop)
}

impl Seeded {
    async fn plan(&self, mut query: QueryBuilder<Postgres>) -> String {
        let query = query.build_query_as::<(String,)>().persistent(false);
        let lines = self.session.fetch_all("explain", query).await.expect("a plan");
        lines.into_iter().map(|(line,)| line + "\n").collect()
    }
}

fn assert_indexed(plan: &str, index: &str) {
    assert!(plan.contains(index), "{index} is not used:\n{plan}");
    assert!(!plan.contains("Seq Scan"), "rows are scanned:\n{plan}");
}

fn page() -> Page {
    Page::try_new((Some(20), None), (None, None), PageLimits::USUAL).expect("valid")
}

#[tokio::test]
async fn lists_and_look_ups_read_no_more_than_they_show() {
    let seeded = seeded().await;
    let within = (seeded.org, seeded.collection.id);
    let plan = seeded.plan(collection::repo::page_query("EXPLAIN ", &page()).expect("valid")).await;
    assert_indexed(&plan, "collections_name");

    let items = |filter: ItemFilter| repo::page_query("EXPLAIN ", within, &filter, &page()).expect("valid");
    assert_indexed(&seeded.plan(items(ItemFilter::default())).await, "_pkey");
    let keys = ItemFilter { keys: Some(vec!["k1".to_owned(), "k2".to_owned()]), entity_id: None };
    assert_indexed(&seeded.plan(items(keys)).await, "collection_id_key_key");
    let entity = EntityId::from_uuid(uuid::Uuid::from_u128(7));
    let of_entity = ItemFilter { keys: None, entity_id: Some(entity) };
    assert_indexed(&seeded.plan(items(of_entity)).await, "entity_i_idx");

    let query = sqlx::query_as::<_, (String,)>(AssertSqlSafe(format!("EXPLAIN {SOURCES}")))
        .bind(seeded.org)
        .bind(vec![seeded.collection.id])
        .bind(vec![entity])
        .bind(8_i32)
        .persistent(false);
    let lines = seeded.session.fetch_all("explain", query).await.expect("a plan");
    let plan: String = lines.into_iter().map(|(line,)| line + "\n").collect();
    assert_indexed(&plan, "entity_i_idx");
}

#[tokio::test]
async fn searches_of_a_large_collection_go_by_its_vector_index() {
    let seeded = seeded().await;
    assert!(seeded.collection.is_indexed());
    let mut query = QueryBuilder::new("EXPLAIN ");
    push_search(&mut query, (seeded.org, &seeded.collection), ("[1,2,3,4]".to_owned(), 10), None);
    assert_indexed(&seeded.plan(query).await, "_hnsw");

    let source = SourceRow {
        entity_id: EntityId::from_uuid(uuid::Uuid::from_u128(7)),
        collection_id: seeded.collection.id,
        id: pulse_types::ItemId::from_uuid(uuid::Uuid::from_u128(8)),
    };
    let mut query = QueryBuilder::new("EXPLAIN ");
    push_near(&mut query, seeded.org, &seeded.collection, (&[source], 10));
    assert_indexed(&seeded.plan(query).await, "_hnsw");

    // Below the threshold all items of that one partition are compared, and no other partition is looked at.
    let exact = CollectionRow { index_status: IndexStatus::Exact, ..seeded.collection.clone() };
    let mut query = QueryBuilder::new("EXPLAIN ");
    push_search(&mut query, (seeded.org, &exact), ("[1,2,3,4]".to_owned(), 10), None);
    let plan = seeded.plan(query).await;
    assert_eq!(plan.matches(" on items_").count(), 1, "{plan}");
    assert!(!plan.contains("_hnsw"), "{plan}");
}
