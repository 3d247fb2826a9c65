//! What clients are not told: the schema, where it is not for them, and what subgraphs say of their faults.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;
use http::{HeaderMap, Method};
use pulse_gateway::ports::{
    Authenticated, AuthenticationError, Authenticator, Subgraph, SubgraphError, SubgraphFault,
    SubgraphRequest, SubgraphResponse,
};
use pulse_gateway::value::Value;
use pulse_gateway::{
    ErrorsConfig, GatewayConfig, GatewayParts, IntrospectionConfig, IntrospectionFor, Subgraphs,
};
use pulse_types::{Caller, RequestId};
use serde_json::json;

use crate::support::gateway::{TestGateway, parts};
use crate::support::{noon, somebody};

/// Everybody who sends a credential is somebody who may read entities.
struct Somebody;

#[async_trait]
impl Authenticator for Somebody {
    async fn authenticate(&self, headers: &HeaderMap) -> Result<Authenticated, AuthenticationError> {
        let known = headers.contains_key("authorization");
        let nobody = || Arc::new(Caller::anonymous(RequestId::new(noon())));
        Ok(Authenticated { caller: if known { somebody() } else { nobody() }, expires_at: None, terms: None })
    }
}

async fn introspected(introspection: IntrospectionConfig, header: &str, query: &str) -> String {
    let parts = GatewayParts { authenticator: Arc::new(Somebody), ..parts() };
    let gateway = TestGateway::with(parts, GatewayConfig { introspection, ..GatewayConfig::default() }).await;
    let headers = ["content-type: application/json", header];
    let reply = gateway.send(Method::POST, "/graphql", &headers, json!({ "query": query }).to_string()).await;
    format!("{} {}", reply.status.as_u16(), reply.text())
}

const TYPE: &str = r#"{ hello __type(name: "Query") { name } }"#;
const SHOWN: &str = r#"200 {"data":{"hello":"hello","__type":{"name":"Query"}}}"#;

#[tokio::test]
async fn the_schema_is_shown_to_those_who_may_see_it() {
    let everybody = IntrospectionConfig::default();
    assert_eq!(introspected(everybody, "x-none: 1", TYPE).await, SHOWN);
    let nobody = IntrospectionConfig { allow: IntrospectionFor::Nobody, ..IntrospectionConfig::default() };
    insta::assert_snapshot!(introspected(nobody.clone(), "authorization: me", TYPE).await, @r#"403 {"errors":[{"message":"the schema is not shown here: ask for neither `__schema` nor `__type`","extensions":{"code":"FORBIDDEN","reason":"INTROSPECTION_DISABLED"}}]}"#);
    let spread = "query { ...S } fragment S on Query { s: __schema { queryType { name } } }";
    assert!(introspected(nobody.clone(), "x-none: 1", spread).await.starts_with("403"));
    assert_eq!(
        introspected(nobody, "x-none: 1", "{ __typename hello }").await,
        r#"200 {"data":{"__typename":"Query","hello":"hello"}}"#
    );
    let some = |permission: &str| IntrospectionConfig {
        allow: IntrospectionFor::Permitted,
        permissions: vec!["other".into(), permission.into()],
    };
    assert_eq!(introspected(some("entity:read"), "authorization: me", TYPE).await, SHOWN);
    assert!(introspected(some("entity:read"), "x-none: 1", TYPE).await.starts_with("403"));
    assert!(introspected(some("schema:read"), "authorization: me", TYPE).await.starts_with("403"));
}

/// Answers with errors that say too much.
struct Talkative;

#[async_trait]
impl Subgraph for Talkative {
    fn name(&self) -> &'static str {
        "parrot"
    }

    async fn sdl(&self) -> Result<String, SubgraphFault> {
        Ok(String::new())
    }

    async fn execute(&self, _: SubgraphRequest) -> Result<SubgraphResponse, SubgraphFault> {
        let error = |message: &str, path: &str, extensions: serde_json::Value| SubgraphError {
            message: message.into(),
            path: Value::List(vec![path.into()]),
            extensions: Value::from(&extensions),
        };
        let errors = vec![
            error(
                "no connection to db-7",
                "hello",
                json!({ "code": "DB_DOWN", "stacktrace": ["a"], "reason": "DOWN" }),
            ),
            error("nobody is called x", "caller", json!({ "code": "NOT_FOUND", "hint": "y" })),
            error("boom", "slow", json!(null)),
        ];
        Ok(SubgraphResponse { errors, ..SubgraphResponse::default() })
    }

    async fn subscribe(
        &self,
        _: SubgraphRequest,
    ) -> Result<BoxStream<'static, Result<SubgraphResponse, SubgraphFault>>, SubgraphFault> {
        Err(SubgraphFault::Malformed("no streams".into()))
    }
}

async fn told(errors: ErrorsConfig) -> String {
    let parts = GatewayParts { subgraphs: Subgraphs::Fixed(vec![Arc::new(Talkative)]), ..parts() };
    let gateway = TestGateway::with(parts, GatewayConfig { errors, ..GatewayConfig::default() }).await;
    let id = "x-request-id: 019b7e94-3200-7000-8000-000000000001";
    let body = r#"{"query":"{ hello caller slow }"}"#;
    let reply = gateway.send(Method::POST, "/graphql", &["content-type: application/json", id], body).await;
    let body: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
    let errors: Vec<_> = body["errors"].as_array().unwrap().iter().map(ToString::to_string).collect();
    errors.join("\n")
}

#[tokio::test]
async fn texts_of_subgraphs_are_hidden_where_the_settings_say_so() {
    insta::assert_snapshot!(told(ErrorsConfig::default()).await, @r#"
    {"message":"no connection to db-7","path":["hello"],"extensions":{"code":"DB_DOWN","stacktrace":["a"],"reason":"DOWN","subgraph":"parrot"}}
    {"message":"nobody is called x","path":["caller"],"extensions":{"code":"NOT_FOUND","hint":"y","subgraph":"parrot"}}
    {"message":"boom","path":["slow"],"extensions":{"code":"INTERNAL","subgraph":"parrot"}}
    "#);
    insta::assert_snapshot!(told(ErrorsConfig { mask: true, ..ErrorsConfig::default() }).await, @r#"
    {"message":"internal server error","path":["hello"],"extensions":{"code":"DB_DOWN","reason":"DOWN","requestId":"019b7e94-3200-7000-8000-000000000001","subgraph":"parrot"}}
    {"message":"nobody is called x","path":["caller"],"extensions":{"code":"NOT_FOUND","subgraph":"parrot"}}
    {"message":"internal server error","path":["slow"],"extensions":{"code":"INTERNAL","requestId":"019b7e94-3200-7000-8000-000000000001","subgraph":"parrot"}}
    "#);
}

#[tokio::test]
async fn texts_can_be_hidden_of_some_subgraphs() {
    let of = |name: &str, on: bool| ErrorsConfig {
        mask: !on,
        mask_subgraphs: BTreeMap::from([(name.to_owned(), on)]),
        ..ErrorsConfig::default()
    };
    assert!(!told(of("parrot", true)).await.contains("db-7"));
    assert!(told(of("parrot", false)).await.contains("db-7"));
    assert!(told(of("other", true)).await.contains("db-7"));
}
