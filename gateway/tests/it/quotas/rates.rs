//! Rate limits in this process.

use pulse_gateway::{RateLimitRule, quota_warnings};

use super::*;

pub(super) fn rate(key: &str, limit: u64, window: Duration, burst: u64) -> GatewayConfig {
    let rule =
        RateLimitRule { name: "rate".into(), key: key.to_owned().try_into().unwrap(), limit, window, burst };
    GatewayConfig { rate_limits: vec![rule], ..GatewayConfig::default() }
}

const MOTTO: &str = r#"{"query":"query Motto { motto }"}"#;

#[tokio::test]
async fn requests_above_the_rate_are_told_when_to_come_again() {
    let time = Time::default();
    let gateway = start(&time, rate("header:x-client", 60, Duration::from_mins(1), 2)).await;
    let ask = async |client: &str| ask(&gateway, &[&format!("x-client: {client}")], MOTTO).await;
    insta::assert_snapshot!(ask("a").await, @r#"
    200 OK
    content-type: application/graphql-response+json; charset=utf-8
    ratelimit: "rate";r=1;t=1
    ratelimit-policy: "rate";q=60;w=60

    {"data":{"motto":"Read"}}
    "#);
    assert_eq!(ask("a").await.status, 200);
    insta::assert_snapshot!(ask("a").await, @r#"
    429 Too Many Requests
    content-type: application/graphql-response+json; charset=utf-8
    ratelimit: "rate";r=0;t=2
    ratelimit-policy: "rate";q=60;w=60
    retry-after: 1

    {"errors":[{"message":"too many requests for the limit `rate`: try again in 1 s","extensions":{"code":"RATE_LIMITED","reason":"RATE_LIMIT","limit":"rate","retryAfter":1}}]}
    "#);
    assert_eq!(ask("b").await.status, 200);
    time.pass(Duration::from_secs(1));
    assert_eq!([ask("a").await.status, ask("a").await.status], [200, 429]);
}

#[tokio::test]
async fn client_that_takes_plain_json_gets_the_status_too() {
    let gateway = start(&Time::default(), rate("ip", 1, Duration::from_mins(1), 0)).await;
    let accept = ["accept: application/json"];
    assert_eq!(ask(&gateway, &accept, MOTTO).await.status, 200);
    let refused = ask(&gateway, &accept, MOTTO).await;
    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (429, Some("60")));
}

#[tokio::test]
async fn requests_that_come_to_nothing_count_too() {
    let gateway = start(&Time::default(), rate("ip", 2, Duration::from_mins(1), 0)).await;
    assert_eq!(gateway.post(r#"{"query":"{ nothing }"}"#).await.status, 400);
    assert_eq!(gateway.post(r#"{"query":"{"}"#).await.status, 400);
    assert_eq!(gateway.post(r#"{"query":"{ nothing }"}"#).await.status, 429);
}

#[tokio::test]
async fn keys_may_be_joined() {
    let gateway =
        start(&Time::default(), rate("caller.api_key|ip+operation", 1, Duration::from_mins(1), 0)).await;
    let other = MOTTO.replace("Motto", "Other");
    let mut seen = Vec::new();
    for (key, body) in
        [("x-api-key: a", MOTTO), ("x-api-key: a", &other), ("x-api-key: b", MOTTO), ("x-other: a", MOTTO)]
    {
        seen.push(ask(&gateway, &[key], body).await.status.as_u16());
        seen.push(ask(&gateway, &[key], body).await.status.as_u16());
    }
    assert_eq!(seen, [200, 429, 200, 429, 200, 429, 200, 429]);
}

#[test]
fn settings_that_do_not_do_what_they_seem_to_are_warned_of() {
    assert_eq!(quota_warnings(&GatewayConfig::default()), Vec::<String>::new());
    let mut config = rate("ip", 1, Duration::ZERO, 0);
    config.cost.buckets = budget("ip", 1, 1).cost.buckets;
    config.cost.buckets[0].name = "rate".into();
    insta::assert_snapshot!(quota_warnings(&config).join("\n"), @r#"
    gateway.rate_limits and gateway.cost.buckets are kept in each process by itself: with several processes, each allows the whole of them; set gateway.redis.url (REDIS_URL) so that they share
    gateway.cost.buckets and gateway.cost.subgraphs do nothing unless gateway.cost.mode is "enforce"
    two limits or budgets are named "rate" and would share buckets: rename one
    the rate limit "rate" has a limit or a window of 0: give it both
    "#);
    config.redis.url = "redis://localhost".to_owned().try_into().unwrap();
    config.cost.mode = CostMode::Enforce;
    config.cost.lease = Duration::from_secs(1);
    config.redis.when_unreachable = pulse_gateway::WhenUnreachable::Allow;
    insta::assert_snapshot!(quota_warnings(&config).join("\n"), @r#"
    gateway.cost.lease is not longer than gateway.request_timeout: budgets would be given back to requests that are still running; make it longer
    gateway.redis.when_unreachable is "allow": nothing is limited while Redis cannot be reached; "local" lets each process count for itself
    two limits or budgets are named "rate" and would share buckets: rename one
    the rate limit "rate" has a limit or a window of 0: give it both
    "#);
}
