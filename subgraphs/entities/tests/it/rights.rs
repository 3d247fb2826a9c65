//! Rights on single entities: what is not in sight is not there.

use std::sync::Arc;

use async_graphql::{Request, Variables};
use futures::stream::StreamExt;
use pulse_types::{Caller, Effect, Permission, Permissions, Resource, ResourceKind, Role};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection};

use crate::kept_processes::{Process, Processes};
use crate::refusal;

/// a needs b, b needs c, c needs a; a owns d, d owns c. Keys and ids are of one process, which keeps what it has read.
pub(crate) struct Rights {
    pub(crate) processes: Processes,
    admin: Arc<Caller>,
}

impl Rights {
    async fn new() -> Self {
        let mut processes = Processes::two(None).await;
        let admin = processes.person(Role::Admin);
        let process = &processes.all[0];
        process.upsert(&admin, json!([{ "key": "d", "type": "package", "name": "package d" }])).await;
        let item = |(source, name, target)| json!({ "sourceKey": source, "type": name, "targetKey": target });
        let related = [
            ("a", "needs", "b"),
            ("b", "needs", "c"),
            ("c", "needs", "a"),
            ("a", "owns", "d"),
            ("d", "owns", "c"),
        ];
        let items: Vec<_> = related.into_iter().map(item).collect();
        let upsert = "mutation ($items: [UpsertRelationshipItem!]!) \
                      { upsertRelationships(input: { items: $items }) { created } }";
        process.ask(&admin, upsert, json!({ "items": items })).await;
        processes.settle().await;
        Self { processes, admin }
    }

    fn process(&self) -> &Process {
        &self.processes.all[0]
    }

    async fn id(&self, key: &str) -> String {
        let find = "query ($key: String!) { entity(key: $key) { id } }";
        let found = self.process().ask(&self.admin, find, json!({ "key": key })).await;
        found["entity"]["id"].as_str().unwrap().to_owned()
    }

    /// Somebody with these permissions in the tenant, and what is said of entities by their keys.
    async fn person(&self, permissions: Permissions, said: &[(Effect, Permission, &str)]) -> Arc<Caller> {
        let mut rights = Vec::new();
        for (effect, permission, key) in said {
            let id: uuid::Uuid = self.id(key).await.parse().unwrap();
            rights.push((*effect, permission.clone(), Resource::new(ResourceKind::ENTITY, id)));
        }
        let person = self.processes.person(Role::Viewer);
        Arc::new(Caller { permissions, rights: rights.into_iter().collect(), ..(*person).clone() })
    }

    /// An admin in whose sight the entity of this key is not.
    async fn admin_without(&self, key: &str) -> Arc<Caller> {
        self.person(Role::Admin.permissions(), &[(Effect::Deny, Permission::ENTITY_READ, key)]).await
    }

    async fn refused(&self, caller: &Arc<Caller>, query: &str, variables: Value) -> (String, String) {
        let request = Request::new(query).variables(Variables::from_json(variables));
        let (code, _, text) = refusal(&self.process().respond(caller, request).await);
        (code, text)
    }
}

fn allow(key: &str) -> (Effect, Permission, &str) {
    (Effect::Allow, Permission::ENTITY_READ, key)
}

const EVERYTHING: &str = r#"query ($a: ID!, $b: ID!, $c: ID!, $ab: ID!, $entities: [_Any!]!) {
    byId: entity(id: $b) { key } byKey: entity(key: "b") { key }
    _entities(representations: $entities) { ... on Entity { key } }
    entities { nodes { key } totalCount }
    keys: entities(filter: { keys: ["b", "c"] }) { nodes { key } totalCount }
    named: entities(filter: { namePrefix: "package b" }, orderBy: { field: NAME }) { nodes { key } totalCount }
    a: entity(key: "a") {
        relationships { nodes { type source { key } target { key } } totalCount }
        neighbors { nodes { key } totalCount }
    }
    relationship(id: $ab) { type }
    relationships { nodes { type source { key } target { key } } totalCount }
    into: relationships(filter: { target: $b }) { nodes { type } totalCount }
    subgraph(from: [$a], depth: 3) { nodes { distance entity { key } } edges { type target { key } } relationshipsRead }
    from: subgraph(from: [$b], depth: 3) { nodes { entity { key } } edges { type } relationshipsRead }
    shortestPath(from: $a, to: $c) { path { nodes { key } } }
    paths(from: $a, to: $c) { nodes { nodes { key } } totalCount }
}"#;

/// What is asked for in [`EVERYTHING`].
async fn variables(rights: &Rights) -> Value {
    let (a, b, c) = (rights.id("a").await, rights.id("b").await, rights.id("c").await);
    let find =
        "query ($a: ID!, $b: ID!) { relationships(filter: { source: $a, target: $b }) { nodes { id } } }";
    let found = rights.process().ask(&rights.admin, find, json!({ "a": a, "b": b })).await;
    let ab = &found["relationships"]["nodes"][0]["id"];
    let entities = [&a, &b].map(|id| json!({ "__typename": "Entity", "id": id }));
    json!({ "a": a, "b": b, "c": c, "ab": ab, "entities": entities })
}

#[tokio::test]
async fn an_entity_that_is_withheld_is_nowhere_to_be_seen() {
    let rights = Rights::new().await;
    let (process, variables) = (rights.process(), variables(&rights).await);
    let viewer = rights.processes.person(Role::Viewer);
    // What others have read is kept.
    let all = process.ask(&viewer, EVERYTHING, variables.clone()).await;
    assert_eq!(all["byId"]["key"], "b");
    assert_eq!(all["entities"]["totalCount"], 4);
    assert_eq!(all["relationships"]["totalCount"], 5);
    assert_eq!(all["paths"]["totalCount"], 2);

    let narrowed = rights
        .person(Role::Viewer.permissions(), &[(Effect::Deny, Permission::ENTITY_READ, "b"), allow("b")])
        .await;
    let edge = |name, source, target| json!({ "type": name, "source": { "key": source }, "target": { "key": target } });
    let expected = json!({
        "byId": null, "byKey": null, "_entities": [{ "key": "a" }, null],
        "entities": { "nodes": [{ "key": "a" }, { "key": "c" }, { "key": "d" }], "totalCount": 3 },
        "keys": { "nodes": [{ "key": "c" }], "totalCount": 1 },
        "named": { "nodes": [], "totalCount": 0 },
        "a": {
            "relationships": { "nodes": [edge("owns", "a", "d"), edge("needs", "c", "a")], "totalCount": 2 },
            "neighbors": { "nodes": [{ "key": "c" }, { "key": "d" }], "totalCount": 2 }
        },
        "relationship": null,
        "relationships": {
            "nodes": [edge("needs", "c", "a"), edge("owns", "a", "d"), edge("owns", "d", "c")], "totalCount": 3
        },
        "into": { "nodes": [], "totalCount": 0 },
        "subgraph": {
            "nodes": [
                { "distance": 0, "entity": { "key": "a" } }, { "distance": 1, "entity": { "key": "d" } },
                { "distance": 2, "entity": { "key": "c" } }
            ],
            "edges": [
                { "type": "owns", "target": { "key": "d" } }, { "type": "needs", "target": { "key": "a" } },
                { "type": "owns", "target": { "key": "c" } }
            ],
            "relationshipsRead": 3
        },
        "from": { "nodes": [], "edges": [], "relationshipsRead": 0 },
        "shortestPath": { "path": { "nodes": [{ "key": "a" }, { "key": "d" }, { "key": "c" }] } },
        "paths": { "nodes": [{ "nodes": [{ "key": "a" }, { "key": "d" }, { "key": "c" }] }], "totalCount": 1 }
    });
    let answer = process.ask(&narrowed, EVERYTHING, variables.clone()).await;
    assert_eq!(in_order(answer), in_order(expected.clone()));
    let to_b = "query ($a: ID!, $b: ID!) { shortestPath(from: $a, to: $b) { path { length } } }";
    let (code, _) = rights.refused(&narrowed, to_b, variables.clone()).await;
    assert_eq!(code, "NOT_FOUND", "as of an entity that is not there");

    // Neither was what they read kept for others, nor is what others read told to them.
    assert_eq!(process.ask(&viewer, EVERYTHING, variables.clone()).await, all);
    assert_eq!(in_order(process.ask(&narrowed, EVERYTHING, variables).await), in_order(expected));
}

/// With its lists in an order that does not depend on ids: what is made in one millisecond comes in any.
pub(crate) fn in_order(value: Value) -> Value {
    match value {
        Value::Array(items) => {
            let mut items: Vec<_> = items.into_iter().map(in_order).collect();
            items.sort_by_key(Value::to_string);
            Value::Array(items)
        }
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, in_order(value))).collect(),
        plain => plain,
    }
}

#[tokio::test]
async fn who_may_read_single_entities_alone_sees_them_and_what_connects_them() {
    let rights = Rights::new().await;
    let (process, variables) = (rights.process(), variables(&rights).await);
    let lists = "{ entities { nodes { key entityType { name } } totalCount }
        relationships { nodes { type source { key } target { name } } totalCount } }";
    let relationships: Permissions = [Permission::RELATIONSHIP_READ].into_iter().collect();

    let one = rights.person(relationships.clone(), &[allow("b")]).await;
    let seen = process.ask(&one, lists, Value::Null).await;
    let b = json!({ "key": "b", "entityType": { "name": "package" } });
    let expected = json!({
        "entities": { "nodes": [b], "totalCount": 1 }, "relationships": { "nodes": [], "totalCount": 0 } });
    assert_eq!(seen, expected);
    let look = r#"query ($a: ID!, $b: ID!, $entities: [_Any!]!) {
        byId: entity(id: $b) { key } a: entity(key: "a") { key }
        _entities(representations: $entities) { ... on Entity { key } }
        subgraph(from: [$a], depth: 3) { nodes { distance entity { key } } edges { type target { key } } relationshipsRead }
        from: subgraph(from: [$b], depth: 3) { nodes { entity { key } } } }"#;
    let seen = process.ask(&one, look, variables.clone()).await;
    assert_eq!(seen["byId"], json!({ "key": "b" }));
    assert_eq!(seen["_entities"], json!([null, { "key": "b" }]));
    assert_eq!(seen["a"], Value::Null);
    assert_eq!(seen["subgraph"], json!({ "nodes": [], "edges": [], "relationshipsRead": 0 }));
    assert_eq!(seen["from"]["nodes"], json!([{ "entity": { "key": "b" } }]));

    let two = rights.person(relationships.clone(), &[allow("b"), allow("a")]).await;
    let seen = process.ask(&two, lists, Value::Null).await;
    assert_eq!(seen["entities"]["totalCount"], 2);
    let edge = json!({ "type": "needs", "source": { "key": "a" }, "target": { "name": "package b" } });
    assert_eq!(seen["relationships"], json!({ "nodes": [edge], "totalCount": 1 }));

    // Rights on entities are none on relationships, and none on types.
    let bare = rights.person(Permissions::none(), &[allow("b"), allow("a")]).await;
    assert_eq!(
        process.ask(&bare, "{ entities { totalCount } }", Value::Null).await["entities"]["totalCount"],
        2
    );
    for query in [
        "{ relationships { totalCount } }",
        "{ entityTypes { totalCount } }",
        r#"{ entityType(name: "package") { name } }"#,
        "query ($a: ID!) { subgraph(from: [$a]) { cutOff } }",
    ] {
        assert_eq!(
            rights.refused(&bare, query, json!({ "a": variables["a"] })).await.0,
            "FORBIDDEN",
            "{query}"
        );
    }
    let nothing =
        rights.person(relationships, &[(Effect::Deny, Permission::ENTITY_READ, "b"), allow("b")]).await;
    assert_eq!(process.ask(&nothing, lists, Value::Null).await["relationships"]["totalCount"], 0);
}

const CHANGES: &str = "subscription { entityChanged { id previous { name } entity { key } } }";
const RELATIONSHIP_CHANGES: &str = "subscription { relationshipChanged { kind sourceId targetId relationship { type } previous { confidence } } }";

#[tokio::test]
async fn subscribers_hear_of_what_they_see_alone() {
    let mut rights = Rights::new().await;
    let admin = Arc::clone(&rights.admin);
    let narrowed = rights.admin_without("b").await;
    let only = rights.person([Permission::RELATIONSHIP_READ].into_iter().collect(), &[allow("c")]).await;
    let stranger = rights.person(Permissions::none(), &[]).await;
    let (a, c) = (rights.id("a").await, rights.id("c").await);
    let process = &rights.processes.all[0];
    let mut all = process.follow(&admin, CHANGES).await;
    let mut but = process.follow(&narrowed, CHANGES).await;
    let mut one = process.follow(&only, CHANGES).await;
    let mut all_between = process.follow(&admin, RELATIONSHIP_CHANGES).await;
    let mut between = process.follow(&narrowed, RELATIONSHIP_CHANGES).await;
    let refused = process.respond(&stranger, Request::new("{ entities { totalCount } }")).await;
    assert_eq!(refusal(&refused).0, "FORBIDDEN");

    let item = |key: &str| json!({ "key": key, "type": "package", "name": format!("new {key}") });
    for key in ["b", "a", "c"] {
        process.upsert(&admin, json!([item(key)])).await;
    }
    let upsert = "mutation ($items: [UpsertRelationshipItem!]!) { upsertRelationships(input: { items: $items }) { updated } }";
    for (source, target) in [("a", "b"), ("b", "c"), ("c", "a")] {
        let item = json!({ "sourceKey": source, "type": "needs", "targetKey": target, "confidence": 0.5 });
        process.ask(&admin, upsert, json!({ "items": [item] })).await;
    }
    rights.processes.settle().await;

    let key = |event: Value| event["entityChanged"]["entity"]["key"].as_str().unwrap().to_owned();
    assert_eq!(key(all.next().await.unwrap()), "b");
    let heard = but.next().await.unwrap();
    assert_eq!(heard["entityChanged"]["id"], json!(a));
    assert_eq!(heard["entityChanged"]["previous"], json!({ "name": "package a" }));
    assert_eq!(key(but.next().await.unwrap()), "c");
    assert_eq!(key(one.next().await.unwrap()), "c");
    let heard = all_between.next().await.unwrap();
    assert_eq!(heard["relationshipChanged"]["sourceId"], json!(a));
    let heard = between.next().await.unwrap();
    let expected = json!({ "kind": "UPDATED", "sourceId": c, "targetId": a, "relationship": { "type": "needs" },
        "previous": { "confidence": 1.0 } });
    assert_eq!(heard["relationshipChanged"], expected);
}

const UPDATE: &str =
    r#"mutation ($id: ID!) { updateEntity(input: { id: $id, name: "changed" }) { entity { name } } }"#;
const DELETE: &str = "mutation ($id: ID!) { deleteEntity(input: { id: $id }) { deletedRelationships } }";
const UPSERT: &str = "mutation ($items: [UpsertEntityItem!]!) { upsertEntities(input: { items: $items }) { updated created } }";
const RELATE: &str = r#"mutation ($a: ID!, $b: ID!) {
    createRelationship(input: { sourceId: $a, targetId: $b, type: "likes" }) { relationship { type } } }"#;

fn item(key: &str) -> Value {
    json!({ "key": key, "type": "package", "name": "changed" })
}

#[tokio::test]
async fn what_is_not_seen_is_not_there_and_what_is_seen_may_be_closed_to_writes() {
    let rights = Rights::new().await;
    let (process, a, b) = (rights.process(), rights.id("a").await, rights.id("b").await);
    let blind = rights.admin_without("b").await;
    for (query, variables) in [
        (UPDATE, json!({ "id": b })),
        (DELETE, json!({ "id": b })),
        (RELATE, json!({ "a": a, "b": b })),
        (RELATE, json!({ "a": b, "b": a })),
    ] {
        assert_eq!(rights.refused(&blind, query, variables).await.0, "NOT_FOUND", "{query}");
    }
    // Its key is taken, which cannot be hidden from who wants it.
    let (code, text) = rights.refused(&blind, UPSERT, json!({ "items": [item("b"), item("e")] })).await;
    assert_eq!(code, "CONFLICT");
    assert_eq!(text, "there is already an entity with that key, which you may not see: choose another key");
    let create =
        r#"mutation { createEntity(input: { key: "b", type: "package", name: "b" }) { entity { id } } }"#;
    assert_eq!(rights.refused(&blind, create, Value::Null).await.0, "CONFLICT");
    // Deleting would take relationships along that this caller does not see.
    let (code, text) = rights.refused(&blind, DELETE, json!({ "id": a })).await;
    assert_eq!(code, "CONFLICT");
    assert!(text.contains("has relationships to entities that you do not see"), "{text}");

    let admin = Role::Admin.permissions();
    let closed =
        [(Effect::Deny, Permission::ENTITY_WRITE, "a"), (Effect::Deny, Permission::ENTITY_DELETE, "a")];
    let closed = rights.person(admin.clone(), &closed).await;
    for (query, permission) in [(UPDATE, "entity:write"), (DELETE, "entity:delete")] {
        let (code, text) = rights.refused(&closed, query, json!({ "id": a })).await;
        assert_eq!(code, "FORBIDDEN");
        assert_eq!(
            text,
            format!("you need the permission {permission} on entity:{a}; ask an admin of the organization")
        );
    }
    assert_eq!(
        rights.refused(&closed, UPSERT, json!({ "items": [item("c"), item("a")] })).await.0,
        "FORBIDDEN"
    );
    process.ask(&closed, UPSERT, json!({ "items": [item("c")] })).await;
    // A relationship is not part of its ends: to see them is enough.
    process.ask(&closed, RELATE, json!({ "a": a, "b": b })).await;
}

#[tokio::test]
async fn who_may_write_single_entities_alone_writes_them_and_creates_none() {
    let rights = Rights::new().await;
    let (process, a, b) = (rights.process(), rights.id("a").await, rights.id("b").await);
    let write = |key| (Effect::Allow, Permission::ENTITY_WRITE, key);
    // c may be written and is not seen.
    let guest = rights.person(Permissions::none(), &[allow("a"), allow("b"), write("a"), write("c")]).await;
    let updated = process.ask(&guest, UPDATE, json!({ "id": a })).await;
    assert_eq!(updated["updateEntity"]["entity"]["name"], "changed");
    process.ask(&guest, UPSERT, json!({ "items": [item("a")] })).await;
    assert_eq!(rights.refused(&guest, UPDATE, json!({ "id": b })).await.0, "FORBIDDEN");
    assert_eq!(rights.refused(&guest, UPDATE, json!({ "id": rights.id("c").await })).await.0, "NOT_FOUND");
    assert_eq!(rights.refused(&guest, UPSERT, json!({ "items": [item("e")] })).await.0, "FORBIDDEN");
    assert_eq!(rights.refused(&guest, DELETE, json!({ "id": a })).await.0, "FORBIDDEN");
    assert_eq!(rights.refused(&guest, RELATE, json!({ "a": a, "b": b })).await.0, "FORBIDDEN");
    // Who sees single ones alone would not see what they create.
    let writer = rights.person([Permission::ENTITY_WRITE].into_iter().collect(), &[allow("a")]).await;
    let (code, text) = rights.refused(&writer, UPSERT, json!({ "items": [item("e")] })).await;
    assert_eq!(code, "FORBIDDEN");
    assert!(text.contains("entity:read"), "{text}");
}

#[tokio::test]
async fn the_database_itself_shows_a_narrowed_session_no_more() {
    let rights = Rights::new().await;
    let narrowed = rights.admin_without("b").await;
    let b = rights.id("b").await;
    let delete = "DELETE FROM entities.relationships WHERE version > 0";
    let mut connection = rights.processes.connect().await;
    let org = rights.processes.org;
    let open = |settings: &str| {
        format!("SET LOCAL ROLE pulse_narrowed; SET LOCAL pulse.org_id = '{org}'; {settings}")
    };
    let counts =
        "SELECT (SELECT count(*) FROM entities.entities), (SELECT count(*) FROM entities.relationships),
        (SELECT count(*) FROM entities.history)";
    let update = "UPDATE entities.entities SET name = 'x', version = version + 1";
    for (settings, entities, relationships) in [
        (String::new(), 0, 0),
        ("SET LOCAL pulse.entity_reach = 'all'".to_owned(), 4, 5),
        (format!("SET LOCAL pulse.entity_reach = 'but'; SET LOCAL pulse.entity_ids = '{{{b}}}'"), 3, 3),
        (format!("SET LOCAL pulse.entity_reach = 'only'; SET LOCAL pulse.entity_ids = '{{{b}}}'"), 1, 0),
        ("SET LOCAL pulse.entity_reach = 'other'; SET LOCAL pulse.entity_ids = '{}'".to_owned(), 0, 0),
    ] {
        let mut transaction = connection.begin().await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(open(&settings))).execute(&mut *transaction).await.unwrap();
        let seen: (i64, i64, i64) = sqlx::query_as(counts).fetch_one(&mut *transaction).await.unwrap();
        assert_eq!((seen.0, seen.1), (entities, relationships), "{settings}");
        let changed = sqlx::raw_sql(update).execute(&mut *transaction).await.unwrap().rows_affected();
        assert_eq!(i64::try_from(changed).unwrap(), entities, "what is not seen is not changed: {settings}");
        let deleted = sqlx::raw_sql(delete).execute(&mut *transaction).await.unwrap().rows_affected();
        assert_eq!(i64::try_from(deleted).unwrap(), relationships, "nor deleted: {settings}");
        transaction.rollback().await.unwrap();
    }
    // A session of such a caller is one of these.
    let session = rights.process().store.session(narrowed);
    let role = sqlx::query_as::<_, (String,)>("SELECT current_user::text");
    assert_eq!(session.fetch_one("role", role).await.unwrap().0, "pulse_narrowed");
}
