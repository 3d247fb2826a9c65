use pulse_types::EntityId;
use serde_json::{Value, json};

use crate::stage::{Stage, UPSERT, now};

const ITEMS: &str = "query ($id: ID!, $first: Int, $after: String, $filter: ItemFilter) { collection(id: $id) {
    items(first: $first, after: $after, filter: $filter) {
        totalCount nodes { key vector metadata version entity { id } } pageInfo { endCursor hasNextPage } } } }";

#[tokio::test]
async fn items_are_added_replaced_left_alone_and_deleted() {
    let stage = Stage::new().await;
    let id = stage.collection(json!({ "name": "x", "dimension": 2, "metric": "EUCLIDEAN" })).await;
    let entity = EntityId::new(now());
    let a = json!({ "key": "a", "vector": [1.5, -2], "metadata": { "n": 1 }, "entityId": entity });
    let b = json!({ "key": "b", "vector": [0, 0] });
    let collection = |count| json!({ "itemCount": count, "indexStatus": "EXACT", "version": 1 });
    let expected = json!({ "created": 2, "updated": 0, "unchanged": 0, "collection": collection(2) });
    assert_eq!(stage.upsert(&id, json!([a, b])).await, expected);
    let changed = json!({ "key": "b", "vector": [3, 4] });
    let expected = json!({ "created": 1, "updated": 1, "unchanged": 1, "collection": collection(3) });
    assert_eq!(stage.upsert(&id, json!([a, changed, { "key": "c", "vector": [5, 6] }])).await, expected);

    let items = stage.data(&stage.admin, ITEMS, json!({ "id": id, "filter": { "keys": ["a", "b"] } })).await;
    let expected = json!({
        "totalCount": 2,
        "nodes": [
            { "key": "a", "vector": [1.5, -2.0], "metadata": { "n": 1 }, "version": 1, "entity": { "id": entity } },
            { "key": "b", "vector": [3.0, 4.0], "metadata": {}, "version": 2, "entity": null },
        ],
    });
    let items = &items["collection"]["items"];
    assert_eq!(json!({ "totalCount": items["totalCount"], "nodes": items["nodes"] }), expected);

    let remove = "mutation ($input: DeleteItemsInput!) { deleteItems(input: $input) { deleted collection { itemCount } } }";
    let keys = json!({ "input": { "collectionId": id, "keys": ["a", "b", "none"] } });
    let expected = json!({ "deleteItems": { "deleted": 2, "collection": { "itemCount": 1 } } });
    assert_eq!(stage.data(&stage.admin, remove, keys).await, expected);
    let kept = "SELECT count(*) FROM vectors.history WHERE subject = 'vectors.item'";
    assert_eq!(stage.count(kept).await, 3, "b once replaced, a and b deleted");
    let told = "SELECT count(*) FROM platform.outbox WHERE subject = 'vectors.items'";
    assert_eq!(stage.count(told).await, 3, "one event for each write");
}

#[tokio::test]
async fn a_repeated_upsert_is_done_once() {
    let stage = Stage::new().await;
    let id = stage.collection(json!({ "name": "x", "dimension": 1, "metric": "DOT" })).await;
    let input = |vector: f32| json!({ "input": { "collectionId": id, "idempotencyKey": "k", "items": [{ "key": "a", "vector": [vector] }] } });
    let first = stage.data(&stage.admin, UPSERT, input(1.0)).await;
    assert_eq!(stage.data(&stage.admin, UPSERT, input(1.0)).await, first);
    assert_eq!(stage.refusal(&stage.admin, UPSERT, input(2.0)).await.0, "CONFLICT");
    assert_eq!(stage.count("SELECT count(*) FROM platform.audit WHERE action = 'item:upsert'").await, 1);
}

#[tokio::test]
async fn bad_items_are_named_and_nothing_is_written() {
    let stage = Stage::new().await;
    let id = stage.collection(json!({ "name": "x", "dimension": 2, "metric": "COSINE" })).await;
    let good = json!({ "key": "good", "vector": [1, 2] });
    let many: Vec<Value> = (0..1001).map(|n| json!({ "key": n.to_string(), "vector": [1, 2] })).collect();
    for (items, field, text) in [
        (
            json!([good, { "key": "a", "vector": [1] }]),
            "input.items[1].vector",
            "the vector has 1 numbers, the collection has vectors of 2",
        ),
        (
            json!([good, { "key": "a", "vector": [1, 1e39] }]),
            "input.items[1].vector[1]",
            "number 1 of the vector is not a finite 32-bit number",
        ),
        (
            json!([good, { "key": "a", "vector": [0, 0] }]),
            "input.items[1].vector",
            "a vector of zeros, or so near to it, has no direction, so COSINE cannot compare it",
        ),
        (
            json!([good, { "key": "a", "vector": [3e38, 0] }]),
            "input.items[1].vector",
            "the vector is too long: the sum of its squares does not fit into 32 bits",
        ),
        (
            json!([good, good]),
            "input.items[1].key",
            "the key \"good\" stands at 0 and at 1: send each item once",
        ),
        (
            json!([{ "key": "", "vector": [1, 2] }]),
            "input.items[0].key",
            "a key has 1 to 500 characters, this one has 0",
        ),
        (json!([]), "input.items", "0 at once: allowed is 1 to 1000"),
        (json!(many), "input.items", "1001 at once: allowed is 1 to 1000"),
    ] {
        let input = json!({ "input": { "collectionId": id, "items": items } });
        let refusal = stage.refusal(&stage.admin, UPSERT, input).await;
        assert_eq!(refusal, ("BAD_USER_INPUT".to_owned(), field.to_owned(), text.to_owned()));
    }
    let null = json!({ "input": { "collectionId": id, "items": [{ "key": "a", "vector": [1, null] }] } });
    assert!(stage.ask(&stage.admin, UPSERT, null).await["errors"].is_array());
    assert_eq!(stage.count("SELECT count(*) FROM vectors.items").await, 0);
    assert_eq!(stage.count("SELECT count(*) FROM platform.audit WHERE action = 'item:upsert'").await, 0);
}

#[tokio::test]
async fn a_page_of_items_with_vectors_takes_as_many_statements_as_one_item() {
    let stage = Stage::new().await;
    let id = stage.collection(json!({ "name": "x", "dimension": 1, "metric": "DOT" })).await;
    let items: Vec<Value> = (0..50).map(|n| json!({ "key": format!("{n:02}"), "vector": [n] })).collect();
    stage.upsert(&id, json!(items)).await;
    let (one, _) = stage.statements(stage.data(&stage.admin, ITEMS, json!({ "id": id, "first": 1 }))).await;
    let (all, page) =
        stage.statements(stage.data(&stage.admin, ITEMS, json!({ "id": id, "first": 40 }))).await;
    assert_eq!((one, all), (4, 4), "collection, items, their number, their vectors");
    let items = &page["collection"]["items"];
    assert_eq!(items["nodes"].as_array().map(Vec::len), Some(40));
    let rest = json!({ "id": id, "first": 40, "after": items["pageInfo"]["endCursor"] });
    let page = stage.data(&stage.admin, ITEMS, rest).await;
    assert_eq!(page["collection"]["items"]["nodes"].as_array().map(Vec::len), Some(10));
    assert_eq!(page["collection"]["items"]["pageInfo"]["hasNextPage"], false);
}
