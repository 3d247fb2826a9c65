//! What the supergraph demands of callers, as clients meet it.

use std::sync::Arc;

use async_trait::async_trait;
use http::{HeaderMap, Method};
use pulse_gateway::ports::{Authenticated, AuthenticationError, Authenticator};
use pulse_gateway::{AuthorizationConfig, AuthorizationMode, GatewayConfig, GatewayParts, StaticSource};
use pulse_types::{Caller, Permissions, RequestId};

use crate::support::client::Reply;
use crate::support::gateway::{SUPERGRAPH, TestGateway, parts};
use crate::support::{noon, somebody};

/// The header `authorization` lists the caller's scopes; without it, nobody is signed in.
struct Scopes;

#[async_trait]
impl Authenticator for Scopes {
    async fn authenticate(&self, headers: &HeaderMap) -> Result<Authenticated, AuthenticationError> {
        let caller = match headers.get("authorization").map(|value| value.to_str().unwrap()) {
            None => Caller::anonymous(RequestId::new(noon())),
            Some(scopes) => {
                Caller { permissions: Permissions::from_scope(scopes), ..Caller::clone(&somebody()) }
            }
        };
        Ok(Authenticated { caller: Arc::new(caller), expires_at: None, terms: None })
    }
}

/// The parrot's supergraph with `hello` for those with a scope, and `echo` for those who are signed in.
fn supergraph() -> String {
    let guarded = SUPERGRAPH
        .replace("hello: String", r#"hello: String @needs(scopes: [["greet"]])"#)
        .replace("echo(text: String!): String", "echo(text: String!): String @authenticated")
        .replace("news: String", "news: String @authenticated");
    let links = r#"
      @link(url: "https://specs.apollo.dev/authenticated/v0.1", for: SECURITY)
      @link(url: "https://specs.apollo.dev/requiresScopes/v0.1", import: [{ name: "@requiresScopes", as: "@needs" }])
      @link(url: "https://specs.apollo.dev/join/v0.3""#;
    let directives = "
      directive @authenticated on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM
      directive @needs(scopes: [[requiresScopes__Scope!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM
      scalar requiresScopes__Scope
      scalar join__FieldSet";
    let linked = guarded.replace(r#"@link(url: "https://specs.apollo.dev/join/v0.3""#, links.trim());
    linked.replace("scalar join__FieldSet", directives.trim())
}

async fn gateway(authorization: AuthorizationConfig) -> TestGateway {
    let source = Arc::new(StaticSource::new(supergraph()));
    let parts = GatewayParts { authenticator: Arc::new(Scopes), source, ..parts() };
    TestGateway::with(parts, GatewayConfig { authorization, ..GatewayConfig::default() }).await
}

async fn ask(gateway: &TestGateway, scopes: Option<&str>, body: &str) -> Reply {
    let authorization = scopes.map(|scopes| format!("authorization: {scopes}"));
    let headers = ["content-type: application/json"].into_iter().chain(authorization.as_deref());
    gateway.send(Method::POST, "/graphql", &headers.collect::<Vec<_>>(), body.to_owned()).await
}

const BOTH: &str = r#"{"query":"{ hello echo(text: \"x\") }"}"#;

#[tokio::test]
async fn by_default_the_rest_is_answered() {
    let gateway = gateway(AuthorizationConfig::default()).await;
    insta::assert_snapshot!(ask(&gateway, None, BOTH).await, @r#"
    200 OK
    content-type: application/graphql-response+json; charset=utf-8

    {"data":{"hello":null,"echo":null},"errors":[{"message":"sign in to ask for `Query.hello`","path":["hello"],"extensions":{"code":"UNAUTHENTICATED","reason":"UNAUTHORIZED_FIELD_OR_TYPE"}},{"message":"sign in to ask for `Query.echo`","path":["echo"],"extensions":{"code":"UNAUTHENTICATED","reason":"UNAUTHORIZED_FIELD_OR_TYPE"}}]}
    "#);
    insta::assert_snapshot!(ask(&gateway, Some("other"), BOTH).await.text(), @r#"{"data":{"hello":null,"echo":"echo"},"errors":[{"message":"you may not ask for `Query.hello`","path":["hello"],"extensions":{"code":"FORBIDDEN","reason":"UNAUTHORIZED_FIELD_OR_TYPE"}}]}"#);
    let all = ask(&gateway, Some("greet"), BOTH).await;
    assert!(!all.text().contains("errors"), "{all}");
}

#[tokio::test]
async fn an_operation_may_be_refused_as_a_whole() {
    let config = AuthorizationConfig { mode: AuthorizationMode::Reject, ..AuthorizationConfig::default() };
    let gateway = gateway(config).await;
    insta::assert_snapshot!(ask(&gateway, None, BOTH).await, @r#"
    401 Unauthorized
    content-type: application/graphql-response+json; charset=utf-8
    www-authenticate: Bearer

    {"errors":[{"message":"sign in to ask for `Query.hello`","extensions":{"code":"UNAUTHENTICATED","reason":"UNAUTHORIZED_FIELD_OR_TYPE","path":["hello"]}},{"message":"sign in to ask for `Query.echo`","extensions":{"code":"UNAUTHENTICATED","reason":"UNAUTHORIZED_FIELD_OR_TYPE","path":["echo"]}}]}
    "#);
    insta::assert_snapshot!(ask(&gateway, Some("other"), BOTH).await, @r#"
    403 Forbidden
    content-type: application/graphql-response+json; charset=utf-8

    {"errors":[{"message":"you may not ask for `Query.hello`","extensions":{"code":"FORBIDDEN","reason":"UNAUTHORIZED_FIELD_OR_TYPE","path":["hello"]}}]}
    "#);
    assert_eq!(ask(&gateway, Some("greet"), BOTH).await.status, 200);

    let optional = r#"{"query":"query($with: Boolean = false) { caller hello @include(if: $with) }""#;
    assert_eq!(ask(&gateway, None, &format!("{optional}}}")).await.status, 200);
    let with = format!(r#"{optional},"variables":{{"with":true}}}}"#);
    assert_eq!(ask(&gateway, None, &with).await.status, 401);
}

#[tokio::test]
async fn it_can_be_left_to_the_subgraphs() {
    let gateway = gateway(AuthorizationConfig { enabled: false, ..AuthorizationConfig::default() }).await;
    let reply = ask(&gateway, None, BOTH).await;
    assert!(!reply.text().contains("errors"), "{reply}");
}
