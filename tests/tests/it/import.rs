//! The package graph through the import and back out of the API.

use pulse_entities::import::{Counts, Format, ImportOptions, Report, Source, import};
use pulse_tests::{Fingerprint, Tenant, TestPlatform};
use serde_json::json;

const PACKAGES: &str = include_str!("../../../demo/package-graph.jsonl");

async fn import_packages(platform: &TestPlatform, tenant: &Tenant) -> Report {
    let org = tenant.id.parse().unwrap();
    let archive = Source::stream(PACKAGES.as_bytes(), Format::JsonLines);
    import(&platform.store, org, archive, &ImportOptions::default(), |_| {}).await.unwrap()
}

/// Changes that were told of, wherever they are on their way to the log; an audit fact by itself is none.
async fn events(platform: &TestPlatform) -> i64 {
    let mut connection = platform.database.connect().await.unwrap();
    let told = "SELECT count(*) FROM (SELECT subject FROM platform.outbox UNION ALL SELECT subject FROM platform.log)
                WHERE subject NOT LIKE 'platform.audit%'";
    sqlx::query_scalar(told).fetch_one(&mut connection).await.unwrap()
}

#[tokio::test]
async fn the_package_graph_comes_in_once_and_again_changes_nothing() {
    let platform = TestPlatform::start().await;
    let tenant = Tenant::found(&platform, "alpha").await;

    let first = import_packages(&platform, &tenant).await;
    assert_eq!(first.bad_lines, []);
    assert_eq!(first.entities, Counts { created: 1_803, ..Counts::default() });
    assert_eq!(first.relationships, Counts { created: 9_319, ..Counts::default() });
    let query = "{ entities(first: 1) { totalCount } relationships(first: 1) { totalCount } }";
    let totals = json!({ "entities": { "totalCount": 1_803 }, "relationships": { "totalCount": 9_319 } });
    assert_eq!(platform.data(&tenant.viewer.token, query, json!({})).await, totals);

    let (stored, written) = (Fingerprint::of_tenant(&platform, &tenant).await, events(&platform).await);
    let second = import_packages(&platform, &tenant).await;
    assert_eq!(second.lines, first.lines);
    assert_eq!(second.entities, Counts { unchanged: 1_803, ..Counts::default() });
    assert_eq!(second.relationships, Counts { unchanged: 9_319, ..Counts::default() });
    assert_eq!(events(&platform).await, written);
    assert_eq!(Fingerprint::of_tenant(&platform, &tenant).await, stored);
    assert_eq!(platform.data(&tenant.viewer.token, query, json!({})).await, totals);
}
