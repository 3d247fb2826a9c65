//! Answers that end with a change of what they were made of.

use std::time::Duration;

use pulse_gateway::GatewayConfig;

use super::shop::{Counter, News, Shop, keeping};
use super::{product, rename};

fn tracking() -> GatewayConfig {
    let mut config = keeping();
    config.response_cache.tracked_ttl = Duration::from_mins(10);
    config
}

#[tokio::test]
async fn a_change_of_a_row_ends_the_answers_that_were_made_of_it() {
    let news = News::new();
    let counter = Counter::over(Shop::open().tracked(), Some(&news), keeping()).await;
    counter.ask("1 1", product(1), &[]).await;
    counter.ask("1 1", product(2), &[]).await;
    counter.shop.put(1, "another");
    news.tell(1, 1, "tool").await;
    counter.shop.calls();
    let answer = counter.ask("1 1", product(1), &[]).await;
    assert_eq!(answer.body["data"]["product"]["name"], "another");
    counter.ask("1 1", product(2), &[]).await;
    assert_eq!(counter.shop.calls().len(), 1, "the other one is as it was");
}

#[tokio::test]
async fn a_change_that_a_list_may_hold_ends_it() {
    let news = News::new();
    let counter = Counter::over(Shop::open().tracked(), Some(&news), tracking()).await;
    let query = "{ listed { name } }";
    counter.data("1 1", query).await;
    counter.wait(Duration::from_secs(599));
    counter.data("2 1", query).await;
    assert_eq!(counter.shop.calls().len(), 1, "without a time it is kept until something changes");
    for (org, kind, calls) in [(1, "tool", 0), (2, "toy", 0), (1, "toy", 1)] {
        news.tell(9, org, kind).await;
        counter.data("1 1", query).await;
        assert_eq!(counter.shop.calls().len(), calls, "{kind} in {org}");
    }
    counter.wait(Duration::from_mins(10));
    counter.data("1 1", query).await;
    assert_eq!(counter.shop.calls().len(), 1, "and no longer than the longest");
}

#[tokio::test]
async fn without_a_word_of_what_it_was_made_of_an_answer_needs_a_time() {
    let news = News::new();
    let counter = Counter::over(Shop::open(), Some(&news), tracking()).await;
    counter.data("1 1", "{ listed { name } }").await;
    counter.data("1 1", "{ listed { name } }").await;
    assert_eq!(counter.shop.calls().len(), 2);
    counter.ask("", product(1), &[]).await;
    counter.ask("", product(1), &[]).await;
    assert_eq!(counter.shop.calls().len(), 1, "one with a time is kept for it");
}

#[tokio::test]
async fn what_was_read_before_a_change_is_not_kept_behind_it() {
    let news = News::new();
    let counter = Counter::over(Shop::open().tracked(), Some(&news), keeping()).await;
    counter.shop.hold(true);
    let changing = async {
        counter.shop.asked(1).await;
        counter.shop.put(1, "another");
        news.tell(1, 1, "toy").await;
        counter.shop.hold(false);
    };
    let (old, ()) = futures::join!(counter.ask("1 1", product(1), &[]), changing);
    assert_eq!(old.body["data"]["product"]["name"], "product 1");
    let new = counter.ask("1 1", product(1), &[]).await;
    assert_eq!(new.body["data"]["product"]["name"], "another");
}

#[tokio::test]
async fn a_caller_gets_their_own_change_before_it_is_told_of() {
    let news = News::new();
    let counter = Counter::over(Shop::open().tracked(), Some(&news), keeping()).await;
    counter.ask("1 1", product(1), &[]).await;
    counter.ask("1 1", rename(1, "mine"), &[]).await;
    let mine = counter.ask("1 1", product(1), &[]).await;
    assert_eq!(mine.body["data"]["product"]["name"], "mine");
}
