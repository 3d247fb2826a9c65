//! Rights on single collections, and on the entities that items describe.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_graphql::Request;
use futures::stream::{BoxStream, StreamExt};
use pulse_events::{Log, Sequencer, Tail};
use pulse_types::{
    Caller, CollectionId, Effect, EntityId, Permission, Permissions, Resource, ResourceKind, Role,
};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::stage::{Stage, UPSERT, caller_of, now};

const LISTS: &str = "query ($id: ID!, $other: ID!, $entities: [_Any!]!) {
    collections { nodes { name itemCount } totalCount }
    collection(id: $id) { name itemCount items { nodes { key entity { id } vector } totalCount } }
    other: collection(id: $other) { name }
    search(collectionId: $id, vector: [0]) { item { key } }
    _entities(representations: $entities) { ... on Collection { name } ... on Entity { similar { entity { id } collection { name } } } } }";

/// Two collections of one number each. In `open`: items of three entities at 0, 1 and 2, and one of none at 3; in `other`: of the
/// first two.
struct Shelf {
    stage: Stage,
    open: String,
    other: String,
    entities: [EntityId; 3],
}

impl Shelf {
    async fn new() -> Self {
        let stage = Stage::new().await;
        let new = |name| json!({ "name": name, "dimension": 1, "metric": "EUCLIDEAN" });
        let (open, other) = (stage.collection(new("open")).await, stage.collection(new("other")).await);
        let entities = [(); 3].map(|()| EntityId::new(now()));
        let item =
            |nth: usize| json!({ "key": nth.to_string(), "vector": [nth], "entityId": entities.get(nth) });
        stage.upsert(&open, json!((0..4).map(item).collect::<Vec<_>>())).await;
        stage.upsert(&other, json!((0..2).map(item).collect::<Vec<_>>())).await;
        Self { stage, open, other, entities }
    }

    fn entity(&self, nth: usize) -> Resource {
        Resource::new(ResourceKind::ENTITY, self.entities[nth].uuid())
    }

    fn person(&self, permissions: Permissions, rights: Vec<(Effect, Permission, Resource)>) -> Caller {
        let org = self.stage.admin.org.expect("a tenant");
        Caller { permissions, rights: rights.into(), ..caller_of(org, Role::Admin) }
    }

    /// An admin from whom this is withheld.
    fn admin_without(&self, permission: Permission, resource: Resource) -> Caller {
        self.person(Role::Admin.permissions(), vec![(Effect::Deny, permission, resource)])
    }

    fn asked(&self) -> Value {
        let collections = [&self.open, &self.other].map(|id| json!({ "__typename": "Collection", "id": id }));
        let entities = self.entities.map(|id| json!({ "__typename": "Entity", "id": id }));
        let all: Vec<_> = collections.into_iter().chain(entities).collect();
        json!({ "id": self.open, "other": self.other, "entities": all })
    }

    async fn code(&self, caller: &Caller, query: &str, variables: Value) -> String {
        self.stage.refusal(caller, query, variables).await.0
    }
}

fn on(collection: &str) -> Resource {
    Resource::new(ResourceKind::COLLECTION, collection.parse::<CollectionId>().expect("an id").uuid())
}

fn keys(nodes: &Value, at: &str) -> BTreeSet<String> {
    let key = |node: &Value| node.pointer(at).and_then(Value::as_str).expect("a key").to_owned();
    nodes.as_array().expect("a list").iter().map(key).collect()
}

fn set(keys: &[&str]) -> BTreeSet<String> {
    keys.iter().map(|key| (*key).to_owned()).collect()
}

#[tokio::test]
async fn a_collection_that_is_withheld_is_nowhere_to_be_seen() {
    let shelf = Shelf::new().await;
    let narrowed = shelf.admin_without(Permission::COLLECTION_READ, on(&shelf.other));
    let seen = shelf.stage.data(&narrowed, LISTS, shelf.asked()).await;
    let open = json!({ "name": "open", "itemCount": 4 });
    assert_eq!(seen["collections"], json!({ "nodes": [open], "totalCount": 1 }));
    assert_eq!(seen["collection"]["items"]["totalCount"], 4);
    assert_eq!(seen["other"], Value::Null);
    assert_eq!(seen["_entities"][0], json!({ "name": "open" }));
    assert_eq!(seen["_entities"][1], Value::Null);
    for similar in &seen["_entities"].as_array().expect("a list")[2..] {
        assert_eq!(keys(&similar["similar"], "/collection/name"), set(&["open"]));
    }
    let search = "query ($id: ID!) { search(collectionId: $id, vector: [0]) { score } }";
    let rename =
        r#"mutation ($id: ID!) { updateCollection(input: { id: $id, name: "x" }) { collection { name } } }"#;
    let delete = "mutation ($id: ID!) { deleteCollection(input: { id: $id }) { id } }";
    for query in [search, rename, delete] {
        assert_eq!(shelf.code(&narrowed, query, json!({ "id": shelf.other })).await, "NOT_FOUND", "{query}");
    }
    let items = json!({ "input": { "collectionId": shelf.other, "items": [{ "key": "x", "vector": [1] }] } });
    assert_eq!(shelf.code(&narrowed, UPSERT, items).await, "NOT_FOUND");
    // Its name is taken, which cannot be hidden from who wants it.
    let create = r#"mutation { createCollection(input: { name: "other", dimension: 1, metric: DOT }) { collection { id } } }"#;
    assert_eq!(shelf.code(&narrowed, create, json!({})).await, "CONFLICT");
    let create = r#"mutation { createCollection(input: { name: "mine", dimension: 1, metric: DOT }) { collection { name } } }"#;
    shelf.stage.data(&narrowed, create, json!({})).await;
}

#[tokio::test]
async fn who_may_read_single_collections_alone_sees_them() {
    let shelf = Shelf::new().await;
    let allow = |permission| (Effect::Allow, permission, on(&shelf.open));
    let guest = shelf.person(Permissions::none(), vec![allow(Permission::COLLECTION_READ)]);
    let seen = shelf.stage.data(&guest, LISTS, shelf.asked()).await;
    assert_eq!(seen["collections"]["totalCount"], 1);
    assert_eq!(seen["other"], Value::Null);
    assert_eq!(keys(&seen["search"], "/item/key"), set(&["0", "1", "2", "3"]));
    let items = |collection: &str| json!({ "input": { "collectionId": collection, "items": [{ "key": "x", "vector": [1] }] } });
    assert_eq!(shelf.code(&guest, UPSERT, items(&shelf.open)).await, "FORBIDDEN");

    let writes = vec![allow(Permission::COLLECTION_READ), allow(Permission::ITEM_WRITE)];
    let guest = shelf.person(Permissions::none(), writes);
    let done = shelf.stage.data(&guest, UPSERT, items(&shelf.open)).await;
    assert_eq!(done["upsertItems"]["collection"]["itemCount"], 5);
    assert_eq!(shelf.code(&guest, UPSERT, items(&shelf.other)).await, "NOT_FOUND");
    let rename =
        r#"mutation ($id: ID!) { updateCollection(input: { id: $id, name: "x" }) { collection { name } } }"#;
    assert_eq!(shelf.code(&guest, rename, json!({ "id": shelf.open })).await, "FORBIDDEN");
    let nobody = shelf.person(Permissions::none(), vec![]);
    assert_eq!(shelf.code(&nobody, "{ collections { totalCount } }", json!({})).await, "FORBIDDEN");
    // Who sees single ones alone would not see what they make.
    let maker = [Permission::COLLECTION_MANAGE].into_iter().collect();
    let maker = shelf.person(maker, vec![allow(Permission::COLLECTION_READ)]);
    let create = r#"mutation { createCollection(input: { name: "mine", dimension: 1, metric: DOT }) { collection { id } } }"#;
    assert_eq!(shelf.code(&maker, create, json!({})).await, "FORBIDDEN");
    let renamed = shelf.stage.data(&maker, rename, json!({ "id": shelf.open })).await;
    assert_eq!(renamed["updateCollection"]["collection"]["name"], "x");
}

#[tokio::test]
async fn what_is_seen_may_be_closed_to_writes() {
    let shelf = Shelf::new().await;
    let items = json!({ "input": { "collectionId": shelf.open, "items": [{ "key": "x", "vector": [1] }] } });
    let closed = shelf.admin_without(Permission::ITEM_WRITE, on(&shelf.open));
    let (code, _, text) = shelf.stage.refusal(&closed, UPSERT, items).await;
    assert_eq!(code, "FORBIDDEN");
    let expected = format!(
        "you need the permission item:write on collection:{}; ask an admin of the organization",
        shelf.open
    );
    assert_eq!(text, expected);
    let delete =
        r#"mutation ($id: ID!) { deleteItems(input: { collectionId: $id, keys: ["0"] }) { deleted } }"#;
    assert_eq!(shelf.code(&closed, delete, json!({ "id": shelf.open })).await, "FORBIDDEN");
    let deleted = shelf.stage.data(&closed, delete, json!({ "id": shelf.other })).await;
    assert_eq!(deleted["deleteItems"]["deleted"], 1);
    let closed = shelf.admin_without(Permission::COLLECTION_MANAGE, on(&shelf.open));
    let delete = "mutation ($id: ID!) { deleteCollection(input: { id: $id }) { id } }";
    assert_eq!(shelf.code(&closed, delete, json!({ "id": shelf.open })).await, "FORBIDDEN");
    shelf.stage.data(&closed, delete, json!({ "id": shelf.other })).await;
}

#[tokio::test]
async fn items_of_an_entity_out_of_sight_are_not_seen_nor_counted() {
    let shelf = Shelf::new().await;
    let narrowed = shelf.admin_without(Permission::ENTITY_READ, shelf.entity(1));
    let seen = shelf.stage.data(&narrowed, LISTS, shelf.asked()).await;
    let counted = [json!({ "name": "open", "itemCount": 3 }), json!({ "name": "other", "itemCount": 1 })];
    assert_eq!(seen["collections"]["nodes"], json!(counted));
    assert_eq!(seen["collection"]["itemCount"], 3);
    assert_eq!(seen["collection"]["items"]["totalCount"], 3);
    assert_eq!(keys(&seen["collection"]["items"]["nodes"], "/key"), set(&["0", "2", "3"]));
    assert_eq!(keys(&seen["search"], "/item/key"), set(&["0", "2", "3"]));
    let [first, second, third] = shelf.entities.map(|id| id.to_string());
    assert_eq!(keys(&seen["_entities"][2]["similar"], "/entity/id"), set(&[&third]));
    assert_eq!(seen["_entities"][3]["similar"], json!([]));
    assert_eq!(keys(&seen["_entities"][4]["similar"], "/entity/id"), set(&[&first]));

    let only = vec![(Effect::Allow, Permission::ENTITY_READ, shelf.entity(1))];
    let reads: Permissions = [Permission::COLLECTION_READ].into_iter().collect();
    let seen = shelf.stage.data(&shelf.person(reads, only), LISTS, shelf.asked()).await;
    assert_eq!(keys(&seen["collection"]["items"]["nodes"], "/key"), set(&["1", "3"]));

    let put = |key: &str, entity: &str| json!({ "input": { "collectionId": shelf.open, "items": [{ "key": key, "vector": [1], "entityId": entity }] } });
    assert_eq!(shelf.code(&narrowed, UPSERT, put("new", &second)).await, "FORBIDDEN");
    let (code, field, _) = shelf.stage.refusal(&narrowed, UPSERT, put("1", &first)).await;
    assert_eq!(
        (code.as_str(), field.as_str()),
        ("CONFLICT", "input.items"),
        "the key of an item that is not seen"
    );
    let done = shelf.stage.data(&narrowed, UPSERT, put("new", &third)).await;
    assert_eq!(done["upsertItems"]["collection"]["itemCount"], 4);
    let delete = r#"mutation ($id: ID!) { deleteItems(input: { collectionId: $id, keys: ["1", "new"] }) { deleted } }"#;
    assert_eq!(
        shelf.stage.data(&narrowed, delete, json!({ "id": shelf.open })).await["deleteItems"]["deleted"],
        1
    );
}

#[tokio::test]
async fn an_index_is_searched_on_until_enough_is_in_sight() {
    let stage = Stage::new().await;
    let index = json!({ "exactBelow": 100 });
    let new = json!({ "name": "x", "dimension": 1, "metric": "EUCLIDEAN", "index": index });
    let id = stage.collection(new).await;
    let hidden: Vec<EntityId> = (0..190).map(|_| EntityId::new(now())).collect();
    let item = |nth: usize| json!({ "key": nth.to_string(), "vector": [nth], "entityId": hidden.get(nth) });
    stage.upsert(&id, json!((0..400).map(item).collect::<Vec<_>>())).await;
    assert_eq!(stage.work().await, 1);
    let deny = |id: &EntityId| {
        (Effect::Deny, Permission::ENTITY_READ, Resource::new(ResourceKind::ENTITY, id.uuid()))
    };
    let rights = hidden.iter().map(deny).collect();
    let narrowed = Caller { rights, ..caller_of(stage.admin.org.expect("a tenant"), Role::Viewer) };
    let search = "query ($id: ID!) { search(collectionId: $id, vector: [0], first: 3) { item { key } } }";
    let found = stage.data(&narrowed, search, json!({ "id": id })).await;
    let found = keys(&found["search"], "/item/key");
    assert_eq!(found.len(), 3);
    assert!(found.iter().all(|key| key.parse::<usize>().is_ok_and(|nth| nth >= hidden.len())), "{found:?}");
}

#[tokio::test]
async fn subscribers_hear_of_collections_in_sight_alone() {
    let shelf = Shelf::new().await;
    let store = shelf.stage.subgraph.store.clone();
    let (tail, reader) = Tail::new(&store);
    let stop = CancellationToken::new();
    let _stops = stop.clone().drop_guard();
    let mut sequencer = Sequencer::new(store.clone());
    while sequencer.step().await.expect("moves events") > 0 {}
    tokio::spawn(reader.listening(shelf.stage.database.options()).run(stop));
    let subgraph = pulse_vectors::subgraph(store.clone(), tail.clone());
    let follow = async |caller: &Caller, subscription: &str| -> BoxStream<'static, Value> {
        let stream = subgraph.api.subscribe(Arc::new(caller.clone()), Request::new(subscription)).await;
        stream.map(|response| serde_json::to_value(response).expect("is JSON")["data"].take()).boxed()
    };
    let narrowed = shelf.admin_without(Permission::COLLECTION_READ, on(&shelf.open));
    let allow = vec![(Effect::Allow, Permission::COLLECTION_READ, on(&shelf.other))];
    let guest = shelf.person(Permissions::none(), allow);
    let changed = "subscription { collectionChanged { id collection { name } } }";
    let items = "subscription { itemsChanged { collectionId collection { itemCount } } }";
    let mut heard = [
        (follow(&narrowed, changed).await, follow(&narrowed, items).await),
        (follow(&guest, changed).await, follow(&guest, items).await),
    ];

    let rename = "mutation ($id: ID!, $name: String!) { updateCollection(input: { id: $id, name: $name }) { collection { name } } }";
    for id in [&shelf.open, &shelf.other] {
        shelf.stage.data(&shelf.stage.admin, rename, json!({ "id": id, "name": format!("new {id}") })).await;
        shelf.stage.upsert(id, json!([{ "key": "x", "vector": [1] }])).await;
    }
    while sequencer.step().await.expect("moves events") > 0 {}
    let position = Log::new(store).head().await.expect("a log").position;
    tail.reaches(position).await;
    for (collections, batches) in &mut heard {
        let event = collections.next().await.expect("an event");
        let expected = json!({ "id": shelf.other, "collection": { "name": format!("new {}", shelf.other) } });
        assert_eq!(event["collectionChanged"], expected);
        let event = batches.next().await.expect("an event");
        let expected = json!({ "collectionId": shelf.other, "collection": { "itemCount": 3 } });
        assert_eq!(event["itemsChanged"], expected);
    }
}
