//! Whose turn it is: nobody waits for somebody else's receiver.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use serde_json::json;
use tokio::sync::Notify;

use crate::receiver::{Receiver, Reply};
use crate::stage::{HOST, Stage};

#[tokio::test]
async fn a_slow_receiver_holds_up_nobody_else() {
    let slow = Receiver::start().await;
    let told = Arc::new(Notify::new());
    slow.answers(Reply::When(Arc::clone(&told)));
    let port = slow.port;
    let stage = Stage::with(move |config| {
        config.timeout = Duration::from_mins(5);
        config.allowed_ports.push(port);
        config.concurrency_per_host = 1;
    })
    .await;
    stage.names.set("slow.test", &["127.0.0.1"]);
    let filter = json!({ "subjects": ["entities.*"] });
    for path in ["a", "b"] {
        stage.webhook_at(&format!("http://slow.test:{port}/{path}"), filter.clone()).await;
    }
    stage.webhook_at(&stage.url("/quick"), filter).await;
    stage.created().await;
    let dispatcher = Arc::clone(&stage.dispatcher);
    let sending = tokio::spawn(async move { dispatcher.drain().await });
    slow.next().await;
    // The other one is served while this one is waited for, and its host has no second request.
    assert_eq!(stage.receiver.next().await.path, "/quick");
    assert!(slow.all().is_empty());
    told.notify_one();
    slow.next().await;
    told.notify_one();
    sending.await.unwrap().unwrap();
    assert!(slow.all().is_empty());
}

#[tokio::test]
async fn several_processes_send_each_delivery_once() {
    let stage = Stage::new().await;
    let paths: Vec<_> = (0..6).map(|n| stage.url(&format!("/{n}"))).collect();
    for path in &paths {
        stage.webhook_at(path, json!({ "subjects": ["entities.*"] })).await;
    }
    for _ in 0..30 {
        stage.created().await;
    }
    let processes = (0..3).map(|_| stage.dispatcher.drain());
    for turns in join_all(processes).await {
        turns.unwrap();
    }
    let mut ids: Vec<_> = stage.receiver.all().iter().map(|received| received.id().to_owned()).collect();
    assert_eq!(ids.len(), 180);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 180);
    assert_eq!(stage.names.asked(HOST), 180);
}

#[tokio::test]
async fn an_event_that_is_read_again_is_not_sent_again() {
    let stage = Stage::new().await;
    let (webhook, _) = stage.webhook().await;
    stage.created().await;
    stage.send().await;
    // The group is set back to the beginning, as when a dead letter is tried again.
    stage.begin_again().await;
    stage.publish().await;
    stage.send().await;
    assert_eq!(stage.receiver.all().len(), 1);
    assert_eq!(stage.delivery(&webhook).await["status"], "DELIVERED");
}

#[tokio::test]
async fn where_nothing_is_due_one_statement_says_so() {
    let stage = Stage::new().await;
    stage.webhook().await;
    stage.created().await;
    stage.send().await;
    let before = stage.store().statistics().statements();
    for _ in 0..3 {
        assert_eq!(stage.dispatcher.drain().await.unwrap(), 0);
    }
    assert_eq!(stage.store().statistics().statements() - before, 3);
}

#[tokio::test]
async fn the_service_sends_what_happens_and_ends_when_it_is_told() {
    let stage = Stage::new().await;
    stage.webhook().await;
    let stop = tokio_util::sync::CancellationToken::new();
    let service = Arc::clone(&stage.subgraph.services[0]);
    let running = tokio::spawn(service.run(stop.clone()));
    for _ in 0..3 {
        stage.created().await;
        stage.receiver.next().await;
    }
    stop.cancel();
    running.await.unwrap();
}
