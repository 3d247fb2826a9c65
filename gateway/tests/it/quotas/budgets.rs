//! Budgets in this process.

use super::*;

#[tokio::test]
async fn estimate_is_debited_and_what_was_not_used_comes_back() {
    let time = Time::default();
    let gateway = start(&time, budget("header:x-client", 100, 10)).await;
    // Two books cost 4 of the 80 that they might have.
    insta::assert_snapshot!(ask(&gateway, &["x-client: a"], &books(40)).await, @r#"
    200 OK
    content-type: application/graphql-response+json; charset=utf-8
    pulse-cost: estimated=80, actual=4, remaining=96
    ratelimit: "budget";r=96;t=1
    ratelimit-policy: "budget";q=100;w=10

    {"data":{"books":[{"id":"1"},{"id":"2"}]}}
    "#);
    let spend = async |client: &str| ask(&gateway, &[&format!("x-client: {client}")], &books(40)).await;
    for _ in 0..5 {
        assert_eq!(spend("a").await.status, 200);
    }
    // 76 are left.
    insta::assert_snapshot!(spend("a").await, @r#"
    429 Too Many Requests
    content-type: application/graphql-response+json; charset=utf-8
    pulse-cost: estimated=80, remaining=76
    ratelimit: "budget";r=76;t=3
    ratelimit-policy: "budget";q=100;w=10
    retry-after: 1

    {"errors":[{"message":"the operation may cost 80, and the budget `budget` holds 76: try again in 1 s","extensions":{"code":"RATE_LIMITED","reason":"BUDGET","limit":"budget","estimated":80,"remaining":76,"retryAfter":1}}]}
    "#);
    assert_eq!(spend("b").await.status, 200);
    time.pass(Duration::from_millis(399));
    assert_eq!(spend("a").await.status, 429);
    time.pass(Duration::from_millis(1));
    assert_eq!(spend("a").await.status, 200);
}

#[tokio::test]
async fn estimate_above_the_capacity_is_never_worth_a_retry() {
    let gateway = start(&Time::default(), budget("ip", 100, 10)).await;
    insta::assert_snapshot!(gateway.post(books(51)).await, @r#"
    400 Bad Request
    content-type: application/graphql-response+json; charset=utf-8

    {"errors":[{"message":"the operation may cost 102, and the budget `budget` never holds more than 100: ask for shorter lists or fewer fields","extensions":{"code":"COST_EXCEEDED","reason":"BUCKET_CAPACITY","estimated":102,"limit":100}}]}
    "#);
}

#[tokio::test]
async fn those_without_a_key_share_one_budget() {
    let gateway = start(&Time::default(), budget("caller.org|caller.user", 5, 0)).await;
    assert_eq!(ask(&gateway, &["x-client: a"], &books(2)).await.status, 200);
    insta::assert_snapshot!(ask(&gateway, &["x-client: b"], &books(2)).await, @r#"
    429 Too Many Requests
    content-type: application/graphql-response+json; charset=utf-8
    pulse-cost: estimated=4, remaining=1
    ratelimit: "budget";r=1
    ratelimit-policy: "budget";q=5

    {"errors":[{"message":"the operation may cost 4, and the budget `budget` holds 1: it is not filled again","extensions":{"code":"RATE_LIMITED","reason":"BUDGET","limit":"budget","estimated":4,"remaining":1}}]}
    "#);
}

#[tokio::test]
async fn request_that_runs_nothing_gets_everything_back() {
    let gateway = start(&Time::default(), budget("ip", 100, 0)).await;
    let wrong = r#"{"query":"query ($n: Int!) { books(first: $n) { id } }","variables":{"n":"x"}}"#;
    assert_eq!(gateway.post(wrong).await.status, 400);
    assert_eq!(gateway.post(r#"{"query":"{ nothing }"}"#).await.status, 400);
    let reply = gateway.post(r#"{"query":"{ motto }"}"#).await;
    assert_eq!(reply.header("pulse-cost"), Some("estimated=0, actual=0, remaining=100"));
}

#[tokio::test]
async fn what_was_not_answered_is_given_back() {
    let config = GatewayConfig { request_timeout: Duration::from_millis(50), ..budget("ip", 100, 0) };
    let gateway = start(&Time::default(), config).await;
    let slow = gateway.post(r#"{"query":"{ slow { id } }"}"#).await;
    assert_eq!(slow.header("pulse-cost"), Some("estimated=2, actual=0, remaining=100"));
}

#[tokio::test]
async fn request_whose_client_goes_away_is_paid_in_full() {
    let (gateway, running) = start_hanging(&Time::default(), budget("ip", 4, 0)).await;
    tokio::select! {
        _ = gateway.post(books(2)) => unreachable!("nothing answers it"),
        () = running.notified() => {}
    }
    assert_eq!(gateway.post(books(2)).await.status, 429);
}

#[tokio::test]
async fn hundred_at_once_never_spend_more_than_there_is() {
    let gateway = start(&Time::default(), budget("ip", 40, 0)).await;
    // Each costs 4 and may cost no more.
    let body = books(2);
    let replies = futures::future::join_all((0..100).map(|_| gateway.post(body.clone()))).await;
    let paid = replies.iter().filter(|reply| reply.status == 200).count();
    let refused = replies.iter().filter(|reply| reply.status == 429).count();
    assert_eq!((paid, refused), (10, 90));
}

#[tokio::test]
async fn each_of_several_budgets_must_pay() {
    let mut config = budget("header:x-client", 10, 1);
    let mut other = config.cost.buckets[0].clone();
    other.name = "everybody".into();
    other.key = "header:x-nobody".to_owned().try_into().unwrap();
    other.capacity = Cost::new(6);
    config.cost.buckets.push(other);
    let gateway = start(&Time::default(), config).await;
    insta::assert_snapshot!(ask(&gateway, &["x-client: a"], &books(2)).await, @r#"
    200 OK
    content-type: application/graphql-response+json; charset=utf-8
    pulse-cost: estimated=4, actual=4, remaining=2
    ratelimit: "budget";r=6;t=4, "everybody";r=2;t=4
    ratelimit-policy: "budget";q=10;w=10, "everybody";q=6;w=6

    {"data":{"books":[{"id":"1"},{"id":"2"}]}}
    "#);
    insta::assert_snapshot!(ask(&gateway, &["x-client: b"], &books(2)).await, @r#"
    429 Too Many Requests
    content-type: application/graphql-response+json; charset=utf-8
    pulse-cost: estimated=4, remaining=2
    ratelimit: "budget";r=10;t=0, "everybody";r=2;t=4
    ratelimit-policy: "budget";q=10;w=10, "everybody";q=6;w=6
    retry-after: 2

    {"errors":[{"message":"the operation may cost 4, and the budget `everybody` holds 2: try again in 2 s","extensions":{"code":"RATE_LIMITED","reason":"BUDGET","limit":"everybody","estimated":4,"remaining":2,"retryAfter":2}}]}
    "#);
    // What the second could not pay, the first did not lose.
    let free = ask(&gateway, &["x-client: b"], r#"{"query":"{ motto }"}"#).await;
    assert_eq!(free.header("ratelimit"), Some(r#""budget";r=10;t=0, "everybody";r=2;t=4"#));
}

#[tokio::test]
async fn new_settings_keep_what_was_spent() {
    let gateway = start(&Time::default(), budget("ip", 10, 0)).await;
    assert_eq!(gateway.post(books(2)).await.status, 200);
    let config = GatewayConfig { query_page: false, ..budget("ip", 10, 0) };
    gateway.gateway.reconfigure(config, Subgraphs::Fixed(vec![Arc::new(Library)])).await.unwrap();
    let reply = gateway.post(r#"{"query":"{ motto }"}"#).await;
    assert_eq!(reply.header("pulse-cost"), Some("estimated=0, actual=0, remaining=6"));
}

#[tokio::test]
async fn more_keys_than_there_is_room_for_share_one_budget() {
    let config = GatewayConfig { quota_keys: 2, ..budget("header:x-client", 4, 1) };
    let time = Time::default();
    let gateway = start(&time, config).await;
    let spend = async |client: u32| ask(&gateway, &[&format!("x-client: {client}")], &books(2)).await.status;
    assert_eq!([spend(1).await, spend(2).await, spend(3).await], [200, 200, 200]);
    assert_eq!([spend(4).await, spend(5).await, spend(1).await], [429, 429, 429]);
    // Budgets that are full again make room.
    time.pass(Duration::from_secs(4));
    assert_eq!([spend(6).await, spend(7).await], [200, 200]);
}
