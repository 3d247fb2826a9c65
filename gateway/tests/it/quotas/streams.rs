//! Subscriptions pay with each event.

use super::rates::rate;
use super::*;

const ARRIVALS: &str = r#"{"query":"subscription { arrived { id } }"}"#;
const SSE: &str = "accept: text/event-stream";

#[tokio::test]
async fn stream_ends_with_a_reason_when_its_budget_is_empty() {
    let gateway = start(&Time::default(), budget("header:x-client", 5, 1)).await;
    // Each of the five events costs 2.
    let reply = ask(&gateway, &[SSE, "x-client: a"], ARRIVALS).await;
    insta::assert_snapshot!(reply, @r#"
    200 OK
    connection: close
    content-type: text/event-stream; charset=utf-8
    pulse-cost: estimated=2
    transfer-encoding: chunked
    x-accel-buffering: no

    :

    event: next
    data: {"data":{"arrived":{"id":"4"}}}

    event: next
    data: {"data":{"arrived":{"id":"4"}}}

    event: next
    data: {"errors":[{"message":"the operation may cost 2, and the budget `budget` holds 1: try again in 1 s","extensions":{"code":"RATE_LIMITED","reason":"BUDGET","limit":"budget","estimated":2,"remaining":1,"retryAfter":1}}]}

    event: complete
    data:
    "#);
    let motto = ask(&gateway, &["x-client: a"], r#"{"query":"{ motto }"}"#).await;
    assert_eq!(motto.header("pulse-cost"), Some("estimated=0, actual=0, remaining=1"));
}

#[tokio::test]
async fn followers_of_one_source_pay_the_same() {
    let gateway = start(&Time::default(), budget("header:x-client", 100, 1)).await;
    let clients = ["x-client: a", "x-client: b"];
    let streams = clients.map(|client| {
        let gateway = &gateway;
        async move { ask(gateway, &[SSE, client], ARRIVALS).await }
    });
    futures::future::join_all(streams).await;
    for client in clients {
        let motto = ask(&gateway, &[client], r#"{"query":"{ motto }"}"#).await;
        assert_eq!(motto.header("pulse-cost"), Some("estimated=0, actual=0, remaining=90"), "{client}");
    }
}

#[tokio::test]
async fn event_above_the_capacity_is_refused_before_the_stream_opens() {
    let gateway = start(&Time::default(), budget("ip", 1, 1)).await;
    insta::assert_snapshot!(ask(&gateway, &[SSE], ARRIVALS).await, @r#"
    200 OK
    content-type: text/event-stream; charset=utf-8
    transfer-encoding: chunked
    x-accel-buffering: no

    :

    event: next
    data: {"errors":[{"message":"the operation may cost 2, and the budget `budget` never holds more than 1: ask for shorter lists or fewer fields","extensions":{"code":"COST_EXCEEDED","reason":"BUCKET_CAPACITY","estimated":2,"limit":1}}]}

    event: complete
    data:
    "#);
}

#[tokio::test]
async fn opening_a_stream_is_one_request() {
    let gateway = start(&Time::default(), rate("ip", 1, Duration::from_mins(1), 0)).await;
    let first = ask(&gateway, &[SSE], ARRIVALS).await;
    assert_eq!(first.text().matches("event: next").count(), 5);
    assert_eq!(ask(&gateway, &[SSE], ARRIVALS).await.status, 429);
}
