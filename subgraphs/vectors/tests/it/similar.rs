use pulse_types::EntityId;
use serde_json::{Value, json};

use crate::stage::{Stage, now};

const SIMILAR: &str = "query ($representations: [_Any!]!, $first: Int! = 10, $collection: ID) {
    _entities(representations: $representations) { ... on Entity {
        similar(first: $first, collectionId: $collection) { entity { id } score collection { name } } } } }";

fn representations(entities: &[EntityId]) -> Value {
    entities.iter().map(|id| json!({ "__typename": "Entity", "id": id })).collect()
}

/// The similar entities of the nth representation.
fn similar(data: &Value, nth: usize) -> Vec<&str> {
    let rows = data["_entities"][nth]["similar"].as_array().expect("a list");
    rows.iter().map(|row| row["entity"]["id"].as_str().expect("an id")).collect()
}

/// Entities 0, 1, 2 … whose items stand at those places of a line.
async fn line(stage: &Stage, collection: &str, length: u8) -> Vec<EntityId> {
    let entities: Vec<EntityId> = (0..length).map(|_| EntityId::new(now())).collect();
    let items: Vec<Value> = (0..length)
        .map(|n| json!({ "key": n.to_string(), "vector": [n], "entityId": entities[usize::from(n)] }))
        .collect();
    stage.upsert(collection, json!(items)).await;
    entities
}

#[tokio::test]
async fn an_entity_has_the_entities_of_the_nearest_items() {
    let stage = Stage::new().await;
    let id = stage.collection(json!({ "name": "x", "dimension": 1, "metric": "EUCLIDEAN" })).await;
    let entities = line(&stage, &id, 5).await;
    // A second item of the second entity, farther away: it must be shown once, by its nearest.
    stage.upsert(&id, json!([{ "key": "far", "vector": [1.6], "entityId": entities[1] }, { "key": "nobody", "vector": [0.1] }])).await;
    let unknown = EntityId::new(now());
    let keys = representations(&[entities[0], unknown]);
    let data = stage.data(&stage.admin, SIMILAR, json!({ "representations": keys, "first": 2 })).await;
    let expected = json!({ "_entities": [
        { "similar": [
            { "entity": { "id": entities[1] }, "score": 0.5, "collection": { "name": "x" } },
            { "entity": { "id": entities[2] }, "score": 1.0 / 3.0, "collection": { "name": "x" } },
        ] },
        { "similar": [] },
    ] });
    assert_eq!(data, expected);
    let data = stage.data(&stage.stranger, SIMILAR, json!({ "representations": keys })).await;
    assert_eq!(data, json!({ "_entities": [{ "similar": [] }, { "similar": [] }] }));
    let (code, field, _) = stage
        .refusal(&stage.admin, SIMILAR, json!({ "representations": representations(&[unknown]), "first": 0 }))
        .await;
    assert_eq!((code.as_str(), field.as_str()), ("BAD_USER_INPUT", "first"));
}

#[tokio::test]
async fn similar_entities_of_many_take_as_many_statements_as_of_one() {
    let stage = Stage::new().await;
    let one = stage.collection(json!({ "name": "one", "dimension": 1, "metric": "EUCLIDEAN" })).await;
    let entities = line(&stage, &one, 30).await;
    let other = json!({ "name": "other", "dimension": 2, "metric": "DOT", "index": { "exactBelow": 1 } });
    let other = stage.collection(other).await;
    let items = json!([
        { "key": "a", "vector": [1, 0], "entityId": entities[0] },
        { "key": "b", "vector": [9, 0], "entityId": entities[29] },
    ]);
    stage.upsert(&other, items).await;
    assert_eq!(stage.work().await, 1);
    let ask = |keys: &[EntityId]| json!({ "representations": representations(keys), "first": 3 });
    let (single, _) = stage.statements(stage.data(&stage.admin, SIMILAR, ask(&entities[..1]))).await;
    let (many, data) = stage.statements(stage.data(&stage.admin, SIMILAR, ask(&entities))).await;
    assert_eq!((single, many), (4, 4));
    let text = |nth: usize| entities[nth].to_string();
    assert_eq!(similar(&data, 0), [text(29), text(1), text(2)], "both collections, the best scores first");
    assert_eq!(similar(&data, 10).len(), 3);
    let only = json!({ "representations": representations(&entities[..1]), "first": 3, "collection": other });
    let data = stage.data(&stage.admin, SIMILAR, only).await;
    assert_eq!(similar(&data, 0), [text(29)]);
}
