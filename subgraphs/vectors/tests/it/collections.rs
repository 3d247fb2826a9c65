use pulse_types::{Caller, OrgId, RequestId, Role};
use serde_json::json;
use sqlx::{AssertSqlSafe, Executor};

use crate::stage::{Stage, UPSERT, caller_of, now};

const CREATE: &str =
    "mutation ($input: CreateCollectionInput!) { createCollection(input: $input) { collection { id } } }";
const UPDATE: &str = "mutation ($input: UpdateCollectionInput!) {
    updateCollection(input: $input) { collection { name version index { efSearch exactBelow } } } }";
const DELETE: &str = "mutation ($input: DeleteCollectionInput!) { deleteCollection(input: $input) { id } }";
const ENTITIES: &str = "query ($representations: [_Any!]!) {
    _entities(representations: $representations) { ... on Collection { name } } }";

#[tokio::test]
async fn a_collection_is_made_read_changed_and_deleted() {
    let stage = Stage::new().await;
    let id = stage.collection(json!({ "name": "papers", "dimension": 3, "metric": "COSINE" })).await;
    let read = "query ($id: ID!) { collection(id: $id) { name dimension metric itemCount indexStatus version createdAt
        index { m efConstruction efSearch exactBelow } items { totalCount nodes { key } } } }";
    let expected = json!({ "collection": {
        "name": "papers", "dimension": 3, "metric": "COSINE", "itemCount": 0, "indexStatus": "EXACT", "version": 1,
        "createdAt": "2026-03-15T12:00:00Z",
        "index": { "m": 16, "efConstruction": 64, "efSearch": 100, "exactBelow": 20000 },
        "items": { "totalCount": 0, "nodes": [] }
    } });
    assert_eq!(stage.data(&stage.admin, read, json!({ "id": id })).await, expected);

    let change = json!({ "input": { "id": id, "name": "articles", "efSearch": 200, "expectedVersion": 1 } });
    let expected = json!({ "updateCollection": { "collection": {
        "name": "articles", "version": 2, "index": { "efSearch": 200, "exactBelow": 20000 } } } });
    assert_eq!(stage.data(&stage.admin, UPDATE, change.clone()).await, expected);
    let (code, field, _) = stage.refusal(&stage.admin, UPDATE, change).await;
    assert_eq!((code.as_str(), field.as_str()), ("CONFLICT", "input.expectedVersion"));
    assert_eq!(
        stage.count("SELECT count(*) FROM vectors.history WHERE value ->> 'name' = 'papers'").await,
        1
    );

    stage.data(&stage.admin, DELETE, json!({ "input": { "id": id } })).await;
    assert_eq!(stage.data(&stage.admin, read, json!({ "id": id })).await, json!({ "collection": null }));
    assert_eq!(
        stage.count("SELECT count(*) FROM pg_inherits WHERE inhparent = 'vectors.items'::regclass").await,
        1
    );
    assert_eq!(stage.work().await, 1);
    assert_eq!(
        stage.count("SELECT count(*) FROM pg_inherits WHERE inhparent = 'vectors.items'::regclass").await,
        0
    );
    assert_eq!(stage.count("SELECT count(*) FROM vectors.collections").await, 0);
}

#[tokio::test]
async fn collections_are_paged_in_the_order_of_names() {
    let stage = Stage::new().await;
    for name in ["c", "a", "b"] {
        stage.collection(json!({ "name": name, "dimension": 2, "metric": "DOT" })).await;
    }
    let list = "query ($first: Int, $after: String, $last: Int) { collections(first: $first, after: $after, last: $last) {
        totalCount nodes { name } pageInfo { hasNextPage hasPreviousPage endCursor } } }";
    let page = stage.data(&stage.admin, list, json!({ "first": 2 })).await;
    let after = page["collections"]["pageInfo"]["endCursor"].clone();
    assert_eq!(page["collections"]["nodes"], json!([{ "name": "a" }, { "name": "b" }]));
    assert_eq!(page["collections"]["totalCount"], 3);
    let page = stage.data(&stage.admin, list, json!({ "first": 2, "after": after })).await;
    assert_eq!(page["collections"]["nodes"], json!([{ "name": "c" }]));
    assert_eq!(page["collections"]["pageInfo"]["hasNextPage"], false);
    let page = stage.data(&stage.admin, list, json!({ "last": 1 })).await;
    assert_eq!(page["collections"]["nodes"], json!([{ "name": "c" }]));
    assert_eq!(stage.data(&stage.stranger, list, json!({})).await["collections"]["totalCount"], 0);
    let (code, field, _) = stage.refusal(&stage.admin, list, json!({ "first": 101 })).await;
    assert_eq!((code.as_str(), field.as_str()), ("BAD_USER_INPUT", "first"));
}

#[tokio::test]
async fn what_a_collection_cannot_be_is_refused_and_nothing_is_made() {
    let stage = Stage::new().await;
    let refused = [
        (
            json!({ "name": "", "dimension": 3, "metric": "DOT" }),
            "input.name",
            "a name has 1 to 200 characters, this one has 0",
        ),
        (
            json!({ "name": "x", "dimension": 2001, "metric": "DOT" }),
            "input.dimension",
            "2001 is out of range: allowed is 1 to 2000, the most that the HNSW index of pgvector takes",
        ),
        (
            json!({ "name": "x", "dimension": 3, "metric": "DOT", "index": { "m": 40 } }),
            "input.index.efConstruction",
            "64 is out of range: allowed is 80 to 1000, at least twice `m`",
        ),
        (
            json!({ "name": "x", "dimension": 3, "metric": "DOT", "idempotencyKey": "" }),
            "input.idempotencyKey",
            "an idempotency key has 1 to 255 characters, this one has 0",
        ),
    ];
    for (input, field, text) in refused {
        let refusal = stage.refusal(&stage.admin, CREATE, json!({ "input": input })).await;
        assert_eq!(refusal, ("BAD_USER_INPUT".to_owned(), field.to_owned(), text.to_owned()));
    }
    assert_eq!(stage.count("SELECT count(*) FROM vectors.collections").await, 0);
}

#[tokio::test]
async fn a_name_is_taken_once_and_a_repeated_request_makes_one_collection() {
    let stage = Stage::new().await;
    let input = json!({ "name": "x", "dimension": 3, "metric": "DOT", "idempotencyKey": "k" });
    let first = stage.collection(input.clone()).await;
    assert_eq!(stage.collection(input).await, first);
    let other = json!({ "input": { "name": "y", "dimension": 3, "metric": "DOT", "idempotencyKey": "k" } });
    let (code, field, _) = stage.refusal(&stage.admin, CREATE, other).await;
    assert_eq!((code.as_str(), field.as_str()), ("CONFLICT", "input.idempotencyKey"));
    let same_name = json!({ "input": { "name": "x", "dimension": 3, "metric": "DOT" } });
    let (code, _, text) = stage.refusal(&stage.admin, CREATE, same_name.clone()).await;
    assert_eq!(code, "CONFLICT");
    assert_eq!(text, "a collection named \"x\" exists already: choose another name");
    stage.data(&stage.stranger, CREATE, same_name).await;
    assert_eq!(stage.count("SELECT count(*) FROM vectors.collections").await, 2);
}

#[tokio::test]
async fn a_stranger_sees_and_changes_no_collection_by_any_way() {
    let stage = Stage::new().await;
    let id = stage.collection(json!({ "name": "x", "dimension": 2, "metric": "DOT" })).await;
    stage.upsert(&id, json!([{ "key": "a", "vector": [1, 2] }])).await;
    let read = "query ($id: ID!) { collection(id: $id) { name } }";
    assert_eq!(stage.data(&stage.stranger, read, json!({ "id": id })).await, json!({ "collection": null }));
    let key = json!({ "representations": [{ "__typename": "Collection", "id": id }] });
    assert_eq!(stage.data(&stage.stranger, ENTITIES, key).await, json!({ "_entities": [null] }));
    let search = "query ($id: ID!) { search(collectionId: $id, vector: [1, 2]) { score } }";
    let item = json!({ "input": { "collectionId": id, "items": [{ "key": "b", "vector": [1, 2] }] } });
    let keys = json!({ "input": { "collectionId": id, "keys": ["a"] } });
    let remove = "mutation ($input: DeleteItemsInput!) { deleteItems(input: $input) { deleted } }";
    for (query, variables) in [
        (search, json!({ "id": id })),
        (UPSERT, item),
        (remove, keys),
        (UPDATE, json!({ "input": { "id": id, "name": "mine" } })),
        (DELETE, json!({ "input": { "id": id } })),
    ] {
        let (code, _, text) = stage.refusal(&stage.stranger, query, variables).await;
        assert_eq!((code, text), ("NOT_FOUND".to_owned(), format!("there is no collection {id}")));
    }
    let unchanged =
        "SELECT count(*) FROM vectors.collections WHERE name = 'x' AND version = 1 AND item_count = 1";
    assert_eq!(stage.count(unchanged).await, 1);
}

#[tokio::test]
async fn who_lacks_the_permission_is_refused() {
    let stage = Stage::new().await;
    let id = stage.collection(json!({ "name": "x", "dimension": 2, "metric": "DOT" })).await;
    let org: OrgId = stage.admin.org.expect("an organization");
    let (viewer, member) = (caller_of(org, Role::Viewer), caller_of(org, Role::Member));
    let anonymous = Caller::anonymous(RequestId::new(now()));
    let create = json!({ "input": { "name": "y", "dimension": 3, "metric": "DOT" } });
    let item = json!({ "input": { "collectionId": id, "items": [{ "key": "b", "vector": [1, 2] }] } });
    for (caller, query, variables, code) in [
        (&viewer, UPSERT, item.clone(), "FORBIDDEN"),
        (&member, CREATE, create.clone(), "FORBIDDEN"),
        (&member, DELETE, json!({ "input": { "id": id } }), "FORBIDDEN"),
        (&anonymous, CREATE, create, "UNAUTHENTICATED"),
        (&anonymous, UPSERT, item, "UNAUTHENTICATED"),
        (&anonymous, "{ collections { totalCount } }", json!({}), "UNAUTHENTICATED"),
        (
            &anonymous,
            "query ($id: ID!) { collection(id: $id) { name } }",
            json!({ "id": id }),
            "UNAUTHENTICATED",
        ),
        (
            &anonymous,
            "query ($id: ID!) { search(collectionId: $id, vector: []) { score } }",
            json!({ "id": id }),
            "UNAUTHENTICATED",
        ),
    ] {
        assert_eq!(stage.refusal(caller, query, variables).await.0, code, "{query}");
    }
    let key = json!({ "representations": [{ "__typename": "Collection", "id": id }] });
    let response = stage.ask(&anonymous, ENTITIES, key).await;
    assert_eq!(response["data"], json!({ "_entities": [null] }), "{response}");
    assert_eq!(stage.count("SELECT count(*) FROM vectors.items").await, 0);
}

#[tokio::test]
async fn many_collections_are_looked_up_by_one_statement() {
    let stage = Stage::new().await;
    let mut keys = vec![];
    for name in 0..5 {
        let id = stage.collection(json!({ "name": name.to_string(), "dimension": 2, "metric": "DOT" })).await;
        keys.push(json!({ "__typename": "Collection", "id": id }));
    }
    let lookup = stage.data(&stage.admin, ENTITIES, json!({ "representations": keys }));
    let (statements, data) = stage.statements(lookup).await;
    assert_eq!(data["_entities"].as_array().map(Vec::len), Some(5));
    assert_eq!(statements, 1);
}

#[tokio::test]
async fn a_partition_cannot_be_read_or_made_past_the_wall() {
    let stage = Stage::new().await;
    let id = stage.collection(json!({ "name": "x", "dimension": 2, "metric": "DOT" })).await;
    stage.upsert(&id, json!([{ "key": "a", "vector": [1, 2] }])).await;
    let partition = format!("vectors.items_{}", id.replace('-', ""));
    let mut connection = stage.database.connect().await.expect("a connection");
    connection.execute("SET ROLE pulse_app").await.expect("a role");
    let seen: i64 = sqlx::query_scalar("SELECT count(*) FROM vectors.items")
        .fetch_one(&mut connection)
        .await
        .expect("no error");
    assert_eq!(seen, 0, "the app without a tenant sees no row");
    for sql in [
        format!("SELECT * FROM {partition}"),
        format!("INSERT INTO {partition} SELECT * FROM vectors.items"),
        format!("SELECT vectors.create_partition('{id}')"),
        format!("SELECT vectors.build_index('{id}')"),
        format!("SELECT vectors.drop_partition('{id}')"),
    ] {
        assert!(connection.execute(AssertSqlSafe(sql.clone())).await.is_err(), "{sql}");
    }
    connection.execute("RESET ROLE; SET ROLE pulse_maintenance").await.expect("a role");
    let drop = format!("SELECT vectors.drop_partition('{id}')");
    connection.execute(AssertSqlSafe(drop)).await.expect("it finds no deleted collection");
    assert_eq!(stage.count("SELECT count(*) FROM vectors.items").await, 1);
}
