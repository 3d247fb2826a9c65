//! Subgraphs over HTTP: what goes there, and every way in which an answer can be none.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytesize::ByteSize;
use pulse_gateway::RemoteConfig;
use pulse_gateway::engine::OperationKind;
use pulse_gateway::ports::{Subgraph, SubgraphFault, SubgraphRequest, SubgraphResponse};
use pulse_gateway::remote::{CallerSigner, RemoteEndpoint, RemoteSubgraph};
use pulse_gateway::value::Value;
use pulse_types::{Caller, OrgId};

use crate::support::fake_server::{Behaviour, FakeServer};
use crate::support::{clock, noon, somebody};

fn config() -> RemoteConfig {
    RemoteConfig { response_limit: ByteSize::kb(1), ..RemoteConfig::default() }
}

fn subgraph(url: &str, signer: Option<Arc<dyn CallerSigner>>) -> RemoteSubgraph {
    let endpoint = RemoteEndpoint { name: "shop".into(), url: url.into(), signer };
    RemoteSubgraph::try_new(endpoint, config(), clock()).unwrap()
}

fn request(caller: Arc<Caller>) -> SubgraphRequest {
    SubgraphRequest {
        query: "query Hello($name: String) { hello(name: $name) }".into(),
        query_hash: 1,
        operation_name: Some("Hello".into()),
        variables: Value::parse(br#"{"name":"\u00e4\"x"}"#).unwrap(),
        kind: OperationKind::Query,
        caller,
        headers: Arc::default(),
        wants_tags: false,
        files: Vec::new(),
        deadline: Instant::now() + Duration::from_secs(5),
    }
}

async fn ask(url: &str) -> Result<SubgraphResponse, SubgraphFault> {
    subgraph(url, None).execute(request(somebody())).await
}

async fn fault(status: &str, content_type: &str, body: &[u8]) -> String {
    let server = FakeServer::answering(status, content_type, body).await;
    ask(&server.url).await.unwrap_err().to_string()
}

#[tokio::test]
async fn a_request_carries_operation_variables_and_request_id_and_no_caller_without_a_secret() {
    let server = FakeServer::answering("200 OK", "application/json", br#"{"data":{"hello":"hi"}}"#).await;
    let caller = somebody();
    let response = subgraph(&server.url, None).execute(request(Arc::clone(&caller))).await.unwrap();
    assert_eq!(response.data, Value::parse(br#"{"hello":"hi"}"#).unwrap());
    let host = server.url.trim_start_matches("http://").trim_end_matches("/graphql");
    let sent = server.requests()[0].replace(host, "HOST").replace(&caller.request.to_string(), "REQUEST-ID");
    insta::assert_snapshot!(sent.replace('\r', ""), @r#"
    POST /graphql HTTP/1.1
    content-type: application/json
    accept: application/graphql-response+json, application/json;q=0.9
    x-request-id: REQUEST-ID
    host: HOST
    content-length: 114

    {"query":"query Hello($name: String) { hello(name: $name) }","operationName":"Hello","variables":{"name":"ä\"x"}}
    "#);
}

#[tokio::test]
async fn partial_data_comes_with_its_errors() {
    let body = br#"{"data":{"hello":null},"errors":[{"message":"no","path":["hello"],"extensions":{"code":"X"}}, "odd"]}"#;
    let server =
        FakeServer::answering("200 OK", "application/graphql-response+json; charset=utf-8", body).await;
    let response = SubgraphResponse { headers: std::sync::Arc::default(), ..ask(&server.url).await.unwrap() };
    insta::assert_debug_snapshot!(response, @r#"
    SubgraphResponse {
        data: Object(
            Object(
                [
                    (
                        "hello",
                        Null,
                    ),
                ],
            ),
        ),
        errors: [
            SubgraphError {
                message: "no",
                path: List(
                    [
                        String(
                            "hello",
                        ),
                    ],
                ),
                extensions: Object(
                    Object(
                        [
                            (
                                "code",
                                String(
                                    "X",
                                ),
                            ),
                        ],
                    ),
                ),
            },
            SubgraphError {
                message: "odd",
                path: Null,
                extensions: Null,
            },
        ],
        extensions: Null,
        headers: {},
    }
    "#);
}

#[tokio::test]
async fn errors_without_data_are_a_response_whatever_the_status() {
    let body = br#"{"errors":[{"message":"unknown field"}]}"#;
    let server = FakeServer::answering("400 Bad Request", "application/graphql-response+json", body).await;
    let response = ask(&server.url).await.unwrap();
    assert_eq!((response.data, response.errors[0].message.as_str()), (Value::Null, "unknown field"));
}

#[tokio::test]
async fn what_is_no_graphql_response_is_told_apart() {
    let json = "application/json";
    let faults = [
        fault("500 Internal Server Error", "text/plain", b"oops").await,
        fault("500 Internal Server Error", json, br#"{"error":"oops"}"#).await,
        fault("200 OK", "text/html; charset=utf-8", b"<html>sign in</html>").await,
        fault("200 OK", json, b"").await,
        fault("200 OK", json, br#"{"data":{"hello":"#).await,
        fault("200 OK", json, b"garbage").await,
        fault("200 OK", json, b"{\"data\":{\"hello\":\"\xff\xfe\"}}").await,
        fault("200 OK", json, b"[1]").await,
        fault("200 OK", json, br#"{"data":"text"}"#).await,
        fault("200 OK", json, br#"{"data":{},"errors":{"message":"no list"}}"#).await,
        fault("200 OK", json, "[".repeat(1000).as_bytes()).await,
        fault("204 No Content", json, b"").await,
    ];
    insta::assert_snapshot!(faults.join("\n"), @r#"
    answered with no GraphQL response: HTTP status 500 with content type "text/plain"
    answered with no GraphQL response: HTTP status 500 with an object that has neither `data` nor `errors`
    answered with no GraphQL response: HTTP status 200 with content type "text/html; charset=utf-8"
    answered with no GraphQL response: HTTP status 200 with a body that is not JSON: expected a value at byte 0
    answered with no GraphQL response: HTTP status 200 with a body that is not JSON: expected a value at byte 17
    answered with no GraphQL response: HTTP status 200 with a body that is not JSON: expected a value at byte 0
    answered with no GraphQL response: HTTP status 200 with a body that is not UTF-8
    answered with no GraphQL response: HTTP status 200 with a list instead of an object
    answered with no GraphQL response: HTTP status 200 with `data` that is a string instead of an object
    answered with no GraphQL response: HTTP status 200 with `errors` that is an object instead of a list
    answered with no GraphQL response: HTTP status 200 with a body that is not JSON: nested more than 200 levels deep at byte 200
    answered with no GraphQL response: HTTP status 204 with a body that is not JSON: expected a value at byte 0
    "#);
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_not_read() {
    let body = format!(r#"{{"data":{{"hello":"{}"}}}}"#, "x".repeat(2000));
    assert_eq!(
        fault("200 OK", "application/json", body.as_bytes()).await,
        "answered with more than 1000 bytes"
    );
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n";
    let server = FakeServer::start(Behaviour::Answer(format!("{head}{body}").into_bytes())).await;
    let unannounced = ask(&server.url).await.unwrap_err().to_string();
    assert_eq!(unannounced, "answered with more than 1000 bytes");
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_a_broken_connection_and_one_that_is_no_http_is_no_answer() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{\"data\":";
    let server = FakeServer::start(Behaviour::Answer(head.into())).await;
    assert!(matches!(ask(&server.url).await, Err(SubgraphFault::Unreachable(_))));
    let no_http = FakeServer::start(Behaviour::Answer(b"SSH-2.0-server\r\n".into())).await;
    assert!(matches!(ask(&no_http.url).await, Err(SubgraphFault::Malformed(_))));
}

#[tokio::test]
async fn nobody_there_is_unreachable() {
    assert!(matches!(ask(&FakeServer::dead_url().await).await, Err(SubgraphFault::Unreachable(_))));
}

#[tokio::test]
async fn a_server_without_tls_is_unreachable_by_https() {
    let server = FakeServer::answering("200 OK", "application/json", br#"{"data":{}}"#).await;
    let url = server.url.replace("http://", "https://");
    assert!(matches!(ask(&url).await, Err(SubgraphFault::Unreachable(_))));
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up_at_the_deadline_of_the_request_or_of_the_subgraph() {
    let server = FakeServer::start(Behaviour::Silence).await;
    let deadline = Instant::now() + Duration::from_millis(50);
    let by_request =
        subgraph(&server.url, None).execute(SubgraphRequest { deadline, ..request(somebody()) }).await;
    assert!(matches!(by_request, Err(SubgraphFault::TimedOut(after)) if after <= Duration::from_millis(50)));

    let short = RemoteConfig { timeout: Duration::from_millis(20), ..config() };
    let endpoint = RemoteEndpoint { name: "shop".into(), url: server.url.clone(), signer: None };
    let subgraph = RemoteSubgraph::try_new(endpoint, short, clock()).unwrap();
    let by_subgraph = subgraph.execute(request(somebody())).await.unwrap_err().to_string();
    assert_eq!(by_subgraph, "did not answer within 20 ms");
}

#[tokio::test]
async fn a_subgraph_tells_its_sdl() {
    let body = br#"{"data":{"_service":{"sdl":"type Query { a: Int }"}}}"#;
    let server = FakeServer::answering("200 OK", "application/json", body).await;
    assert_eq!(subgraph(&server.url, None).sdl().await.unwrap(), "type Query { a: Int }");
    let refusing =
        FakeServer::answering("200 OK", "application/json", br#"{"errors":[{"message":"no"}]}"#).await;
    let refusal = subgraph(&refusing.url, None).sdl().await.unwrap_err().to_string();
    assert_eq!(refusal, "answered with no GraphQL response: it does not tell its SDL: no");
}

#[tokio::test]
async fn a_subscription_of_a_subgraph_that_is_not_there_is_refused() {
    let fault = subgraph("http://localhost:1", None).subscribe(request(somebody())).await.err().unwrap();
    insta::assert_snapshot!(fault, @"could not be reached");
}

#[test]
fn an_address_must_be_one() {
    for url in ["", "shop:4001", "localhost", "ftp://shop/graphql", "http://"] {
        let endpoint = RemoteEndpoint { name: "shop".into(), url: url.into(), signer: None };
        let refusal = RemoteSubgraph::try_new(endpoint, config(), clock()).err();
        let refusal = refusal.unwrap_or_else(|| panic!("{url:?} was taken for an address")).to_string();
        assert!(
            refusal.starts_with(&format!("the address {url:?} of the subgraph `shop` is not one")),
            "{refusal}"
        );
    }
}

/// Signs everybody but those without a tenant, and counts.
#[derive(Default)]
struct CountingSigner(AtomicUsize);

impl CallerSigner for CountingSigner {
    fn sign(&self, audience: &str, caller: &Arc<Caller>) -> Option<String> {
        let number = self.0.fetch_add(1, Ordering::SeqCst) + 1;
        caller.org.map(|_| format!("token-{number}-for-{audience}"))
    }
}

fn caller_header(request: &str) -> Option<&str> {
    request.lines().find_map(|line| line.strip_prefix("pulse-caller: "))
}

#[tokio::test]
async fn the_caller_goes_as_a_token_that_is_signed_once_for_equal_callers() {
    let server = FakeServer::answering("200 OK", "application/json", br#"{"data":{}}"#).await;
    let subgraph = subgraph(&server.url, Some(Arc::new(CountingSigner::default())));
    let first = somebody();
    let again = Arc::new(Caller { request: pulse_types::RequestId::new(noon()), ..Caller::clone(&first) });
    let other = Arc::new(Caller { org: Some(OrgId::new(noon())), ..Caller::clone(&first) });
    for caller in [&first, &again, &other, &again] {
        subgraph.execute(request(Arc::clone(caller))).await.unwrap();
    }
    let requests = server.requests();
    let tokens: Vec<_> = requests.iter().map(|request| caller_header(request).unwrap()).collect();
    assert_eq!(tokens, ["token-1-for-shop", "token-1-for-shop", "token-2-for-shop", "token-1-for-shop"]);
}

#[tokio::test]
async fn a_caller_whom_the_signer_does_not_sign_goes_without_a_token() {
    let server = FakeServer::answering("200 OK", "application/json", br#"{"data":{}}"#).await;
    let subgraph = subgraph(&server.url, Some(Arc::new(CountingSigner::default())));
    let nobody = Arc::new(Caller::anonymous(pulse_types::RequestId::new(noon())));
    subgraph.execute(request(nobody)).await.unwrap();
    assert_eq!(caller_header(&server.requests()[0]), None);
}
