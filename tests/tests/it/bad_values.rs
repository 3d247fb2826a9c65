//! Values that the schema allows and the subgraphs do not.

use insta::assert_snapshot;
use pulse_tests::{Graph, Tenant};
use serde_json::{Value, json};

use crate::{Refusals, redact};

const UPSERT_ITEMS: &str = "mutation ($input: UpsertItemsInput!) { upsertItems(input: $input) { created } }";
const UPSERT_ENTITIES: &str =
    "mutation ($input: UpsertEntitiesInput!) { upsertEntities(input: $input) { created } }";
const UPSERT_RELATIONSHIPS: &str =
    "mutation ($input: UpsertRelationshipsInput!) { upsertRelationships(input: $input) { created } }";
const CREATE_RELATIONSHIP: &str = "mutation ($input: CreateRelationshipInput!) { createRelationship(input: $input) { relationship { id } } }";

async fn filled() -> (Refusals, Graph) {
    let refusals = Refusals::new().await;
    let graph = Graph::fill(&refusals.platform, &refusals.tenant, 3, "alpha").await;
    (refusals, graph)
}

#[tokio::test]
async fn vectors_that_do_not_fit_their_collection_are_refused() {
    let (refusals, graph) = filled().await;
    let create = "mutation { createCollection(input: { name: \"angles\", dimension: 2, metric: COSINE }) { collection { id } } }";
    let made = refusals.platform.data(&refusals.tenant.owner.token, create, json!({})).await;
    let cosine = made["createCollection"]["collection"]["id"].as_str().unwrap();
    let _redact = redact();

    let put = async |collection: &str, vector: Value| {
        let item = json!({ "key": "k", "vector": vector });
        // The first item is right, and must not be stored either.
        let items = json!([{ "key": "right", "vector": [1, 1] }, item]);
        refusals.of(UPSERT_ITEMS, json!({ "input": { "collectionId": collection, "items": items } })).await
    };
    assert_snapshot!(put(&graph.collection, json!([1, 2, 3])).await, @r#"
    200 OK
    {"message":"the vector has 3 numbers, the collection has vectors of 2","path":["upsertItems"],"extensions":{"code":"BAD_USER_INPUT","field":"input.items[1].vector","subgraph":"vectors"}}
    "#);
    assert_snapshot!(put(&graph.collection, json!([])).await, @r#"
    200 OK
    {"message":"the vector has 0 numbers, the collection has vectors of 2","path":["upsertItems"],"extensions":{"code":"BAD_USER_INPUT","field":"input.items[1].vector","subgraph":"vectors"}}
    "#);
    assert_snapshot!(put(&graph.collection, json!([1, null])).await, @r#"
    400 Bad Request
    {"message":"variable `$input.items[1].vector[1]` must not be null, its type is `Float!`","extensions":{"code":"BAD_USER_INPUT","reason":"INVALID_VARIABLES"}}
    "#);
    assert_snapshot!(put(&graph.collection, json!([1, "NaN"])).await, @r#"
    400 Bad Request
    {"message":"variable `$input.items[1].vector[1]` must be a number (`Float`), found a string \"NaN\"","extensions":{"code":"BAD_USER_INPUT","reason":"INVALID_VARIABLES"}}
    "#);
    assert_snapshot!(put(&graph.collection, json!([1, 1e39])).await, @r#"
    200 OK
    {"message":"number 1 of the vector is not a finite 32-bit number","path":["upsertItems"],"extensions":{"code":"BAD_USER_INPUT","field":"input.items[1].vector[1]","subgraph":"vectors"}}
    "#);
    assert_snapshot!(put(cosine, json!([0, 0])).await, @r#"
    200 OK
    {"message":"a vector of zeros, or so near to it, has no direction, so COSINE cannot compare it","path":["upsertItems"],"extensions":{"code":"BAD_USER_INPUT","field":"input.items[1].vector","subgraph":"vectors"}}
    "#);

    let infinite = format!(
        "{{\"query\": \"{UPSERT_ITEMS}\", \"variables\": {{\"input\": {{\"collectionId\": \"{cosine}\", \"items\": [{{\"key\": \"k\", \"vector\": [1, 1e400]}}]}}}}}}"
    );
    assert_snapshot!(refusals.of_body(infinite.as_str()).await, @r#"
    200 OK
    {"message":"Invalid value for argument \"input.items.0.vector.1\", expected type \"Float\"","path":["upsertItems"],"extensions":{"code":"BAD_USER_INPUT","subgraph":"vectors"}}
    "#);
    assert_snapshot!(refusals.of_body(infinite.replace("1e400", "NaN")).await, @r#"
    400 Bad Request
    {"message":"the request's body is not valid JSON: expected a value at byte 210","extensions":{"code":"BAD_USER_INPUT","reason":"BAD_REQUEST"}}
    "#);
    let literal = format!(
        "mutation {{ upsertItems(input: {{ collectionId: \"{cosine}\", items: [{{ key: \"k\", vector: [1, 1e400] }}] }}) {{ created }} }}"
    );
    assert_snapshot!(refusals.of(&literal, json!({})).await, @r#"
    200 OK
    {"message":"Invalid value for argument \"input.items.0.vector.1\", expected type \"Float\"","path":["upsertItems"],"extensions":{"code":"BAD_USER_INPUT","subgraph":"vectors"}}
    "#);
    let search = format!("{{ search(collectionId: \"{cosine}\", vector: [1]) {{ score }} }}");
    assert_snapshot!(refusals.of(&search, json!({})).await, @r#"
    200 OK
    {"message":"the vector has 1 numbers, the collection has vectors of 2","path":["search"],"extensions":{"code":"BAD_USER_INPUT","field":"vector","subgraph":"vectors"}}
    "#);
}

#[tokio::test]
async fn entities_that_cannot_be_are_refused() {
    let (refusals, _graph) = filled().await;
    let _redact = redact();
    let put = async |items: Value| refusals.of(UPSERT_ENTITIES, json!({ "input": { "items": items } })).await;
    let right = json!({ "key": "right", "type": "package", "name": "Right" });
    let sure = json!({ "key": "k", "type": "package", "name": "K", "confidence": 1.5 });
    assert_snapshot!(put(json!([right, sure])).await, @r#"
    200 OK
    {"message":"1 of the items cannot be stored, so none was: items[1]: `confidence` is 1.5, allowed is 0 to 1","path":["upsertEntities"],"extensions":{"code":"BAD_USER_INPUT","field":"input.items[1].confidence","problems":[{"field":"input.items[1].confidence","message":"`confidence` is 1.5, allowed is 0 to 1"}],"subgraph":"entities"}}
    "#);
    assert_snapshot!(put(json!([right, right])).await, @r#"
    200 OK
    {"message":"1 of the items cannot be stored, so none was: items[1]: names the same as items[0]: send each once in a batch","path":["upsertEntities"],"extensions":{"code":"BAD_USER_INPUT","field":"input.items[1].key","problems":[{"field":"input.items[1].key","message":"names the same as items[0]: send each once in a batch"}],"subgraph":"entities"}}
    "#);
    assert_snapshot!(put(json!([right, { "key": "k", "type": "nothing", "name": "K" }])).await, @r#"
    200 OK
    {"message":"1 of the items cannot be stored, so none was: items[1]: there is no entity type \"nothing\" in this organization: create it with `createEntityType`","path":["upsertEntities"],"extensions":{"code":"NOT_FOUND","field":"input.items[1].type","problems":[{"field":"input.items[1].type","message":"there is no entity type \"nothing\" in this organization: create it with `createEntityType`"}],"subgraph":"entities"}}
    "#);
    assert_snapshot!(put(json!([right, { "key": "", "type": "package", "name": "K" }])).await, @r#"
    200 OK
    {"message":"1 of the items cannot be stored, so none was: items[1]: `key` has 0 characters, allowed is 1 to 500","path":["upsertEntities"],"extensions":{"code":"BAD_USER_INPUT","field":"input.items[1].key","problems":[{"field":"input.items[1].key","message":"`key` has 0 characters, allowed is 1 to 500"}],"subgraph":"entities"}}
    "#);
    assert_snapshot!(put(json!([right, { "key": "nul\u{0}", "type": "package", "name": "K" }])).await, @r#"
    200 OK
    {"message":"1 of the items cannot be stored, so none was: items[1]: `key` contains a control character","path":["upsertEntities"],"extensions":{"code":"BAD_USER_INPUT","field":"input.items[1].key","problems":[{"field":"input.items[1].key","message":"`key` contains a control character"}],"subgraph":"entities"}}
    "#);
    assert_snapshot!(put(json!(vec![right; 1_001])).await, @r#"
    200 OK
    {"message":"`items` has 1001 items, allowed are 1 to 1000: send several batches","path":["upsertEntities"],"extensions":{"code":"BAD_USER_INPUT","field":"input.items","subgraph":"entities"}}
    "#);
}

#[tokio::test]
async fn relationships_to_nothing_and_across_tenants_are_refused() {
    let (refusals, graph) = filled().await;
    let beta = Tenant::found(&refusals.platform, "beta").await;
    let foreign = Graph::fill(&refusals.platform, &beta, 2, "beta").await;
    let _redact = redact();
    let create = async |target: Value| {
        let mut input = json!({ "sourceId": graph.entities[0], "type": "new" });
        input.as_object_mut().unwrap().extend(target.as_object().unwrap().clone());
        refusals.of(CREATE_RELATIONSHIP, json!({ "input": input })).await
    };
    assert_snapshot!(create(json!({ "targetKey": "nothing" })).await, @r#"
    200 OK
    {"message":"`target` refers to no entity of this organization: none has the key \"nothing\"","path":["createRelationship"],"extensions":{"code":"NOT_FOUND","field":"input.target","subgraph":"entities"}}
    "#);
    assert_snapshot!(create(json!({ "targetId": graph.collection })).await, @r#"
    200 OK
    {"message":"`target` refers to no entity of this organization: none has the id [id]","path":["createRelationship"],"extensions":{"code":"NOT_FOUND","field":"input.target","subgraph":"entities"}}
    "#);
    assert_snapshot!(create(json!({ "targetId": foreign.entities[0] })).await, @r#"
    200 OK
    {"message":"`target` refers to no entity of this organization: none has the id [id]","path":["createRelationship"],"extensions":{"code":"NOT_FOUND","field":"input.target","subgraph":"entities"}}
    "#);
    assert_snapshot!(create(json!({})).await, @r#"
    200 OK
    {"message":"`input` needs either `targetId` or `targetKey`","path":["createRelationship"],"extensions":{"code":"BAD_USER_INPUT","field":"input.targetId","subgraph":"entities"}}
    "#);
    let end = |key: &str| json!({ "sourceKey": "p0", "targetKey": key, "type": "new" });
    let put =
        async |items: Value| refusals.of(UPSERT_RELATIONSHIPS, json!({ "input": { "items": items } })).await;
    assert_snapshot!(put(json!([end("p1"), end("nothing")])).await, @r#"
    200 OK
    {"message":"1 of the items cannot be stored, so none was: items[1]: `target` refers to no entity of this organization: none has the key \"nothing\"","path":["upsertRelationships"],"extensions":{"code":"NOT_FOUND","field":"input.items[1].target","problems":[{"field":"input.items[1].target","message":"`target` refers to no entity of this organization: none has the key \"nothing\""}],"subgraph":"entities"}}
    "#);
    assert_snapshot!(put(json!([end("p1"), end("p1")])).await, @r#"
    200 OK
    {"message":"1 of the items cannot be stored, so none was: items[1]: names the same as items[0]: send each once in a batch","path":["upsertRelationships"],"extensions":{"code":"BAD_USER_INPUT","field":"input.items[1].source","problems":[{"field":"input.items[1].source","message":"names the same as items[0]: send each once in a batch"}],"subgraph":"entities"}}
    "#);
}

#[tokio::test]
async fn pages_and_ids_that_cannot_be_are_refused() {
    let (refusals, _graph) = filled().await;
    let _redact = redact();
    let none = || json!({});
    assert_snapshot!(refusals.of("{ entities(first: 0) { totalCount } }", none()).await, @r#"
    200 OK
    {"message":"`first` is 0, allowed is 1 to 100","path":["entities"],"extensions":{"code":"BAD_USER_INPUT","field":"first","subgraph":"entities"}}
    "#);
    assert_snapshot!(refusals.of("{ entities(first: 101) { totalCount } }", none()).await, @r#"
    200 OK
    {"message":"`first` is 101, allowed is 1 to 100","path":["entities"],"extensions":{"code":"BAD_USER_INPUT","field":"first","subgraph":"entities"}}
    "#);
    assert_snapshot!(refusals.of("{ entities(first: 1, last: 1) { totalCount } }", none()).await, @r#"
    200 OK
    {"message":"page forwards with `first` and `after`, or backwards with `last` and `before`, not with both","path":["entities"],"extensions":{"code":"BAD_USER_INPUT","subgraph":"entities"}}
    "#);
    assert_snapshot!(refusals.of("{ entities(after: \"nonsense\") { totalCount nodes { id } } }", none()).await, @r#"
    200 OK
    {"message":"this cursor is not from this list with this order: start again without it","path":["entities"],"extensions":{"code":"BAD_USER_INPUT","subgraph":"entities"}}
    "#);
    // A cursor of another list, with another key.
    let query = "{ entityTypes(first: 1) { pageInfo { endCursor } } }";
    let data = refusals.platform.data(&refusals.tenant.owner.token, query, none()).await;
    let cursor = data["entityTypes"]["pageInfo"]["endCursor"].as_str().unwrap();
    for field in ["entities", "events", "organizations"] {
        let query = format!("{{ {field}(after: \"{cursor}\") {{ nodes {{ id }} }} }}");
        let refused = refusals.of(&query, none()).await;
        assert!(refused.contains("\"code\":\"BAD_USER_INPUT\""), "{field}: {refused}");
    }
    assert_snapshot!(refusals.of("{ entity(id: \"p0\") { name } }", none()).await, @r#"
    200 OK
    {"message":"Failed to parse \"ID\": \"p0\" is not an id: expected a UUID such as [id]","path":["entity"],"extensions":{"code":"BAD_USER_INPUT","subgraph":"entities"}}
    "#);
    assert_snapshot!(refusals.of("{ entity(id: 7) { name } }", none()).await, @r#"
    200 OK
    {"message":"Failed to parse \"ID\": \"7\" is not an id: expected a UUID such as [id]","path":["entity"],"extensions":{"code":"BAD_USER_INPUT","subgraph":"entities"}}
    "#);
    assert_snapshot!(refusals.of("{ collection(id: \"x\") { name } }", none()).await, @r#"
    200 OK
    {"message":"Failed to parse \"ID\": \"x\" is not an id: expected a UUID such as [id]","path":["collection"],"extensions":{"code":"BAD_USER_INPUT","subgraph":"vectors"}}
    "#);
    assert_snapshot!(refusals.of("{ organization(id: \"x\") { name } }", none()).await, @r#"
    200 OK
    {"message":"Failed to parse \"ID\": \"x\" is not an id: expected a UUID such as [id]","path":["organization"],"extensions":{"code":"BAD_USER_INPUT","subgraph":"accounts"}}
    "#);
    assert_snapshot!(refusals.of("{ entity { name } }", none()).await, @r#"
    200 OK
    {"message":"`entity` needs either `id` or `key`","path":["entity"],"extensions":{"code":"BAD_USER_INPUT","field":"id","subgraph":"entities"}}
    "#);
}

#[tokio::test]
async fn times_that_cannot_be_are_refused() {
    let (refusals, _graph) = filled().await;
    let _redact = redact();
    let series = async |from: &str, to: &str, zone: &str| {
        let input = json!({ "from": from, "to": to, "interval": "HOUR", "timeZone": zone });
        let query = "query ($input: TimeSeriesInput!) { timeSeries(input: $input) { omittedGroups } }";
        refusals.of(query, json!({ "input": input })).await
    };
    let (start, end) = ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z");
    assert_snapshot!(series(start, end, "Mars/Olympus").await, @r#"
    200 OK
    {"message":"\"Mars/Olympus\" is not a time zone: give an IANA name such as Europe/Berlin or UTC","path":["timeSeries"],"extensions":{"code":"BAD_USER_INPUT","field":"timeZone","subgraph":"analytics"}}
    "#);
    assert_snapshot!(series(end, start, "UTC").await, @r#"
    200 OK
    {"message":"`to` must be later than `from`","path":["timeSeries"],"extensions":{"code":"BAD_USER_INPUT","field":"to","subgraph":"analytics"}}
    "#);
    assert_snapshot!(series(start, "2027-01-01T00:00:00Z", "UTC").await, @r#"
    200 OK
    {"message":"about 8761 points: allowed are 1000; choose a longer interval or a shorter range","path":["timeSeries"],"extensions":{"code":"BAD_USER_INPUT","field":"interval","subgraph":"analytics"}}
    "#);
    assert_snapshot!(series("yesterday", end, "UTC").await, @r#"
    200 OK
    {"message":"Failed to parse \"DateTime\": input contains invalid characters (occurred while parsing \"TimeSeriesInput\")","path":["timeSeries"],"extensions":{"code":"BAD_USER_INPUT","subgraph":"analytics"}}
    "#);
    let record = "mutation { recordEvents(input: { events: [{ name: \"right\" }, { name: \"old\", at: \"1999-01-01T00:00:00Z\" }] }) { recorded } }";
    assert_snapshot!(refusals.of(record, json!({})).await, @r#"
    200 OK
    {"message":"1999-01-01 00:00:00 UTC is more than 3653 days ago: events are kept for ten years","path":["recordEvents"],"extensions":{"code":"BAD_USER_INPUT","field":"input.events[1].at","subgraph":"analytics"}}
    "#);
}
