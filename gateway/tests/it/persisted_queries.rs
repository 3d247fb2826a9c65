//! Operations by the hash of their text.

use http::Method;
use pulse_gateway::{GatewayConfig, PersistedQueriesConfig};
use sha2::{Digest, Sha256};

use crate::support::gateway::TestGateway;

const LEGACY: &str = "accept: application/json";
const JSON: &str = "content-type: application/json";

fn hash(text: &str) -> String {
    Sha256::digest(text).iter().fold(String::new(), |hash, byte| format!("{hash}{byte:02x}"))
}

fn by_hash(hash: &str, query: Option<&str>) -> String {
    let extensions = serde_json::json!({ "persistedQuery": { "version": 1, "sha256Hash": hash } });
    match query {
        Some(query) => serde_json::json!({ "query": query, "extensions": extensions }),
        None => serde_json::json!({ "extensions": extensions }),
    }
    .to_string()
}

#[tokio::test]
async fn an_operation_is_known_by_its_hash_once_it_was_sent_with_it() {
    let gateway = TestGateway::start().await;
    let query = "{ hello }";
    let unknown = by_hash(&hash(query), None);
    insta::assert_snapshot!(gateway.send(Method::POST, "/graphql", &[JSON, LEGACY], unknown.clone()).await, @r#"
    200 OK
    content-type: application/json; charset=utf-8

    {"errors":[{"message":"PersistedQueryNotFound","extensions":{"code":"PERSISTED_QUERY_NOT_FOUND"}}]}
    "#);
    // A response without data has no 2xx as application/graphql-response+json.
    assert_eq!(gateway.post(unknown.clone()).await.status, 400);
    assert_eq!(
        gateway.post(by_hash(&hash(query), Some(query))).await.text(),
        r#"{"data":{"hello":"hello"}}"#
    );
    assert_eq!(gateway.post(unknown).await.text(), r#"{"data":{"hello":"hello"}}"#);
    let path = format!(
        "/graphql?extensions=%7B%22persistedQuery%22:%7B%22version%22:1,%22sha256Hash%22:%22{}%22%7D%7D",
        hash(query).to_uppercase()
    );
    assert_eq!(gateway.get(&path, &[]).await.text(), r#"{"data":{"hello":"hello"}}"#);
}

#[tokio::test]
async fn a_mutation_by_hash_is_still_not_sent_by_get() {
    let gateway = TestGateway::start().await;
    let query = r#"mutation { shout(text: "a") }"#;
    assert_eq!(gateway.post(by_hash(&hash(query), Some(query))).await.status, 200);
    let path = format!(
        "/graphql?extensions=%7B%22persistedQuery%22:%7B%22version%22:1,%22sha256Hash%22:%22{}%22%7D%7D",
        hash(query)
    );
    assert_eq!(gateway.get(&path, &[]).await.status, 405);
}

#[tokio::test]
async fn a_hash_of_another_text_or_none_at_all_is_refused_and_registers_nothing() {
    let gateway = TestGateway::start().await;
    let other = hash("{ __typename }");
    insta::assert_snapshot!(gateway.post(by_hash(&other, Some("{ hello }"))).await, @r#"
    400 Bad Request
    content-type: application/graphql-response+json; charset=utf-8

    {"errors":[{"message":"`extensions.persistedQuery.sha256Hash` is not the SHA-256 of `query`","extensions":{"code":"BAD_USER_INPUT","reason":"PERSISTED_QUERY_HASH_MISMATCH"}}]}
    "#);
    let reply = gateway.post(by_hash(&other, None)).await;
    assert!(reply.text().contains("PERSISTED_QUERY_NOT_FOUND"), "{reply}");
    for nonsense in ["{}", r#"{"version":2,"sha256Hash":"00"}"#, r#"{"version":1,"sha256Hash":"0g"}"#, "7"] {
        let body = format!(r#"{{"query":"{{ hello }}","extensions":{{"persistedQuery":{nonsense}}}}}"#);
        assert_eq!(gateway.post(body).await.status, 400, "{nonsense}");
    }
}

#[tokio::test]
async fn an_operation_that_is_not_valid_is_not_registered() {
    let gateway = TestGateway::start().await;
    let query = "{ nonsense }";
    assert_eq!(gateway.post(by_hash(&hash(query), Some(query))).await.status, 400);
    let reply = gateway.post(by_hash(&hash(query), None)).await;
    assert!(reply.text().contains("PERSISTED_QUERY_NOT_FOUND"), "{reply}");
}

#[tokio::test]
async fn texts_over_the_size_of_the_memory_are_forgotten() {
    let persisted_queries = PersistedQueriesConfig {
        cache_size: bytesize::ByteSize::b(100),
        ..PersistedQueriesConfig::default()
    };
    let gateway =
        TestGateway::configured(GatewayConfig { persisted_queries, ..GatewayConfig::default() }).await;
    let query = format!("{{ hello }} #{}", "x".repeat(200));
    assert_eq!(gateway.post(by_hash(&hash(&query), Some(&query))).await.status, 200);
    let reply = gateway.post(by_hash(&hash(&query), None)).await;
    assert!(reply.text().contains("PERSISTED_QUERY_NOT_FOUND"), "{reply}");
}

#[tokio::test]
async fn where_it_is_switched_off_clients_are_told_so() {
    let persisted_queries = PersistedQueriesConfig { enabled: false, ..PersistedQueriesConfig::default() };
    let gateway =
        TestGateway::configured(GatewayConfig { persisted_queries, ..GatewayConfig::default() }).await;
    let query = "{ hello }";
    let reply = gateway.send(Method::POST, "/graphql", &[JSON, LEGACY], by_hash(&hash(query), None)).await;
    insta::assert_snapshot!(reply.text(), @r#"{"errors":[{"message":"PersistedQueryNotSupported","extensions":{"code":"PERSISTED_QUERY_NOT_SUPPORTED"}}]}"#);
    assert_eq!(
        gateway.post(by_hash(&hash(query), Some(query))).await.text(),
        r#"{"data":{"hello":"hello"}}"#
    );
}
