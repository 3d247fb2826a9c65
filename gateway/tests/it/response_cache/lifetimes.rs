//! For how long answers are kept, what is never kept, and what clients are told.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures::stream::BoxStream;
use pulse_gateway::ports::{SourceError, SupergraphSdl, SupergraphSource};
use pulse_gateway::{GatewayConfig, GatewayParts, Subgraphs};
use serde_json::json;

use super::shop::{Counter, Shop, keeping, supergraph};
use super::{product, rename};
use crate::support::gateway::parts;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn nothing_is_kept_unless_it_is_turned_on_and_said() {
    let counter = Counter::open(GatewayConfig::default()).await;
    for _ in 0..2 {
        let answer = counter.ask("", product(1), &[]).await;
        assert_eq!(answer.header("cache-control"), Some("private, no-store"));
    }
    assert_eq!(counter.shop.calls().len(), 2);
    let counter = Counter::open(keeping()).await;
    for _ in 0..2 {
        counter.data("1 1", "{ fresh { name } }").await;
        counter.data("1 1", "{ fresh { name } me { name } }").await;
    }
    assert_eq!(counter.shop.calls().len(), 4);
}

#[tokio::test]
async fn an_answer_is_kept_for_its_time_and_clients_are_told() {
    let counter = Counter::open(keeping()).await;
    let first = counter.ask("", product(1), &[]).await;
    assert_eq!((first.header("cache-control"), first.header("age")), (Some("public, max-age=30"), None));
    counter.shop.put(1, "another");
    counter.wait(SECOND * 29);
    let kept = counter.ask("", product(1), &[]).await;
    assert_eq!((kept.header("cache-control"), kept.header("age")), (Some("public, max-age=30"), Some("29")));
    assert_eq!(kept.body, first.body);
    let known = counter.ask("1 1", product(1), &[]).await;
    assert_eq!(known.header("cache-control"), Some("private, max-age=30"));
    counter.wait(SECOND);
    let new = counter.ask("", product(1), &[]).await;
    assert_eq!(new.body["data"]["product"]["name"], "another");
    assert_eq!(new.header("age"), None);
    assert_eq!(counter.shop.calls().len(), 2);
}

#[tokio::test]
async fn the_default_time_and_that_of_a_subgraph_hold_where_nothing_is_said() {
    let mut config = keeping();
    config.response_cache.default_ttl = SECOND * 5;
    let counter = Counter::open(config.clone()).await;
    let query = "{ fresh { name } }";
    counter.data("1 1", query).await;
    counter.wait(SECOND * 4);
    counter.data("1 1", query).await;
    assert_eq!(counter.shop.calls().len(), 1);
    counter.wait(SECOND);
    counter.data("1 1", query).await;
    assert_eq!(counter.shop.calls().len(), 1);
    config.response_cache.subgraphs.entry("products".to_owned()).or_default().enabled = Some(false);
    let counter = Counter::open(config).await;
    counter.data("1 1", query).await;
    counter.data("1 1", query).await;
    assert_eq!(counter.shop.calls().len(), 2);
}

#[tokio::test]
async fn errors_are_never_kept() {
    let counter = Counter::open(keeping()).await;
    counter.shop.fail(true);
    for _ in 0..2 {
        let failed = counter.ask("", product(1), &[]).await;
        assert_eq!(failed.body["errors"][0]["message"], "it fails");
        assert_eq!(failed.header("cache-control"), Some("private, no-store"));
    }
    counter.shop.fail(false);
    assert_eq!(counter.ask("", product(1), &[]).await.body["errors"], json!(null));
    assert_eq!(counter.shop.calls().len(), 3);
}

#[tokio::test]
async fn what_a_subgraph_forbids_to_keep_is_not_kept() {
    for (head, calls) in [("no-store", 2), ("private, max-age=60", 2), ("public, max-age=60", 1)] {
        let counter = Counter::open(keeping()).await;
        counter.shop.answer_with_head("cache-control", head);
        counter.ask("", product(1), &[]).await;
        counter.ask("", product(1), &[]).await;
        assert_eq!(counter.shop.calls().len(), calls, "{head}");
    }
    let counter = Counter::open(keeping()).await;
    counter.shop.answer_with_head("cache-control", "public, max-age=10");
    let first = counter.ask("", product(1), &[]).await;
    assert_eq!(first.header("cache-control"), Some("public, max-age=10"));
    counter.wait(SECOND * 10);
    counter.ask("", product(1), &[]).await;
    assert_eq!(counter.shop.calls().len(), 2);
}

#[tokio::test]
async fn a_client_may_want_a_new_answer_or_one_that_is_not_kept() {
    let counter = Counter::open(keeping()).await;
    counter.ask("", product(1), &["cache-control: no-store"]).await;
    counter.ask("", product(1), &[]).await;
    assert_eq!(counter.shop.calls().len(), 2);
    counter.shop.put(1, "another");
    counter.ask("", product(1), &["cache-control: no-cache"]).await;
    assert_eq!(counter.shop.calls().len(), 1);
    let kept = counter.ask("", product(1), &[]).await;
    assert_eq!(kept.body["data"]["product"]["name"], "another", "the new one is kept");
    assert_eq!(counter.shop.calls().len(), 0);
    let mut config = keeping();
    config.response_cache.client_directives = false;
    let counter = Counter::open(config).await;
    counter.ask("", product(1), &[]).await;
    counter.ask("", product(1), &["cache-control: no-cache"]).await;
    assert_eq!(counter.shop.calls().len(), 1);
}

#[tokio::test]
async fn nobody_gets_what_is_older_than_their_own_change() {
    let counter = Counter::open(keeping()).await;
    let name = |answer: super::shop::Answered| answer.body["data"]["product"]["name"].clone();
    counter.ask("1 1", product(1), &[]).await;
    counter.ask("1 1", rename(1, "mine"), &[]).await;
    assert_eq!(name(counter.ask("2 2", product(1), &[]).await), "product 1", "others may get the old one");
    assert_eq!(name(counter.ask("1 1", product(1), &[]).await), "mine");
    assert_eq!(name(counter.ask("2 2", product(1), &[]).await), "mine", "the new one is kept");
    counter.shop.calls();
    // What is shared in a tenant is old for all of it.
    let team = "{ team { name } }";
    counter.data("2 1", team).await;
    counter.data("3 2", team).await;
    counter.ask("1 1", rename(1, "again"), &[]).await;
    counter.shop.calls();
    counter.data("2 1", team).await;
    assert_eq!(counter.shop.calls().len(), 1);
    counter.data("3 2", team).await;
    assert_eq!(counter.shop.calls().len(), 0, "another tenant's is not");
}

#[tokio::test]
async fn what_was_read_before_a_change_is_not_kept_for_who_made_it() {
    let counter = Counter::open(keeping()).await;
    counter.shop.hold(true);
    let reading = counter.ask("1 1", product(1), &[]);
    let changing = async {
        counter.shop.asked(1).await;
        counter.shop.put(1, "changed");
        counter.shop.hold(false);
        counter.ask("1 1", rename(1, "mine"), &[]).await;
    };
    futures::join!(reading, changing);
    let answer = counter.ask("1 1", product(1), &[]).await;
    assert_eq!(answer.body["data"]["product"]["name"], "mine");
}

/// A source whose versions come when the test says so.
struct Versions(UnboundedSender<SupergraphSdl>, Mutex<Option<UnboundedReceiver<SupergraphSdl>>>);

#[async_trait]
impl SupergraphSource for Versions {
    async fn current(&self) -> Result<SupergraphSdl, SourceError> {
        Ok(SupergraphSdl { sdl: supergraph(""), version: "one".to_owned() })
    }

    fn changes(&self) -> BoxStream<'static, SupergraphSdl> {
        self.1.lock().unwrap().take().unwrap().boxed()
    }
}

#[tokio::test]
async fn a_new_supergraph_begins_with_nothing() {
    let (sender, receiver) = unbounded();
    let source = Arc::new(Versions(sender, Mutex::new(Some(receiver))));
    let parts = GatewayParts { source: Arc::clone(&source) as _, ..parts() };
    let counter = Counter::with(Shop::open(), None, parts, keeping()).await;
    counter.ask("", product(1), &[]).await;
    assert_eq!(counter.shop.calls().len(), 1);
    let sdl = supergraph("extend type Query { more: Int }");
    source.0.unbounded_send(SupergraphSdl { sdl, version: "two".to_owned() }).unwrap();
    while counter.gateway.supergraph_version() != "two" {
        crate::support::pause(Duration::from_millis(5)).await;
    }
    counter.ask("", product(1), &[]).await;
    assert_eq!(counter.shop.calls().len(), 1);
}

#[tokio::test]
async fn new_settings_begin_with_nothing_and_wrong_ones_are_refused() {
    let counter = Counter::open(keeping()).await;
    counter.ask("", product(1), &[]).await;
    let subgraphs =
        || Subgraphs::Fixed(vec![Arc::new(counter.shop.clone()), Arc::new(counter.shop.reviews())]);
    let mut config = keeping();
    config.response_cache.memory = bytesize::ByteSize::b(0);
    let refused = counter.gateway.reconfigure(config, subgraphs()).await.unwrap_err().to_string();
    insta::assert_snapshot!(refused, @"gateway.response_cache.memory: nothing fits in; give it some, or turn `enabled` off");
    counter.ask("", product(1), &[]).await;
    assert_eq!(counter.shop.calls().len(), 1, "everything stays as it was");
    let mut config = keeping();
    config.response_cache.max_ttl = SECOND * 10;
    counter.gateway.reconfigure(config, subgraphs()).await.unwrap();
    counter.ask("", product(1), &[]).await;
    counter.wait(SECOND * 10);
    counter.ask("", product(1), &[]).await;
    assert_eq!(counter.shop.calls().len(), 2);
    counter.gateway.reconfigure(GatewayConfig::default(), subgraphs()).await.unwrap();
    counter.ask("", product(1), &[]).await;
    assert_eq!(counter.shop.calls().len(), 1);
}
