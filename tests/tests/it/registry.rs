//! The registry behind the whole platform: what goes by itself, and what other parts hear of it.

use std::time::{Duration, Instant};

use pulse_tests::{Tenant, TestPlatform};
use pulse_types::JobId;
use serde_json::{Value, json};

const PUBLISH: &str =
    "mutation ($input: PublishSubgraphInput!) { publishSubgraph(input: $input) { isPublished } }";

async fn publish(platform: &TestPlatform, tenant: &Tenant, input: Value) {
    let data = platform.data(&tenant.owner.token, PUBLISH, json!({ "input": input })).await;
    assert_eq!(data["publishSubgraph"]["isPublished"], true);
}

#[tokio::test]
async fn a_variant_of_a_pull_request_goes_with_all_that_was_published_to_it() {
    let platform = TestPlatform::start().await;
    let tenant = Tenant::found(&platform, "alpha").await;
    let sdl = "type Query { a: Int }";
    publish(&platform, &tenant, json!({ "environment": "e", "subgraph": "s", "sdl": sdl })).await;
    let request = json!({
        "environment": "e", "variant": "pr-1", "base": "current", "expiresInHours": 1, "subgraph": "t",
        "sdl": "type Query { b: Int }",
    });
    publish(&platform, &tenant, request).await;
    let job = JobId::new(platform.store.clock().now());
    let sql = format!(
        "UPDATE registry.variants SET expires_at = now() - interval '1 minute' WHERE name = 'pr-1';
         INSERT INTO platform.jobs (id, kind, payload, priority, max_attempts, run_at, created_at)
         VALUES ('{job}', 'upkeep.schema_variants', '{{}}', 0, 1, now(), now())"
    );
    let mut connection = platform.database.connect().await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    let list = "{ schemaVariants { nodes { name } } schemaVersions(filter: { environment: \"e\", variant: \"pr-1\" }) { totalCount }
        schemaCompositions(filter: { environment: \"e\", variant: \"pr-1\" }) { totalCount }
        schemaVariant(environment: \"e\") { current { subgraphs { sdl } } } }";
    let expected = json!({
        "schemaVariants": { "nodes": [{ "name": "current" }] },
        "schemaVersions": { "totalCount": 0 },
        "schemaCompositions": { "totalCount": 0 },
        "schemaVariant": { "current": { "subgraphs": [{ "sdl": sdl }] } },
    });
    let began = Instant::now();
    loop {
        let found = platform.data(&tenant.owner.token, list, json!({})).await;
        if found == expected {
            break;
        }
        assert!(began.elapsed() < Duration::from_mins(1), "it does not go: {found}");
    }
}

#[tokio::test]
async fn webhooks_hear_of_failures_alone_if_they_want() {
    let platform = TestPlatform::start().await;
    let tenant = Tenant::found(&platform, "alpha").await;
    let create = "mutation ($input: CreateWebhookInput!) { createWebhook(input: $input) { webhook { id } } }";
    let filter = json!({
        "subjects": ["registry.composition"], "attributes": [{ "name": "state", "value": "FAILED" }],
    });
    let input = json!({ "url": "https://hooks.invalid/", "filter": filter });
    let data = platform.data(&tenant.owner.token, create, json!({ "input": input })).await;
    let id = data["createWebhook"]["webhook"]["id"].clone();
    publish(
        &platform,
        &tenant,
        json!({ "environment": "e", "subgraph": "s", "sdl": "type Query { a: Int }" }),
    )
    .await;
    let broken = json!({ "environment": "e", "subgraph": "s", "sdl": "type Query { a: Nothing }" });
    let data = platform.data(&tenant.owner.token, PUBLISH, json!({ "input": broken })).await;
    assert_eq!(data["publishSubgraph"]["isPublished"], false);
    let list = "query ($id: ID!) { webhook(id: $id) { deliveries { nodes { eventType } } } }";
    let began = Instant::now();
    loop {
        let data = platform.data(&tenant.owner.token, list, json!({ "id": id })).await;
        let deliveries = &data["webhook"]["deliveries"]["nodes"];
        if deliveries.as_array().is_some_and(|nodes| !nodes.is_empty()) {
            assert_eq!(*deliveries, json!([{ "eventType": "registry.composition.created" }]));
            break;
        }
        assert!(began.elapsed() < Duration::from_mins(1), "nobody is told");
    }
}
