//! Something in every subgraph.

use pulse_types::JobId;
use serde_json::{Value, json};

use crate::{Tenant, TestPlatform};

/// What a tenant has: packages in a ring, each with a vector and an event, a webhook, a schema, and something in the background.
pub struct Graph {
    /// The ids of the packages `p0`, `p1` ….
    pub entities: Vec<String>,
    /// The ids of what they depend on: each on the next, and on the one after it.
    pub relationships: Vec<String>,
    /// The id of the collection `names` of vectors of two numbers: `[0, 1]`, `[1, 1]` ….
    pub collection: String,
    /// The id of a webhook that wants events which never happen.
    pub webhook: String,
    /// The id of a schema that is published to an environment named by the mark.
    pub schema_version: String,
    /// The id of the supergraph composed of it.
    pub composition: String,
    /// The id of a client application that is called `mark`, which published the operation `Own` as version 1.
    pub client: String,
    /// The id of a job of a kind that nobody does.
    pub job: String,
    /// The id of a schedule of such jobs.
    pub schedule: String,
    /// The id of an event that could not be handled.
    pub letter: String,
}

impl Graph {
    /// Makes `count` packages. Everything that is text says `mark`.
    pub async fn fill(platform: &TestPlatform, tenant: &Tenant, count: usize, mark: &str) -> Self {
        let ask = async |query: &str, input: Value| {
            platform.data(&tenant.owner.token, query, json!({ "input": input })).await
        };
        for name in ["package".to_owned(), format!("only-{mark}")] {
            let query = "mutation ($input: CreateEntityTypeInput!) { createEntityType(input: $input) { __typename } }";
            ask(query, json!({ "name": name, "description": mark })).await;
        }

        let query =
            "mutation ($input: UpsertEntitiesInput!) { upsertEntities(input: $input) { results { id } } }";
        let item = |n| json!({ "key": format!("p{n}"), "type": "package", "name": format!("{mark} {n}") });
        let made = ask(query, json!({ "items": (0..count).map(item).collect::<Vec<_>>() })).await;
        let entities = ids(&made["upsertEntities"]["results"]);

        let query = "mutation ($input: UpsertRelationshipsInput!) { upsertRelationships(input: $input) { results { id } } }";
        let item = |n: usize| {
            let target = format!("p{}", (n / 2 + 1 + n % 2) % count);
            let properties = json!({ "note": mark });
            json!({ "sourceKey": format!("p{}", n / 2), "type": "depends_on", "targetKey": target, "properties": properties })
        };
        let made = ask(query, json!({ "items": (0..count * 2).map(item).collect::<Vec<_>>() })).await;
        let relationships = ids(&made["upsertRelationships"]["results"]);

        let query = "mutation ($input: CreateCollectionInput!) { createCollection(input: $input) { collection { id } } }";
        let made = ask(query, json!({ "name": "names", "dimension": 2, "metric": "EUCLIDEAN" })).await;
        let collection = text(&made["createCollection"]["collection"]["id"]);
        let query = "mutation ($input: UpsertItemsInput!) { upsertItems(input: $input) { created } }";
        let item = |(n, entity): (usize, &String)| {
            let metadata = json!({ "note": mark });
            json!({ "key": format!("p{n}"), "vector": [n, 1], "entityId": entity, "metadata": metadata })
        };
        let items: Vec<_> = entities.iter().enumerate().map(item).collect();
        ask(query, json!({ "collectionId": collection, "items": items })).await;

        let query = "mutation ($input: RecordEventsInput!) { recordEvents(input: $input) { recorded } }";
        let event = |entity| json!({ "name": format!("{mark}.viewed"), "value": 2, "entityId": entity });
        ask(query, json!({ "events": entities.iter().map(event).collect::<Vec<_>>() })).await;

        let query =
            "mutation ($input: CreateWebhookInput!) { createWebhook(input: $input) { webhook { id } } }";
        let filter = json!({ "subjects": ["nothing.ever"] });
        let new = json!({ "url": "https://hooks.invalid/", "description": mark, "filter": filter });
        let webhook = text(&ask(query, new).await["createWebhook"]["webhook"]["id"]);
        let [schema_version, composition, client] = registry(platform, tenant, mark).await;
        let [job, schedule, letter] = background(platform, tenant, mark).await;
        Self {
            entities,
            relationships,
            collection,
            webhook,
            schema_version,
            composition,
            client,
            job,
            schedule,
            letter,
        }
    }
}

/// A schema in the registry, what it was composed to, and a client application.
async fn registry(platform: &TestPlatform, tenant: &Tenant, mark: &str) -> [String; 3] {
    let ask = async |query: &str, input: Value| {
        platform.data(&tenant.owner.token, query, json!({ "input": input })).await
    };
    let query = "mutation ($input: PublishSubgraphInput!) { publishSubgraph(input: $input) { schemaVersion { id } composition { id } } }";
    let sdl = format!("\"{mark}\" type Query {{ a: Int }}");
    let new = json!({ "environment": mark, "subgraph": mark, "sdl": sdl, "message": mark });
    let published = &ask(query, new).await["publishSubgraph"];
    let query =
        "mutation ($input: CreateClientAppInput!) { createClientApp(input: $input) { clientApp { id } } }";
    let made = &ask(query, json!({ "name": mark, "description": mark })).await["createClientApp"];
    let query =
        "mutation ($input: PublishOperationsInput!) { publishOperations(input: $input) { isUnchanged } }";
    let manifest = json!({ mark: "query Own { organization { slug } }" }).to_string();
    ask(query, json!({ "client": mark, "version": "1", "manifest": manifest })).await;
    [&published["schemaVersion"], &published["composition"], &made["clientApp"]].map(|made| text(&made["id"]))
}

/// A job, a schedule and a dead letter, for which there is no API.
async fn background(platform: &TestPlatform, tenant: &Tenant, mark: &str) -> [String; 3] {
    let ids = [(); 3].map(|()| JobId::new(platform.store.clock().now()).to_string());
    let org = &tenant.id;
    let [job, schedule, letter] = &ids;
    let event = json!({
        "position": 1, "tenant": org, "kind": "created", "subject": mark, "key": letter, "version": 1, "changed": [],
        "attributes": {}, "actor": null, "request": null, "at": "2026-03-15T12:00:00Z",
    });
    let sql = format!(
        "INSERT INTO platform.jobs (id, tenant, kind, payload, priority, max_attempts, run_at, unique_key, created_at)
         VALUES ('{job}', '{org}', 'nobody.{mark}', '{{}}', 0, 3, now(), '{mark}', now());
         INSERT INTO platform.schedules (id, tenant, name, kind, cron, zone, payload, priority, missed, enabled, next_run,
             version, created_at, updated_at)
         VALUES ('{schedule}', '{org}', '{mark}', 'nobody.{mark}', '0 0 1 1 *', 'UTC', '{{}}', 0, 'skip', true,
             now() + interval '1 year', 1, now(), now());
         INSERT INTO platform.dead_letters (id, consumer, position, tenant, event, attempts, error, at)
         VALUES ('{letter}', 'nobody.{mark}', 1, '{org}', '{event}', 5, '{mark}', now())"
    );
    let mut connection = platform.database.connect().await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    ids
}

fn ids(results: &Value) -> Vec<String> {
    results.as_array().unwrap().iter().map(|result| text(&result["id"])).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
