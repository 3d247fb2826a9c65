//! Budgets and rate limits that several processes share in a Redis.

use pulse_gateway::WhenUnreachable;

use super::rates::rate;
use super::redis_server::RedisServer;
use super::*;

fn shared(mut config: GatewayConfig, server: &RedisServer, policy: WhenUnreachable) -> GatewayConfig {
    config.redis.url = server.url().try_into().unwrap();
    config.redis.when_unreachable = policy;
    // Machines that run tests may be slow.
    config.redis.timeout = Duration::from_secs(5);
    config
}

#[tokio::test]
async fn two_gateways_spend_one_budget() {
    let (time, server) = (Time::default(), RedisServer::start().await);
    let config = shared(budget("ip", 12, 1), &server, WhenUnreachable::Refuse);
    let one = start(&time, config.clone()).await;
    let other = start(&time, config).await;
    insta::assert_snapshot!(one.post(books(3)).await, @r#"
    200 OK
    content-type: application/graphql-response+json; charset=utf-8
    pulse-cost: estimated=6, actual=4, remaining=8
    ratelimit: "budget";r=8;t=4
    ratelimit-policy: "budget";q=12;w=12

    {"data":{"books":[{"id":"1"},{"id":"2"}]}}
    "#);
    insta::assert_snapshot!(other.post(books(3)).await, @r#"
    200 OK
    content-type: application/graphql-response+json; charset=utf-8
    pulse-cost: estimated=6, actual=4, remaining=4
    ratelimit: "budget";r=4;t=8
    ratelimit-policy: "budget";q=12;w=12

    {"data":{"books":[{"id":"1"},{"id":"2"}]}}
    "#);
    insta::assert_snapshot!(one.post(books(3)).await, @r#"
    429 Too Many Requests
    content-type: application/graphql-response+json; charset=utf-8
    pulse-cost: estimated=6, remaining=4
    ratelimit: "budget";r=4;t=8
    ratelimit-policy: "budget";q=12;w=12
    retry-after: 2

    {"errors":[{"message":"the operation may cost 6, and the budget `budget` holds 4: try again in 2 s","extensions":{"code":"RATE_LIMITED","reason":"BUDGET","limit":"budget","estimated":6,"remaining":4,"retryAfter":2}}]}
    "#);
    time.pass(Duration::from_secs(2));
    assert_eq!(other.post(books(3)).await.header("pulse-cost"), Some("estimated=6, actual=4, remaining=2"));
}

#[tokio::test]
async fn two_gateways_keep_one_rate() {
    let (time, server) = (Time::default(), RedisServer::start().await);
    let config = shared(rate("ip", 3, Duration::from_secs(3), 0), &server, WhenUnreachable::Refuse);
    let one = start(&time, config.clone()).await;
    let other = start(&time, config).await;
    let mut seen = Vec::new();
    for gateway in [&one, &other, &one, &other] {
        seen.push(gateway.post(r#"{"query":"{ motto }"}"#).await.status.as_u16());
    }
    assert_eq!(seen, [200, 200, 200, 429]);
    time.pass(Duration::from_secs(1));
    assert_eq!(one.post(r#"{"query":"{ motto }"}"#).await.status, 200);
    assert_eq!(other.post(r#"{"query":"{ motto }"}"#).await.status, 429);
}

#[tokio::test]
async fn hundred_at_once_through_two_gateways_never_spend_more_than_there_is() {
    let (time, server) = (Time::default(), RedisServer::start().await);
    let config = shared(budget("ip", 40, 0), &server, WhenUnreachable::Refuse);
    let gateways = [start(&time, config.clone()).await, start(&time, config).await];
    let body = books(2);
    let replies = futures::future::join_all((0..100).map(|n| gateways[n % 2].post(body.clone()))).await;
    let paid = replies.iter().filter(|reply| reply.status == 200).count();
    let refused = replies.iter().filter(|reply| reply.status == 429).count();
    assert_eq!((paid, refused), (10, 90));
}

#[tokio::test]
async fn debit_of_a_process_that_died_comes_back() {
    let (time, server) = (Time::default(), RedisServer::start().await);
    let config = shared(budget("ip", 4, 0), &server, WhenUnreachable::Refuse);
    // A process that dies in the middle of a request: its runtime ends without anything being settled.
    let dying = std::thread::spawn({
        let (time, config) = (time.clone(), config.clone());
        move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let (gateway, running) = start_hanging(&time, config).await;
                tokio::select! {
                    _ = gateway.post(books(2)) => unreachable!("nothing answers it"),
                    // The operation runs after the debit.
                    () = running.notified() => {}
                }
                std::mem::forget(gateway);
            });
            // Nothing of it is polled any more; its tasks never get to settle.
            std::mem::forget(runtime);
        }
    });
    dying.join().unwrap();
    let gateway = start(&time, config).await;
    assert_eq!(gateway.post(books(2)).await.status, 429);
    time.pass(Duration::from_secs(59));
    assert_eq!(gateway.post(books(2)).await.status, 429);
    time.pass(Duration::from_secs(1));
    assert_eq!(gateway.post(books(2)).await.header("pulse-cost"), Some("estimated=4, actual=4, remaining=0"));
}

#[tokio::test]
async fn without_redis_requests_are_counted_here_or_allowed_or_refused() {
    let (time, mut server) = (Time::default(), RedisServer::start().await);
    let with =
        async |policy| start(&time, shared(rate("ip", 1, Duration::from_mins(1), 0), &server, policy)).await;
    let (local, allow, refuse) = (
        with(WhenUnreachable::Local).await,
        with(WhenUnreachable::Allow).await,
        with(WhenUnreachable::Refuse).await,
    );
    server.kill();
    let ask = async |gateway: &TestGateway| gateway.post(r#"{"query":"{ motto }"}"#).await;
    assert_eq!([ask(&local).await.status, ask(&local).await.status], [200, 429]);
    assert_eq!([ask(&allow).await.status, ask(&allow).await.status], [200, 200]);
    insta::assert_snapshot!(ask(&refuse).await, @r#"
    503 Service Unavailable
    content-type: application/graphql-response+json; charset=utf-8

    {"errors":[{"message":"limits cannot be checked just now; try again in a moment","extensions":{"code":"UNAVAILABLE"}}]}
    "#);
    server.restart().await;
    // After each pause Redis is asked again, until the connection is there.
    let began = std::time::Instant::now();
    while ask(&refuse).await.status == 503 {
        assert!(began.elapsed() < Duration::from_secs(20), "Redis is not found again");
        time.pass(Duration::from_millis(500));
    }
    assert_eq!(ask(&refuse).await.status, 429);
}

#[tokio::test]
async fn request_whose_client_goes_away_is_paid_in_full() {
    let (time, server) = (Time::default(), RedisServer::start().await);
    let config = shared(budget("ip", 4, 0), &server, WhenUnreachable::Refuse);
    let (gateway, running) = start_hanging(&time, config).await;
    tokio::select! {
        _ = gateway.post(books(2)) => unreachable!("nothing answers it"),
        () = running.notified() => {}
    }
    // Long after the lease: the debit was settled when the request was given up.
    let began = std::time::Instant::now();
    let client = ::redis::Client::open(server.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    loop {
        let keys: Vec<String> =
            ::redis::cmd("KEYS").arg("*:leases").query_async(&mut connection).await.unwrap();
        if keys.is_empty() {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "the debit is not settled");
        crate::support::pause(Duration::from_millis(5)).await;
    }
    time.pass(Duration::from_mins(2));
    assert_eq!(gateway.post(books(2)).await.status, 429);
}
