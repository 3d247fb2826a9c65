//! Answers that several gateways share by a Redis, and a Redis that is gone.

use std::time::Duration;

use super::product;
use super::shop::{Counter, News, Shop, keeping};
use crate::quotas::redis_server::RedisServer;
use crate::support::pause;

fn shared(redis: &RedisServer) -> pulse_gateway::GatewayConfig {
    let mut config = keeping();
    config.redis.url = redis.url().try_into().unwrap();
    config.redis.timeout = Duration::from_secs(5);
    config
}

/// Opens gateways until one finds what another one has written: nobody waits for that.
async fn found(redis: &RedisServer, is_tracked: bool) {
    loop {
        let news = News::new();
        let (shop, feed) =
            if is_tracked { (Shop::open().tracked(), Some(&news)) } else { (Shop::open(), None) };
        let another = Counter::over(shop, feed, shared(redis)).await;
        if is_tracked {
            news.tell(9, 1, "tool").await;
        }
        another.ask("", product(1), &[]).await;
        if another.shop.calls().is_empty() {
            return;
        }
        pause(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn what_one_gateway_keeps_another_one_finds() {
    let redis = RedisServer::start().await;
    let one = Counter::over(Shop::open(), None, shared(&redis)).await;
    one.ask("", product(1), &[]).await;
    found(&redis, false).await;
}

#[tokio::test]
async fn what_cannot_be_checked_against_changes_is_not_taken_from_another_gateway() {
    let redis = RedisServer::start().await;
    let (news, others) = (News::new(), News::new());
    let one = Counter::over(Shop::open().tracked(), Some(&news), shared(&redis)).await;
    let other = Counter::over(Shop::open().tracked(), Some(&others), shared(&redis)).await;
    news.tell(9, 1, "tool").await;
    one.ask("", product(1), &[]).await;
    found(&redis, true).await;
    other.ask("", product(1), &[]).await;
    assert_eq!(other.shop.calls().len(), 1, "it has heard nothing of the log yet");
    // Of the log from its beginning on it has heard the change that ended the answer.
    others.tell(9, 1, "tool").await;
    others.tell(1, 1, "tool").await;
    other.ask("", product(1), &[]).await;
    assert_eq!(other.shop.calls().len(), 1, "one that it has heard of ended it");
}

#[tokio::test]
async fn without_its_redis_a_gateway_keeps_answers_for_itself() {
    let mut redis = RedisServer::start().await;
    let counter = Counter::over(Shop::open(), None, shared(&redis)).await;
    counter.ask("", product(1), &[]).await;
    redis.kill();
    counter.ask("", product(2), &[]).await;
    counter.ask("", product(2), &[]).await;
    counter.ask("", product(1), &[]).await;
    assert_eq!(counter.shop.calls().len(), 2);
    redis.restart().await;
    counter.ask("", product(3), &[]).await;
    counter.ask("", product(3), &[]).await;
    assert_eq!(counter.shop.calls().len(), 1);
}
