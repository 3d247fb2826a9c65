//! The home-made way: axum that writes what a listener hears to all who asked for its topic.

use std::convert::Infallible;
use std::str::FromStr;
use std::sync::Arc;

use anyhow::Context;
use axum::Router;
use axum::extract::ws::{Message, Utf8Bytes, WebSocketUpgrade};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures::stream;
use pulse_bench_harness::child::announce;
use serde::Deserialize;
use serde_json::value::RawValue;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use tokio::sync::broadcast::{Receiver, Sender};

use super::writers::BARE_CHANNEL;

/// Events that wait for one subscriber.
const WAITING: usize = 256;

type Topics = Arc<[Sender<Utf8Bytes>]>;

#[derive(Deserialize)]
struct Told {
    topic: usize,
    data: Box<RawValue>,
}

pub(crate) async fn serve(database: &str, topics: usize) -> anyhow::Result<()> {
    super::limits::raise()?;
    let topics: Topics = std::iter::repeat_with(|| Sender::new(WAITING)).take(topics).collect();
    let options = PgConnectOptions::from_str(database)?;
    let pool = PgPoolOptions::new().max_connections(1).connect_lazy_with(options);
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.listen(BARE_CHANNEL).await?;
    let tcp = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    announce(tcp.local_addr()?);
    let router = Router::new()
        .route(
            "/socket/{topic}",
            get(async |State(topics): State<Topics>, Path(topic): Path<usize>, upgrade: WebSocketUpgrade| {
                subscribed(&topics, topic).map(|events| socket(events, upgrade))
            }),
        )
        .route(
            "/events/{topic}",
            get(async |State(topics): State<Topics>, Path(topic): Path<usize>| {
                subscribed(&topics, topic).map(stream_of)
            }),
        )
        .with_state(Arc::clone(&topics));
    tokio::select! {
        served = axum::serve(tcp, router) => Ok(served?),
        told = tell(listener, topics) => told,
    }
}

async fn tell(mut listener: PgListener, topics: Topics) -> anyhow::Result<()> {
    loop {
        let notification = listener.recv().await?;
        let Told { topic, data } = serde_json::from_str(notification.payload())?;
        let text = Utf8Bytes::from(format!("{{\"data\":{data}}}"));
        // An error is a topic that nobody listens to.
        let _listeners = topics.get(topic).context("an unknown topic")?.send(text);
    }
}

fn subscribed(topics: &Topics, topic: usize) -> Result<Receiver<Utf8Bytes>, StatusCode> {
    topics.get(topic).map(Sender::subscribe).ok_or(StatusCode::NOT_FOUND)
}

fn socket(mut events: Receiver<Utf8Bytes>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(async move |mut socket| {
        loop {
            tokio::select! {
                event = events.recv() => {
                    let Ok(text) = event else { return };
                    if socket.send(Message::Text(text)).await.is_err() {
                        return;
                    }
                }
                heard = socket.recv() => if !matches!(heard, Some(Ok(_))) { return },
            }
        }
    })
}

fn stream_of(events: Receiver<Utf8Bytes>) -> Response {
    let events = stream::unfold(events, async |mut events| {
        let text = events.recv().await.ok()?;
        Some((Ok::<_, Infallible>(Event::default().event("next").data(text.as_str())), events))
    });
    Sse::new(events).into_response()
}
