//! Operations that clients published: by id, by text, and nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use futures::{SinkExt, StreamExt};
use http::{HeaderMap, Method};
use pulse_gateway::ports::{
    Authenticated, AuthenticationError, Authenticator, OperationStore, OperationsUnavailable, Terms,
};
use pulse_gateway::{FileOperations, GatewayConfig, GatewayParts, ManifestFile, PersistedOperationsConfig};
use pulse_manifests::{
    ClientOperations, Manifest, OperationMode, PublishedOperation, PublishedOperations, TextHash,
};
use pulse_types::{Caller, RequestId};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::support::client::Reply;
use crate::support::gateway::{TestGateway, parts};
use crate::support::noon;

const HELLO: &str = "query Hello { hello }";
const ECHO: &str = "query Echo($text: String!) { echo(text: $text) }";
const SHOUT: &str = "mutation Shout($text: String!) { shout(text: $text) }";

/// What two clients published, as long as it can be reached.
struct Store {
    published: Arc<PublishedOperations>,
    is_reached: AtomicBool,
}

#[async_trait]
impl OperationStore for Store {
    async fn published(&self, _: &Caller) -> Result<Arc<PublishedOperations>, OperationsUnavailable> {
        if self.is_reached.load(Ordering::SeqCst) {
            return Ok(Arc::clone(&self.published));
        }
        Err(OperationsUnavailable("nobody answers".to_owned()))
    }
}

fn client(name: &str, mode: Option<OperationMode>, operations: &Value) -> ClientOperations {
    let manifest = Manifest::parse(&operations.to_string()).unwrap();
    ClientOperations::new(name, mode, manifest.into_operations().into_iter().map(PublishedOperation::from))
}

fn store() -> Arc<Store> {
    let published = PublishedOperations::new([
        client("web", None, &json!({ "1": HELLO, "2": ECHO })),
        client("partner", Some(OperationMode::Only), &json!({ "1": SHOUT, "3": ECHO })),
        client("app", Some(OperationMode::Prefer), &json!({ "a": HELLO })),
    ]);
    Arc::new(Store { published: Arc::new(published), is_reached: true.into() })
}

/// Takes everybody for the holder of a credential that is for what the partner published.
struct Partners;

#[async_trait]
impl Authenticator for Partners {
    async fn authenticate(&self, _: &HeaderMap) -> Result<Authenticated, AuthenticationError> {
        let caller = Arc::new(Caller::anonymous(RequestId::new(noon())));
        let terms = Terms { client: Some("partner".to_owned()), ..Terms::default() };
        Ok(Authenticated { caller, expires_at: None, terms: Some(Arc::new(terms)) })
    }
}

async fn gateway(mode: OperationMode) -> TestGateway {
    let config = GatewayConfig {
        persisted_operations: PersistedOperationsConfig { mode, ..PersistedOperationsConfig::default() },
        ..GatewayConfig::default()
    };
    TestGateway::with(GatewayParts { operations: Some(store()), ..parts() }, config).await
}

async fn partners() -> TestGateway {
    let parts = GatewayParts { operations: Some(store()), authenticator: Arc::new(Partners), ..parts() };
    TestGateway::with(parts, GatewayConfig::default()).await
}

async fn ask(gateway: &TestGateway, client: Option<&str>, body: Value) -> Reply {
    let name = client.map(|client| format!("graphql-client-name: {client}"));
    let headers: Vec<&str> = ["content-type: application/json"].into_iter().chain(name.as_deref()).collect();
    gateway.send(Method::POST, "/graphql", &headers, body.to_string()).await
}

/// The data, or the status and the reason of the first error.
fn said(reply: &Reply) -> String {
    let body: Value = serde_json::from_str(reply.text()).unwrap();
    match body["errors"][0]["extensions"]["reason"].as_str() {
        Some(reason) => format!("{} {reason}", reply.status.as_u16()),
        None => body["data"].to_string(),
    }
}

#[tokio::test]
async fn an_id_names_what_the_client_published() {
    let gateway = gateway(OperationMode::Log).await;
    let by_id = |id: &str| json!({ "documentId": id, "variables": { "text": "a" } });
    assert_eq!(said(&ask(&gateway, Some("web"), by_id("1")).await), r#"{"hello":"hello"}"#);
    assert_eq!(said(&ask(&gateway, Some("partner"), by_id("1")).await), r#"{"shout":"a"}"#);
    assert_eq!(said(&ask(&gateway, None, by_id("1")).await), "400 PERSISTED_DOCUMENT_AMBIGUOUS");
    assert_eq!(said(&ask(&gateway, None, by_id("2")).await), r#"{"echo":"a"}"#);
    assert_eq!(said(&ask(&gateway, Some("web"), by_id("3")).await), "404 PERSISTED_DOCUMENT_NOT_FOUND");
    assert_eq!(said(&ask(&gateway, None, by_id("4")).await), "404 PERSISTED_DOCUMENT_NOT_FOUND");
    let hash = TextHash::of(HELLO);
    for id in [hash.to_string(), format!("sha256:{hash}")] {
        assert_eq!(said(&ask(&gateway, Some("web"), by_id(&id)).await), r#"{"hello":"hello"}"#);
    }
    let both = json!({ "documentId": "1", "query": HELLO });
    assert_eq!(said(&ask(&gateway, Some("web"), both).await), "400 BAD_REQUEST");
    let header = ["apollographql-client-name: web"];
    let got = gateway.get("/graphql?documentId=2&variables=%7B%22text%22:%22b%22%7D", &header).await;
    assert_eq!(said(&got), r#"{"echo":"b"}"#);
    let header = ["graphql-client-name: partner"];
    assert_eq!(gateway.get("/graphql?documentId=1", &header).await.status, 405, "a GET changes nothing");
    // As clients of automatic persisted queries say it, though nobody sent the text before.
    let hashed =
        json!({ "extensions": { "persistedQuery": { "version": 1, "sha256Hash": hash.to_string() } } });
    assert_eq!(said(&ask(&gateway, Some("app"), hashed).await), r#"{"hello":"hello"}"#);
}

#[tokio::test]
async fn each_client_is_held_to_what_it_published_as_far_as_its_mode_says() {
    let text = |text: &str| json!({ "query": text, "variables": { "text": "a" } });
    let other = "query Hello { hello caller }";
    let gateway = gateway(OperationMode::Log).await;
    for (client, document, expected) in [
        (None, HELLO, r#"{"hello":"hello"}"#),
        (None, "{ hello }", r#"{"hello":"hello"}"#),
        (Some("web"), "{ hello }", r#"{"hello":"hello"}"#),
        (Some("app"), HELLO, r#"{"hello":"hello"}"#),
        (Some("app"), other, "403 OPERATION_NOT_PUBLISHED"),
        // What others published is not its own.
        (Some("app"), ECHO, "403 OPERATION_NOT_PUBLISHED"),
        (Some("partner"), ECHO, "403 DOCUMENT_ID_REQUIRED"),
        (Some("partner"), HELLO, "403 OPERATION_NOT_PUBLISHED"),
        (Some("nobody"), "{ hello }", r#"{"hello":"hello"}"#),
    ] {
        assert_eq!(said(&ask(&gateway, client, text(document)).await), expected, "{client:?} {document}");
    }
    let strict = self::gateway(OperationMode::Only).await;
    for (client, document, expected) in [
        (None, "{ hello }", "403 OPERATION_NOT_PUBLISHED"),
        (None, "{ __schema { queryType { name } } }", "403 OPERATION_NOT_PUBLISHED"),
        (None, HELLO, "403 DOCUMENT_ID_REQUIRED"),
        (Some("app"), HELLO, r#"{"hello":"hello"}"#),
    ] {
        assert_eq!(said(&ask(&strict, client, text(document)).await), expected, "{client:?} {document}");
    }
    assert_eq!(said(&ask(&strict, None, json!({ "documentId": "a" })).await), r#"{"hello":"hello"}"#);
}

#[tokio::test]
async fn a_partners_credential_is_for_its_operations_by_any_way() {
    let gateway = partners().await;
    let variables = json!({ "text": "a" });
    let refused = "403 OPERATION_NOT_ALLOWED";
    for (body, expected) in [
        (json!({ "documentId": "1", "variables": variables }), r#"{"shout":"a"}"#),
        (json!({ "query": ECHO, "variables": variables }), r#"{"echo":"a"}"#),
        (json!({ "documentId": "2", "variables": variables }), "404 PERSISTED_DOCUMENT_NOT_FOUND"),
        (json!({ "query": HELLO }), refused),
        (json!({ "query": "{ __typename }" }), refused),
        // A name is not what an operation is.
        (json!({ "query": "query Echo { hello }", "operationName": "Echo" }), refused),
    ] {
        // Whatever it calls itself.
        for client in [None, Some("web")] {
            assert_eq!(said(&ask(&gateway, client, body.clone()).await), expected, "{body}");
        }
    }
    let hash = TextHash::of(HELLO).to_string();
    let persisted = json!({ "persistedQuery": { "version": 1, "sha256Hash": hash } });
    let register = json!({ "query": HELLO, "extensions": persisted });
    assert_eq!(said(&ask(&gateway, None, register).await), refused);
    let reply = ask(&gateway, None, json!({ "extensions": persisted })).await;
    assert!(reply.text().contains("PersistedQueryNotFound"), "{}", reply.text());
    let batch = json!([{ "documentId": "3", "variables": variables }, { "query": HELLO }]);
    let reply = ask(&gateway, None, batch).await;
    let answers: Value = serde_json::from_str(reply.text()).unwrap();
    assert_eq!(answers[0]["data"]["echo"], "a", "{answers}");
    assert_eq!(answers[1]["errors"][0]["extensions"]["reason"], "OPERATION_NOT_ALLOWED", "{answers}");
    assert_eq!(gateway.get("/graphql?query=%7Bhello%7D", &[]).await.status, 403);
    let events = gateway.get("/graphql?query=%7Bhello%7D", &["accept: text/event-stream"]).await;
    assert!(events.text().contains("OPERATION_NOT_ALLOWED"), "{}", events.text());

    let mut opening = format!("{}/graphql", gateway.url.replace("http", "ws")).into_client_request().unwrap();
    opening.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
    let (mut socket, _) = tokio_tungstenite::connect_async(opening).await.unwrap();
    let message = |id: &str, payload: Value| {
        Message::text(json!({ "id": id, "type": "subscribe", "payload": payload }).to_string())
    };
    socket.send(Message::text(r#"{"type":"connection_init"}"#)).await.unwrap();
    socket.send(message("own", json!({ "documentId": "1", "variables": variables }))).await.unwrap();
    socket.send(message("other", json!({ "query": HELLO }))).await.unwrap();
    let (mut own, mut other) = (Value::Null, Value::Null);
    while own.is_null() || other.is_null() {
        let text = socket.next().await.unwrap().unwrap();
        let said: Value = serde_json::from_str(text.to_text().unwrap()).unwrap();
        match (said["id"].as_str(), said["type"].as_str()) {
            (Some("own"), Some("next")) => own = said["payload"]["data"].clone(),
            (Some("other"), Some("error")) => other = said["payload"][0]["extensions"]["reason"].clone(),
            (Some(_), Some("next" | "error")) => panic!("{said}"),
            _ => {}
        }
    }
    assert_eq!((own, other), (json!({ "shout": "a" }), json!("OPERATION_NOT_ALLOWED")));
}

#[tokio::test]
async fn without_knowing_what_was_published_nobody_gets_more() {
    let store = store();
    store.is_reached.store(false, Ordering::SeqCst);
    let with = |authenticator: Arc<dyn Authenticator>| GatewayParts {
        operations: Some(Arc::clone(&store) as _),
        authenticator,
        ..parts()
    };
    let bound = TestGateway::with(with(Arc::new(Partners)), GatewayConfig::default()).await;
    assert_eq!(ask(&bound, None, json!({ "query": ECHO, "variables": { "text": "a" } })).await.status, 503);
    let free = TestGateway::with(with(parts().authenticator), GatewayConfig::default()).await;
    assert_eq!(said(&ask(&free, None, json!({ "query": HELLO })).await), r#"{"hello":"hello"}"#);
    assert_eq!(ask(&free, None, json!({ "documentId": "2" })).await.status, 404);
}

#[tokio::test]
async fn manifests_in_files_are_for_everybody() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("web.json");
    std::fs::write(&file, json!({ "1": HELLO }).to_string()).unwrap();
    let manifest = ManifestFile {
        client: "web".to_owned(),
        file,
        tools: BTreeMap::new(),
        mode: Some(OperationMode::Only),
    };
    let persisted_operations = PersistedOperationsConfig {
        manifests: vec![manifest.clone()],
        ..PersistedOperationsConfig::default()
    };
    let files = FileOperations::read(&persisted_operations).unwrap();
    let config = GatewayConfig { persisted_operations, ..GatewayConfig::default() };
    let gateway =
        TestGateway::with(GatewayParts { operations: Some(Arc::new(files)), ..parts() }, config).await;
    assert_eq!(said(&ask(&gateway, None, json!({ "documentId": "1" })).await), r#"{"hello":"hello"}"#);
    assert_eq!(
        said(&ask(&gateway, Some("web"), json!({ "query": "{ hello }" })).await),
        "403 OPERATION_NOT_PUBLISHED"
    );

    let tools = BTreeMap::from([("Shout".to_owned(), "Shouts.".to_owned())]);
    let with_tool = ManifestFile { tools, ..manifest.clone() };
    let config =
        PersistedOperationsConfig { manifests: vec![with_tool], ..PersistedOperationsConfig::default() };
    let error = FileOperations::read(&config).unwrap_err().to_string();
    assert!(error.contains("web.json: tools: there is no operation Shout"), "{error}");
    std::fs::write(&manifest.file, "[]").unwrap();
    let config =
        PersistedOperationsConfig { manifests: vec![manifest], ..PersistedOperationsConfig::default() };
    let error = FileOperations::read(&config).unwrap_err().to_string();
    assert!(error.contains("web.json: this is no manifest"), "{error}");
}
