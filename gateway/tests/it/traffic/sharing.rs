//! Equal queries of equal callers share one call, and nobody else does.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;
use pulse_gateway::RemoteConfig;
use pulse_gateway::engine::OperationKind;
use pulse_gateway::ports::{Subgraph, SubgraphFault, SubgraphRequest};
use pulse_gateway::remote::{RemoteEndpoint, RemoteSubgraph};
use pulse_gateway::value::Value;
use pulse_types::{Caller, OrgId, RequestId, SessionId, Subject, UserId};
use tokio::time::timeout;

use crate::support::scripted_server::{ScriptedServer, Step, json};
use crate::support::{clock, noon, somebody};

/// A subgraph that counts its answers, each after a while, or only once it may.
async fn counting(pause: Duration) -> ScriptedServer {
    ScriptedServer::start(move |number, _| {
        vec![Step::Pause(pause), json(&format!(r#"{{"data":{{"hello":"{number}"}}}}"#))]
    })
    .await
}

fn subgraph(url: &str, remote: &str) -> Arc<RemoteSubgraph> {
    let endpoint = RemoteEndpoint { name: "shop".into(), url: url.into(), signer: None };
    let config: RemoteConfig = toml::from_str(remote).unwrap();
    Arc::new(RemoteSubgraph::try_new(endpoint, config, clock()).unwrap())
}

fn request(caller: &Arc<Caller>) -> SubgraphRequest {
    SubgraphRequest {
        query: "query($a: Int) { hello(a: $a) }".into(),
        query_hash: 1,
        operation_name: None,
        variables: Value::parse(br#"{"a":1}"#).unwrap(),
        kind: OperationKind::Query,
        caller: Arc::clone(caller),
        headers: Arc::default(),
        wants_tags: false,
        files: Vec::new(),
        deadline: Instant::now() + Duration::from_secs(20),
    }
}

/// The answers to these requests, sent at the same time.
async fn answers(subgraph: &RemoteSubgraph, requests: Vec<SubgraphRequest>) -> Vec<String> {
    let calls = requests.into_iter().map(|request| async {
        let answer = subgraph.execute(request).await.unwrap();
        answer.data.get("hello").and_then(Value::as_str).unwrap().to_owned()
    });
    join_all(calls).await
}

const WHILE: Duration = Duration::from_millis(200);

#[tokio::test]
async fn equal_queries_under_way_share_one_call_and_later_ones_do_not() {
    let server = counting(WHILE).await;
    let subgraph = subgraph(&server.url, "");
    let caller = somebody();
    let other_request = Arc::new(Caller { request: RequestId::new(noon()), ..(*caller).clone() });
    let requests = [&caller, &caller, &other_request].map(request).to_vec();
    assert_eq!(answers(&subgraph, requests).await, ["0", "0", "0"]);
    assert_eq!(answers(&subgraph, vec![request(&caller)]).await, ["1"]);
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn whoever_differs_in_anything_is_answered_alone() {
    let server = counting(WHILE).await;
    let subgraph = subgraph(&server.url, "headers.request = [{ propagate = \"x-a\" }]");
    let caller = somebody();
    let like = |change: &dyn Fn(&mut Caller)| {
        let mut other = (*caller).clone();
        change(&mut other);
        request(&Arc::new(other))
    };
    let with = |change: &dyn Fn(&mut SubgraphRequest)| {
        let mut other = request(&caller);
        change(&mut other);
        other
    };
    let headers = |name: &str| {
        let name: http::HeaderName = name.parse().unwrap();
        Arc::new(http::HeaderMap::from_iter([(name, "1".parse().unwrap())]))
    };
    let requests = vec![
        request(&caller),
        like(&|caller| caller.subject = Subject::User(UserId::new(noon()))),
        like(&|caller| caller.subject = Subject::Anonymous),
        like(&|caller| caller.org = Some(OrgId::new(noon()))),
        like(&|caller| caller.session = Some(SessionId::new(noon()))),
        like(&|caller| caller.permissions = pulse_types::Permissions::none()),
        with(&|request| request.variables = Value::parse(br#"{"a":2}"#).unwrap()),
        with(&|request| request.query = "query($a: Int) { hello(a: $a) b }".into()),
        with(&|request| request.operation_name = Some("Hello".into())),
        with(&|request| request.kind = OperationKind::Mutation),
        with(&|request| request.headers = headers("x-a")),
        // This header does not go on, so that it makes no difference.
        with(&|request| request.headers = headers("x-b")),
    ];
    let count = requests.len();
    let mut seen = answers(&subgraph, requests).await;
    assert_eq!(seen[0], seen[count - 1]);
    seen.pop();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), count - 1, "{seen:?}");
}

#[tokio::test]
async fn mutations_share_nothing_and_sharing_can_be_turned_off() {
    let server = counting(WHILE).await;
    let caller = somebody();
    let mutation = SubgraphRequest { kind: OperationKind::Mutation, ..request(&caller) };
    answers(&subgraph(&server.url, ""), vec![mutation.clone(), mutation]).await;
    assert_eq!(server.requests().len(), 2);
    answers(&subgraph(&server.url, "deduplicate = false"), vec![request(&caller), request(&caller)]).await;
    assert_eq!(server.requests().len(), 4);
}

#[tokio::test]
async fn whoever_asked_first_may_go_away() {
    let server = counting(Duration::from_millis(500)).await;
    let subgraph = subgraph(&server.url, "");
    let caller = somebody();
    let first = {
        let (subgraph, request) = (Arc::clone(&subgraph), request(&caller));
        tokio::spawn(async move { subgraph.execute(request).await })
    };
    server.asked(1).await;
    let impatient =
        SubgraphRequest { deadline: Instant::now() + Duration::from_millis(20), ..request(&caller) };
    let fault = subgraph.execute(impatient).await.unwrap_err();
    assert!(matches!(fault, SubgraphFault::TimedOut(_)), "{fault}");
    let second = answers(&subgraph, vec![request(&caller)]);
    let second = async {
        tokio::join!(second, async {
            first.abort();
        })
    };
    assert_eq!(second.await.0, ["0"]);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_call_that_nobody_waits_for_is_given_up() {
    let closed = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let server = ScriptedServer::always(vec![Step::Hold]).await;
    let subgraph = subgraph(&server.url, "concurrent_calls = 1");
    let caller = somebody();
    let waits = timeout(Duration::from_millis(100), subgraph.execute(request(&caller)));
    assert!(waits.await.is_err());
    closed.store(true, std::sync::atomic::Ordering::SeqCst);
    // The one slot is free again, or this would never be asked.
    let other = SubgraphRequest { query_hash: 2, ..request(&caller) };
    let (_waits, ()) =
        tokio::join!(timeout(Duration::from_millis(300), subgraph.execute(other)), server.asked(2));
}

#[tokio::test]
async fn a_fault_is_shared_like_an_answer() {
    let server = ScriptedServer::always(vec![Step::Pause(WHILE), json("garbage")]).await;
    let subgraph = subgraph(&server.url, "");
    let caller = somebody();
    let (one, other) = tokio::join!(subgraph.execute(request(&caller)), subgraph.execute(request(&caller)));
    assert_eq!(one.unwrap_err().to_string(), other.unwrap_err().to_string());
    assert_eq!(server.requests().len(), 1);
}
