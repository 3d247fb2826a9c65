//! Equal queries of equal callers that are under way are run once, whatever the subgraphs are; nobody else's are.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::response::Response;
use futures::poll;
use futures::stream::BoxStream;
use http::{HeaderMap, HeaderName, Request};
use pulse_gateway::engine::OperationKind;
use pulse_gateway::ports::{
    Authenticated, AuthenticationError, Authenticator, Subgraph, SubgraphFault, SubgraphRequest,
    SubgraphResponse,
};
use pulse_gateway::value::{Object, Value};
use pulse_gateway::{Gateway, GatewayConfig, GatewayParts, PlanExposure, Subgraphs};
use pulse_types::{Caller, Permissions};
use tokio::sync::watch;
use tower::ServiceExt;

use crate::support::gateway::parts;
use crate::support::somebody;

/// A subgraph that answers with the number of the call, queries once it is open, and mutations at once unless they hold.
struct Gate {
    calls: AtomicUsize,
    called: watch::Sender<usize>,
    is_open: watch::Sender<bool>,
    deduplicates: bool,
}

impl Gate {
    fn new(deduplicates: bool) -> Arc<Self> {
        let (called, is_open) = (watch::Sender::new(0), watch::Sender::new(true));
        Arc::new(Self { calls: AtomicUsize::new(0), called, is_open, deduplicates })
    }

    /// Waits until it was called so often.
    async fn called(&self, times: usize) {
        self.called.subscribe().wait_for(|called| *called >= times).await.unwrap();
    }
}

#[async_trait]
impl Subgraph for Gate {
    fn name(&self) -> &'static str {
        "parrot"
    }

    async fn sdl(&self) -> Result<String, SubgraphFault> {
        Ok(String::new())
    }

    fn deduplicates(&self) -> bool {
        self.deduplicates
    }

    fn forwarded(&self, headers: &HeaderMap, _: &Arc<Caller>) -> HeaderMap {
        let name = HeaderName::from_static("x-seen");
        headers.get(&name).map(|value| (name, value.clone())).into_iter().collect()
    }

    async fn execute(&self, request: SubgraphRequest) -> Result<SubgraphResponse, SubgraphFault> {
        let number = self.calls.fetch_add(1, Ordering::SeqCst);
        self.called.send_replace(number + 1);
        if request.kind == OperationKind::Query || request.query.contains("hold") {
            self.is_open.subscribe().wait_for(|is_open| *is_open).await.unwrap();
        }
        let number = Value::from(number.to_string());
        let data: Object =
            ["hello", "echo", "shout"].map(|name| (name.into(), number.clone())).into_iter().collect();
        Ok(SubgraphResponse { data: Value::Object(data), ..SubgraphResponse::default() })
    }

    async fn subscribe(
        &self,
        _: SubgraphRequest,
    ) -> Result<BoxStream<'static, Result<SubgraphResponse, SubgraphFault>>, SubgraphFault> {
        Err(SubgraphFault::Malformed("it has no news".to_owned()))
    }
}

/// One person, with the permissions that they say they have.
struct Scopes(Arc<Caller>);

#[async_trait]
impl Authenticator for Scopes {
    async fn authenticate(&self, headers: &HeaderMap) -> Result<Authenticated, AuthenticationError> {
        let scopes = headers.get("authorization").map_or("", |value| value.to_str().unwrap());
        let caller = Caller { permissions: Permissions::from_scope(scopes), ..Caller::clone(&self.0) };
        Ok(Authenticated { caller: Arc::new(caller), expires_at: None, terms: None })
    }
}

type Answer = Pin<Box<dyn Future<Output = Response>>>;

/// A gateway in front of the gate, asked without sockets: what is polled once has come as far as it can without others.
struct Gated {
    gate: Arc<Gate>,
    router: Router,
    _gateway: Gateway,
}

impl Gated {
    async fn new(deduplicates: bool, config: GatewayConfig) -> Self {
        let gate = Gate::new(deduplicates);
        let subgraphs = Subgraphs::Fixed(vec![Arc::clone(&gate) as Arc<dyn Subgraph>]);
        let parts = GatewayParts { subgraphs, authenticator: Arc::new(Scopes(somebody())), ..parts() };
        let gateway = Gateway::init(parts, config).await.unwrap();
        let gated = Self { gate, router: gateway.router(), _gateway: gateway };
        // Planned already, an operation does not wait for anything but the subgraph.
        for query in [HELLO, ECHO, OTHER, PLAN] {
            text(gated.send(query, &[]).await).await;
        }
        gated.gate.is_open.send_replace(false);
        gated
    }

    fn send(&self, body: &'static str, headers: &[(&'static str, &'static str)]) -> Answer {
        let mut request = Request::post("/graphql").header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body)).unwrap();
        let answer = self.router.clone().oneshot(request);
        Box::pin(async move { answer.await.unwrap() })
    }

    /// The answers to these requests, the first of which waits for the subgraph when the others come.
    async fn answers(&self, requests: &[(&'static str, &[(&'static str, &'static str)])]) -> Vec<String> {
        let before = self.gate.calls.load(Ordering::SeqCst);
        let mut answers: Vec<_> = requests.iter().map(|(body, headers)| self.send(body, headers)).collect();
        assert!(poll!(&mut answers[0]).is_pending());
        self.gate.called(before + 1).await;
        for answer in &mut answers[1..] {
            assert!(poll!(answer).is_pending());
        }
        self.gate.is_open.send_replace(true);
        let mut texts = Vec::new();
        for answer in answers {
            texts.push(text(answer.await).await);
        }
        self.gate.is_open.send_replace(false);
        texts
    }
}

async fn text(response: Response) -> String {
    let body = to_bytes(response.into_body(), 10_000).await.unwrap();
    String::from_utf8(body.to_vec()).unwrap()
}

const HELLO: &str = r#"{"query":"{ hello }"}"#;
const ECHO: &str = r#"{"query":"query($t: String!) { echo(text: $t) }","variables":{"t":"a"}}"#;
const OTHER: &str = r#"{"query":"query($t: String!) { echo(text: $t) }","variables":{"t":"b"}}"#;
const PLAN: &str = r#"{"query":"{ hello }","extensions":{"plan":true}}"#;
const HOLD: &str = r#"{"query":"mutation { shout(text: \"hold\") }"}"#;
const SHOUT: &str = r#"{"query":"mutation { shout(text: \"a\") }"}"#;

#[tokio::test]
async fn equal_queries_under_way_are_run_once_and_later_ones_anew() {
    let gated = Gated::new(true, GatewayConfig::default()).await;
    let answers = gated.answers(&[(HELLO, &[]), (HELLO, &[]), (HELLO, &[("x-unseen", "1")])]).await;
    assert_eq!(answers, [r#"{"data":{"hello":"4"}}"#; 3]);
    assert_eq!(gated.answers(&[(ECHO, &[]), (ECHO, &[])]).await, [r#"{"data":{"echo":"5"}}"#; 2]);
    assert_eq!(gated.answers(&[(HELLO, &[])]).await, [r#"{"data":{"hello":"6"}}"#]);
}

#[tokio::test]
async fn whoever_differs_in_anything_gets_an_answer_of_their_own() {
    let config = GatewayConfig { expose_plan: PlanExposure::All, ..GatewayConfig::default() };
    let gated = Gated::new(true, config).await;
    let mut answers = gated
        .answers(&[
            (HELLO, &[]),
            (HELLO, &[("x-seen", "1")]),
            (HELLO, &[("x-seen", "2")]),
            (HELLO, &[("authorization", "entity:read")]),
            (HELLO, &[("authorization", "entity:write")]),
            // It is told how long its own calls took.
            (PLAN, &[]),
            (PLAN, &[]),
            (ECHO, &[]),
            (OTHER, &[]),
        ])
        .await;
    let count = answers.len();
    answers.sort_unstable();
    answers.dedup();
    assert_eq!(answers.len(), count, "{answers:?}");
    assert_eq!(gated.gate.calls.load(Ordering::SeqCst), 4 + count);
}

#[tokio::test]
async fn nobody_shares_where_it_is_turned_off() {
    let off = GatewayConfig { deduplicate: false, ..GatewayConfig::default() };
    for (deduplicates, config) in [(true, off), (false, GatewayConfig::default())] {
        let gated = Gated::new(deduplicates, config).await;
        let answers = gated.answers(&[(HELLO, &[]), (HELLO, &[])]).await;
        assert_ne!(answers[0], answers[1]);
    }
}

#[tokio::test]
async fn a_query_after_a_mutation_does_not_join_one_from_before() {
    let gated = Gated::new(true, GatewayConfig::default()).await;
    let mut before = gated.send(HELLO, &[]);
    assert!(poll!(&mut before).is_pending());
    gated.gate.called(5).await;
    assert_eq!(text(gated.send(SHOUT, &[]).await).await, r#"{"data":{"shout":"5"}}"#);
    let mut after = gated.send(HELLO, &[]);
    assert!(poll!(&mut after).is_pending());
    gated.gate.called(7).await;
    let mut with_it = gated.send(HELLO, &[]);
    assert!(poll!(&mut with_it).is_pending());
    gated.gate.is_open.send_replace(true);
    assert_eq!(text(before.await).await, r#"{"data":{"hello":"4"}}"#);
    assert_eq!(text(after.await).await, r#"{"data":{"hello":"6"}}"#);
    assert_eq!(text(with_it.await).await, r#"{"data":{"hello":"6"}}"#);
}

#[tokio::test]
async fn a_mutation_that_is_given_up_may_have_changed_something_too() {
    let gated = Gated::new(true, GatewayConfig::default()).await;
    let (mut before, mut given_up) = (gated.send(HELLO, &[]), gated.send(HOLD, &[]));
    assert!(poll!(&mut before).is_pending());
    gated.gate.called(5).await;
    tokio::select! {
        answer = &mut given_up => panic!("it was to hold: {answer:?}"),
        () = gated.gate.called(6) => {}
    }
    drop(given_up);
    let mut after = gated.send(HELLO, &[]);
    assert!(poll!(&mut after).is_pending());
    gated.gate.called(7).await;
    gated.gate.is_open.send_replace(true);
    assert_eq!(text(before.await).await, r#"{"data":{"hello":"4"}}"#);
    assert_eq!(text(after.await).await, r#"{"data":{"hello":"6"}}"#);
}

#[tokio::test]
async fn whoever_asked_first_may_go_away() {
    let gated = Gated::new(true, GatewayConfig::default()).await;
    let (mut first, mut second) = (gated.send(HELLO, &[]), gated.send(HELLO, &[]));
    assert!(poll!(&mut first).is_pending());
    assert!(poll!(&mut second).is_pending());
    gated.gate.called(5).await;
    drop(first);
    gated.gate.is_open.send_replace(true);
    assert_eq!(text(second.await).await, r#"{"data":{"hello":"4"}}"#);
}
