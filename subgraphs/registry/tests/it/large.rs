//! A check of a large graph with much that is in use. It prints what it took: a build without optimization composes slowly.

use std::fmt::Write as _;
use std::time::Instant;

use serde_json::json;

use crate::stage::Stage;

const TYPES: usize = 500;

/// A schema of 500 types with ten fields each; without one of them, if it is to be removed.
fn schema(removed: Option<&str>) -> String {
    let mut sdl = String::from("type Query {\n");
    for n in 0..TYPES {
        writeln!(sdl, "  t{n}: T{n}").unwrap();
    }
    sdl.push_str("}\n");
    for n in 0..TYPES {
        writeln!(sdl, "type T{n} {{").unwrap();
        for k in 0..10 {
            let field = format!("f{k}");
            if removed != Some(format!("T{n}.{field}").as_str()) {
                writeln!(sdl, "  {field}: String").unwrap();
            }
        }
        sdl.push_str("}\n");
    }
    sdl
}

#[tokio::test]
async fn a_check_of_500_types_finds_its_users_among_10_000_operations() {
    let stage = Stage::new().await;
    stage.publish("large", &schema(None)).await;
    // 10,000 operations of three clients, each of which uses 13 coordinates of one type, on each of the last 7 days.
    let org = stage.admin.org.unwrap();
    let seed = format!(
        "SET pulse.org_id = '{org}';
         INSERT INTO registry.operations (org_id, id, environment, signature, name, kind, first_seen_at)
         SELECT '{org}', md5('op' || n)::uuid, 'production', repeat(md5('op' || n), 2), 'Op' || n, 'QUERY', '2026-03-10'
           FROM generate_series(0, 9999) AS n;
         INSERT INTO registry.coordinates (org_id, environment, coordinate, operation_id, last_used_on)
         SELECT '{org}', 'production', c.coordinate, md5('op' || n)::uuid, '2026-03-15'
           FROM generate_series(0, 9999) AS n,
                LATERAL (SELECT 'Query' UNION ALL SELECT 'Query.t' || n % 500 UNION ALL SELECT 'T' || n % 500
                         UNION ALL SELECT 'T' || n % 500 || '.f' || k FROM generate_series(0, 9) AS k) AS c (coordinate);
         INSERT INTO registry.usage (org_id, environment, day, operation_id, client_name, client_version, requests, errors)
         SELECT '{org}', 'production', '2026-03-15'::date - d, md5('op' || n)::uuid, 'client' || n % 3, '1.0', 5, 0
           FROM generate_series(0, 9999) AS n, generate_series(0, 6) AS d;
         ANALYZE"
    );
    let mut connection = stage.database.connect().await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(seed)).execute(&mut connection).await.unwrap();

    let began = Instant::now();
    let check = stage.check("production", "large", &schema(Some("T7.f3"))).await;
    let checked = began.elapsed();
    assert_eq!(check["verdict"], "BREAKING");
    let change = &check["changes"][0];
    assert_eq!(
        (&change["coordinate"], &change["operationCount"], &change["requestCount"]),
        (&json!("T7.f3"), &json!(20), &json!(700))
    );
    assert_eq!(change["users"].as_array().unwrap().len(), 20);

    // What concerns all of them at once: every type goes.
    let began = Instant::now();
    let everything = stage.check("production", "large", "type Query { nothing: Int }").await;
    let all = began.elapsed();
    assert_eq!(everything["verdict"], "BREAKING");
    assert_eq!(everything["breaking"], 2 * TYPES);
    eprintln!(
        "a check of 500 types with 10,000 operations: {checked:?}; one of which everything goes: {all:?}"
    );
}
