//! How PostgreSQL runs each list as the app role: never by reading a whole tenant.

mod properties;

use chrono::DateTime;
use pulse_graphql::{Cursor, Page, PageLimits};
use pulse_testkit::TestDatabase;
use pulse_types::EntityId;
use serde_json::Value;
use sqlx::postgres::PgArguments;
use sqlx::{Arguments, AssertSqlSafe, Connection, Executor, PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use crate::entity::filter::EntityFilter;
use crate::entity::list::{
    EntityOrder, EntityOrderField, ValueKind, count_query as entity_count_query, list_query,
};
use crate::entity_type;
use crate::export;
use crate::relationship::list::{self as relationships, RelationshipFilter};
use crate::relationship::of_entities::{
    Columns, Direction, NeighborsPage, RelationshipsPage, count_query, neighbor_count_query, neighbors_query,
    relationships_query,
};
use crate::traversal::{Edge, Following, ids_query, step_query};

/// Five tenants of 20,000 entities and 20,000 relationships each.
const ROWS: &str = include_str!("../queries/test_rows.sql");
/// What a page may read: some of its own size, far from the 20,000 of a tenant.
const MAX_READ: f64 = 700.0;

/// What the entities of two of them are found by.
const PROPERTIES: &str = include_str!("../queries/test_properties.sql");

struct Plans {
    connection: PgConnection,
    read: Vec<String>,
    // Dropped last: the database goes away with it.
    _database: TestDatabase,
}

impl Plans {
    async fn new() -> Self {
        Self::with(&[ROWS]).await
    }

    async fn with(rows: &[&'static str]) -> Self {
        let database = TestDatabase::new().await.expect("a database");
        let mut connection = database.connect().await.expect("connects");
        for &rows in rows {
            connection.execute(sqlx::raw_sql(rows)).await.expect("rows are made");
        }
        let tenant = "SET ROLE pulse_app; SET pulse.org_id = '00000000-0000-7000-8000-000000000003'";
        connection.execute(sqlx::raw_sql(tenant)).await.expect("becomes the app role");
        Self { connection, read: vec![], _database: database }
    }

    /// Goes on as somebody who sees these entities alone.
    async fn narrow_to(&mut self, ids: &[Uuid]) {
        let ids: Vec<_> = ids.iter().map(Uuid::to_string).collect();
        let narrow = format!(
            "SET ROLE pulse_narrowed; SET pulse.entity_reach = 'only'; SET pulse.entity_ids = '{{{}}}'",
            ids.join(",")
        );
        self.connection.execute(sqlx::raw_sql(AssertSqlSafe(narrow))).await.expect("becomes another role");
    }

    /// Runs a statement with its parameters known and unknown to the planner, and looks at what it reads.
    async fn check(&mut self, what: &str, build: impl Fn() -> QueryBuilder<Postgres>) {
        self.check_up_to(MAX_READ, what, build).await;
    }

    /// Runs a statement with a condition that many meet, of which it sees so when it has read a thousand of them.
    async fn check_wide(&mut self, what: &str, build: impl Fn() -> QueryBuilder<Postgres>) {
        self.check_up_to(MAX_READ + 6_000.0, what, build).await;
    }

    async fn check_up_to(&mut self, most: f64, what: &str, build: impl Fn() -> QueryBuilder<Postgres>) {
        for mode in ["force_custom_plan", "force_generic_plan"] {
            let set = AssertSqlSafe(format!("SET plan_cache_mode = {mode}"));
            self.connection.execute(sqlx::raw_sql(set)).await.expect("a setting");
            let mut query = build();
            let sql = format!("EXPLAIN (ANALYZE, FORMAT JSON) {}", query.sql().as_str());
            let arguments =
                sqlx::Execute::take_arguments(&mut query.build()).expect("encodes").unwrap_or_default();
            let explain = sqlx::query_scalar_with::<_, Value, _>(AssertSqlSafe(sql), arguments);
            let plan = explain
                .fetch_one(&mut self.connection)
                .await
                .unwrap_or_else(|error| panic!("{what}: {error}"));
            let read = rows_read(&plan[0]["Plan"]);
            if read > most {
                self.read.push(format!("{what} ({mode}) reads {read} rows: {plan:#}"));
            }
        }
    }

    fn assert_no_scans(&self) {
        assert!(self.read.is_empty(), "{}", self.read.join("\n"));
    }
}

/// The rows that the scans of a plan have looked at, and infinitely many for a scan of a whole table of the graph.
fn rows_read(node: &Value) -> f64 {
    let number = |name: &str| node[name].as_f64().unwrap_or(0.0);
    let kind = node["Node Type"].as_str().unwrap_or_default();
    let looked_at =
        number("Actual Rows") + number("Rows Removed by Filter") + number("Rows Removed by Index Recheck");
    let own = match kind {
        _ if number("Actual Loops") == 0.0 => 0.0,
        "Seq Scan" if node["Relation Name"] != "types" => f64::INFINITY,
        _ if kind.ends_with("Scan") => looked_at * number("Actual Loops"),
        _ => 0.0,
    };
    let children = node["Plans"].as_array().map(Vec::as_slice).unwrap_or_default();
    own + children.iter().map(rows_read).sum::<f64>()
}

fn entity(number: u128) -> EntityId {
    EntityId::from_uuid(Uuid::from_u128((0x0197_0000_0003 << 80) | 0x7000_8000_0000_0000_0000 | number))
}

fn page(size: i32, backwards: bool) -> Page {
    let (first, last) = if backwards { (None, Some(size)) } else { (Some(size), None) };
    Page::try_new((first, None), (last, None), PageLimits::USUAL).expect("a page")
}

const ORDERS: [EntityOrderField; 5] = [
    EntityOrderField::Name,
    EntityOrderField::Key,
    EntityOrderField::CreatedAt,
    EntityOrderField::UpdatedAt,
    EntityOrderField::Confidence,
];

fn middle(field: &EntityOrderField) -> Cursor {
    let id = entity(10_000);
    match field {
        EntityOrderField::Name => Cursor::new(&(field, "name 010000", id)),
        EntityOrderField::Key => Cursor::new(&(field, "key 010000", id)),
        EntityOrderField::CreatedAt => Cursor::new(&(field, (), id)),
        EntityOrderField::UpdatedAt | EntityOrderField::Property(_, ValueKind::Time) => {
            Cursor::new(&(field, DateTime::UNIX_EPOCH + chrono::TimeDelta::days(10_000), id))
        }
        EntityOrderField::Confidence => Cursor::new(&(field, 0.5, id)),
        EntityOrderField::Property(_, ValueKind::Text) => Cursor::new(&(field, "text 010000", id)),
        EntityOrderField::Property(_, ValueKind::Number) | EntityOrderField::Relations(..) => {
            Cursor::new(&(field, 10_000.0, id))
        }
    }
}

#[tokio::test]
async fn lists_of_entities_read_a_range_of_an_index() {
    let mut plans = Plans::new().await;
    for field in ORDERS {
        for (type_name, descending, backwards, from) in [
            (None, false, false, false),
            (None, true, false, true),
            (Some("common"), false, false, true),
            (Some("common"), false, true, true),
            (Some("rare"), false, false, false),
            (Some("rare"), true, false, true),
            (Some("none"), false, false, false),
        ] {
            let filter = EntityFilter { type_name: type_name.map(str::to_owned), ..EntityFilter::default() };
            let page = Page { from: from.then(|| middle(&field)), ..page(20, backwards) };
            let what = format!("{field:?} {type_name:?} descending {descending} {page:?}");
            plans
                .check(&what, || {
                    list_query(&filter, &EntityOrder { field: field.clone(), descending }, &page, true)
                        .expect("a query")
                })
                .await;
        }
    }
    plans.assert_no_scans();
}

#[tokio::test]
async fn filters_read_a_range_of_an_index() {
    let mut plans = Plans::new().await;
    let day = |day: i64| Some(DateTime::UNIX_EPOCH + chrono::TimeDelta::days(day));
    let all = EntityFilter::default;
    let typed = || EntityFilter { type_name: Some("common".to_owned()), ..all() };
    let prefix = Some("name 0001".to_owned());
    for (filter, field) in [
        (
            EntityFilter { keys: Some(vec!["key 000007".to_owned(), "none".to_owned()]), ..all() },
            EntityOrderField::CreatedAt,
        ),
        (EntityFilter { keys: Some(vec!["key 000007".to_owned()]), ..typed() }, EntityOrderField::Name),
        (EntityFilter { name_prefix: prefix.clone(), ..all() }, EntityOrderField::Name),
        (EntityFilter { name_prefix: prefix, ..typed() }, EntityOrderField::Name),
        (EntityFilter { min_confidence: Some(0.999), ..all() }, EntityOrderField::Confidence),
        (EntityFilter { max_confidence: Some(0.001), ..typed() }, EntityOrderField::Confidence),
        (EntityFilter { updated_from: day(19_990), ..all() }, EntityOrderField::UpdatedAt),
        (EntityFilter { updated_before: day(10), ..typed() }, EntityOrderField::UpdatedAt),
        (
            EntityFilter { created_before: DateTime::from_timestamp_millis(0x0197_0000_0003 - 1), ..all() },
            EntityOrderField::CreatedAt,
        ),
        (
            EntityFilter { created_from: DateTime::from_timestamp_millis(0x0197_0000_0004), ..typed() },
            EntityOrderField::CreatedAt,
        ),
    ] {
        let order = EntityOrder { field, descending: false };
        let page = page(20, false);
        plans
            .check(&format!("{filter:?}"), || list_query(&filter, &order, &page, false).expect("a query"))
            .await;
    }
    plans.assert_no_scans();
}

#[tokio::test]
async fn lists_of_relationships_read_a_range_of_an_index() {
    let mut plans = Plans::new().await;
    let name = |name: &str| Some(name.to_owned());
    for filter in [
        RelationshipFilter::default(),
        RelationshipFilter { type_name: name("common"), ..RelationshipFilter::default() },
        RelationshipFilter { type_name: name("rare"), ..RelationshipFilter::default() },
        RelationshipFilter { source: Some(entity(7)), ..RelationshipFilter::default() },
        RelationshipFilter { target: Some(entity(1)), ..RelationshipFilter::default() },
        RelationshipFilter {
            target: Some(entity(1)),
            type_name: name("rare"),
            ..RelationshipFilter::default()
        },
        RelationshipFilter {
            source: Some(entity(7)),
            target: Some(entity(1)),
            ..RelationshipFilter::default()
        },
    ] {
        for backwards in [false, true] {
            let page = page(20, backwards);
            plans
                .check(&format!("{filter:?}"), || relationships::list_query(&filter, &page).expect("a query"))
                .await;
        }
    }
    let types = page(20, false);
    plans.check("types", || entity_type::list_query(&types).expect("a query")).await;
    plans.assert_no_scans();
}

#[tokio::test]
async fn relationships_and_neighbors_of_entities_read_ranges_of_indexes() {
    let mut plans = Plans::new().await;
    let twenty: Vec<_> = (100..120).map(entity).collect();
    for direction in [Direction::Outgoing, Direction::Incoming, Direction::Both] {
        for type_name in [None, Some("common".to_owned())] {
            for after in [None, Some(entity(50))] {
                for columns in [Columns::Names, Columns::Properties] {
                    let of = RelationshipsPage {
                        direction,
                        type_name: type_name.clone(),
                        limit: 11,
                        after: after.map(|id| ("common".to_owned(), id, false)),
                        columns,
                    };
                    plans.check(&format!("{of:?}"), || relationships_query(&twenty, &of)).await;
                }
                let of = NeighborsPage {
                    direction,
                    type_name: type_name.clone(),
                    limit: 11,
                    after,
                    details: true,
                };
                plans.check(&format!("{of:?}"), || neighbors_query(&twenty, &of)).await;
            }
            let name = type_name.as_deref();
            plans.check("relationships counted", || count_query(&twenty, direction, name)).await;
            plans.check("neighbors counted", || neighbor_count_query(&twenty, direction, name)).await;
        }
    }
    // The entity that a fifth of all relationships lead to is read a page at a time.
    let hub = [entity(1)];
    let of = RelationshipsPage {
        direction: Direction::Incoming,
        type_name: None,
        limit: 11,
        after: None,
        columns: Columns::Names,
    };
    plans.check("relationships of a hub", || relationships_query(&hub, &of)).await;
    plans.assert_no_scans();
}

#[tokio::test]
async fn no_hop_of_a_walk_reads_a_whole_tenant() {
    let mut plans = Plans::new().await;
    let following = |direction, types: &[&str], min_confidence, entity_types: &[&str]| Following {
        direction,
        types: types.iter().map(|&name| name.to_owned()).collect(),
        min_confidence,
        entity_types: entity_types.iter().map(|&name| name.to_owned()).collect(),
        ends: vec![entity(3)],
    };
    let of: Vec<EntityId> = (0..20).map(entity).collect();
    for direction in [Direction::Outgoing, Direction::Incoming, Direction::Both] {
        for (what, following) in [
            ("all", following(direction, &[], None, &[])),
            ("of types", following(direction, &["depends_on", "suggests"], None, &[])),
            ("that are sure", following(direction, &[], Some(0.5), &[])),
            ("to types", following(direction, &[], None, &["package"])),
        ] {
            plans.check(&format!("a hop {direction:?}, {what}"), || step_query(&of, &following, 100)).await;
        }
    }
    let edge = |number| Edge {
        source: entity(number),
        type_name: "depends_on".to_owned(),
        target: entity(number + 1),
    };
    let edges: Vec<Edge> = (0..20).map(edge).collect();
    plans.check("ids of relationships", || ids_query(&edges)).await;
    plans.assert_no_scans();
}

#[tokio::test]
async fn who_sees_few_entities_reads_no_more_for_a_list_of_them() {
    let mut plans = Plans::new().await;
    let ids: Vec<Uuid> = (0..200).map(|number| entity(number * 97).uuid()).collect();
    plans.narrow_to(&ids).await;
    let filter = EntityFilter { within: Some(ids.clone()), ..EntityFilter::default() };
    for field in ORDERS {
        let what = format!("few entities by {field:?}");
        let order = EntityOrder { field, descending: false };
        let list = || list_query(&filter, &order, &page(20, false), true).expect("a query");
        plans.check(&what, list).await;
    }
    let order = EntityOrder { field: EntityOrderField::Name, descending: false };
    plans.check("few entities counted", || entity_count_query(&filter, &order)).await;
    let filter = RelationshipFilter { within: Some(ids), ..RelationshipFilter::default() };
    let list = || relationships::list_query(&filter, &page(20, false)).expect("a query");
    plans.check("relationships between few entities", list).await;
    plans.check("relationships between few, counted", || relationships::count_query(&filter)).await;
    plans.assert_no_scans();
}

#[tokio::test]
async fn a_page_of_an_export_reads_no_more_than_itself() {
    let mut plans = Plans::new().await;
    for (what, page) in [("entities", export::ENTITY_PAGE), ("relationships", export::RELATIONSHIP_PAGE)] {
        for after in [EntityId::from_uuid(Uuid::nil()), entity(10_000)] {
            let build = || QueryBuilder::with_arguments(page, page_arguments(after, 200));
            plans.check(&format!("export of {what} after {after}"), build).await;
        }
    }
    plans.assert_no_scans();
}

fn page_arguments(after: EntityId, limit: i64) -> PgArguments {
    let mut arguments = PgArguments::default();
    arguments.add(after).expect("an id");
    arguments.add(limit).expect("a number");
    arguments
}

#[tokio::test]
async fn others_are_planned_for_as_if_there_were_no_rights_on_single_things() {
    let mut plans = Plans::new().await;
    for table in ["entities", "relationships", "history", "properties"] {
        let explain = AssertSqlSafe(format!("EXPLAIN (VERBOSE) SELECT * FROM entities.{table}"));
        let lines: Vec<String> =
            sqlx::query_scalar(explain).fetch_all(&mut plans.connection).await.expect("a plan");
        assert!(lines.iter().all(|line| !line.contains("entity_reach")), "{lines:?}");
    }
}

#[tokio::test]
async fn the_comparisons_that_lists_use_are_leakproof() {
    let database = TestDatabase::new().await.expect("a database");
    let mut connection = database.connect().await.expect("connects");
    let leaky = "SELECT format('%s %s', o.oprname, o.oprleft::regtype) FROM pg_operator AS o JOIN pg_proc AS p ON p.oid = o.oprcode
                  WHERE o.oprname IN ('=', '<', '<=', '>', '>=') AND o.oprleft = o.oprright AND NOT p.proleakproof
                    AND o.oprleft IN ('text'::regtype, 'uuid'::regtype, 'timestamptz'::regtype, 'float8'::regtype)";
    let leaky: Vec<String> = sqlx::query_scalar(leaky).fetch_all(&mut connection).await.expect("the catalog");
    assert_eq!(leaky, Vec::<String>::new());
    connection.close().await.expect("closes");
}
