//! What is asked again, and what never is.

use std::time::{Duration, Instant};

use pulse_gateway::GatewayConfig;

use crate::support::scripted_server::{ScriptedServer, Step, json, response};
use crate::support::two_subgraphs::gateway;

const HI: &str = r#"{"data":{"hello":"hi","change":"done"}}"#;
const QUERY: &str = r#"{"query":"{ hello }"}"#;
const MUTATION: &str = r#"{"query":"mutation { change }"}"#;

fn config(remote: &str) -> GatewayConfig {
    GatewayConfig { remote: toml::from_str(remote).unwrap(), ..GatewayConfig::default() }
}

/// What a client sees of a subgraph that fails so often and then answers, and how often it was asked.
async fn seen(failure: Vec<Step>, failures: usize, remote: &str, body: &'static str) -> (String, usize) {
    let shaky = ScriptedServer::start(
        move |number, _| {
            if number < failures { failure.clone() } else { vec![json(HI)] }
        },
    )
    .await;
    let gateway = gateway(&shaky.url, "http://localhost:1", config(remote)).await;
    let reply = gateway.post(body).await;
    (reply.text().to_owned(), shaky.requests().len())
}

fn unavailable() -> Vec<Step> {
    vec![response("503 Service Unavailable", &["content-type: text/plain"], b"busy")]
}

const ANSWERED: &str = r#"{"data":{"hello":"hi"}}"#;

#[tokio::test]
async fn a_query_is_asked_again_where_the_connection_or_the_status_says_so() {
    for failure in [vec![Step::Close], unavailable(), vec![response("429 Too Many Requests", &[], b"")]] {
        assert_eq!(seen(failure, 2, "", QUERY).await, (ANSWERED.to_owned(), 3));
    }
    let (answer, times) = seen(unavailable(), 3, "", QUERY).await;
    assert!(answer.contains("gave an answer that cannot be used"), "{answer}");
    assert_eq!(times, 3);
}

#[tokio::test]
async fn an_attempt_may_have_a_time_of_its_own() {
    let slow = vec![Step::Hold];
    let (answer, times) = seen(slow, 1, "attempt_timeout = \"100ms\"", QUERY).await;
    assert_eq!((answer.as_str(), times), (ANSWERED, 2));
}

#[tokio::test]
async fn a_mutation_is_never_sent_twice() {
    for failure in [vec![Step::Close], unavailable(), vec![Step::Write(b"HTTP/1.1 20".to_vec()), Step::Close]]
    {
        let (answer, times) = seen(failure, 1, "", MUTATION).await;
        assert!(answer.contains(r#""data":{"change":null}"#), "{answer}");
        assert_eq!(times, 1);
    }
}

#[tokio::test]
async fn answers_that_are_wrong_and_statuses_that_are_not_listed_are_not_asked_for_again() {
    for failure in [
        vec![json("garbage")],
        vec![response("500 Internal Server Error", &["content-type: text/plain"], b"")],
        vec![response("404 Not Found", &["content-type: text/plain"], b"")],
    ] {
        assert_eq!(seen(failure, 1, "", QUERY).await.1, 1);
    }
    assert_eq!(seen(unavailable(), 1, "retries.statuses = []", QUERY).await.1, 1);
    assert_eq!(seen(vec![Step::Close], 1, "retries.attempts = 1", QUERY).await.1, 1);
}

#[tokio::test]
async fn repeats_end_with_the_budget() {
    let remote = "breaker.failure_percent = 0\nretries.budget_size = 2\nretries.budget_percent = 0";
    let shaky = ScriptedServer::always(vec![Step::Close]).await;
    let gateway = gateway(&shaky.url, "http://localhost:1", config(remote)).await;
    for _ in 0..5 {
        gateway.post(QUERY).await;
    }
    assert_eq!(shaky.requests().len(), 5 + 2);
}

#[tokio::test]
async fn a_subgraph_says_how_long_to_wait() {
    let busy = |after: &str| {
        let after = format!("retry-after: {after}");
        vec![response("503 Service Unavailable", &["content-type: text/plain", &after], b"")]
    };
    let started = Instant::now();
    assert_eq!(seen(busy("1"), 1, "", QUERY).await, (ANSWERED.to_owned(), 2));
    assert!(started.elapsed() >= Duration::from_secs(1));
    // Nobody waits for longer than the call may take: it ends at once.
    let (answer, times) = seen(busy("3600"), 1, "timeout = \"1h\"\nretries.attempts = 9", QUERY).await;
    assert!(answer.contains("INTERNAL"), "{answer}");
    assert_eq!(times, 1);
}
