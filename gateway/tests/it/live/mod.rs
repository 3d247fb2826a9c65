//! Queries that are answered again when something that they read has changed.

mod answers;
mod delta;
mod refusals;
pub(crate) mod shelf;
mod transports;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Request};
use http_body_util::BodyExt;
use pulse_gateway::ports::{Authenticated, AuthenticationError, Authenticator};
use pulse_gateway::{Gateway, GatewayConfig, GatewayParts, StaticSource, Subgraphs};
use pulse_types::{Caller, Permissions};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::streams::soon;
use crate::support::gateway::parts;
use crate::support::somebody;
use shelf::{Labels, Shelf};

pub(crate) const SUPERGRAPH: &str = include_str!("supergraph.graphql");

pub(crate) const ONE: &str = "query($id: ID!) @live { thing(id: $id) { id name } }";
pub(crate) const KIND: &str = "query($kind: String) @live { things(kind: $kind) { id name } }";

/// One person, with the permissions that they say they have.
pub(crate) struct Scopes(pub(crate) Arc<Caller>);

#[async_trait]
impl Authenticator for Scopes {
    async fn authenticate(&self, headers: &HeaderMap) -> Result<Authenticated, AuthenticationError> {
        let scopes = headers.get("authorization").map_or("", |value| value.to_str().unwrap());
        let caller = Caller { permissions: Permissions::from_scope(scopes), ..Caller::clone(&self.0) };
        Ok(Authenticated { caller: Arc::new(caller), expires_at: None, terms: None })
    }
}

/// A gateway over the shelf, for one person.
pub(crate) fn shelf_parts(shelf: &Shelf, caller: &Arc<Caller>) -> GatewayParts {
    GatewayParts {
        subgraphs: Subgraphs::Fixed(vec![Arc::new(shelf.clone()), Arc::new(Labels)]),
        source: Arc::new(StaticSource::new(SUPERGRAPH)),
        authenticator: Arc::new(Scopes(Arc::clone(caller))),
        changes: Some(Arc::new(shelf.clone())),
        ..parts()
    }
}

/// Settings by which nothing waits.
pub(crate) fn at_once() -> GatewayConfig {
    let mut config = GatewayConfig::default();
    config.live_queries.throttle = Duration::ZERO;
    config.live_queries.min_throttle = Duration::ZERO;
    config
}

/// A gateway over the shelf, asked without sockets.
pub(crate) struct Library {
    pub(crate) shelf: Shelf,
    pub(crate) router: Router,
    pub(crate) gateway: Gateway,
}

impl Library {
    pub(crate) async fn open(config: GatewayConfig) -> Self {
        let caller = somebody();
        let shelf = Shelf::new(caller.org);
        let gateway = Gateway::init(shelf_parts(&shelf, &caller), config).await.unwrap();
        Self { shelf, router: gateway.router(), gateway }
    }

    /// Sends an operation, and takes its answers as events.
    pub(crate) async fn follow(&self, query: &str, variables: Value) -> Events {
        self.follow_as("", query, variables).await
    }

    /// The same as somebody with these permissions.
    pub(crate) async fn follow_as(&self, scopes: &str, query: &str, variables: Value) -> Events {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let request = Request::post("/graphql")
            .header("content-type", "application/json")
            .header("accept", "text/event-stream")
            .header("authorization", scopes)
            .body(Body::from(body))
            .unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        Events { body: response.into_body(), read: String::new() }
    }
}

/// Answers as they come.
pub(crate) struct Events {
    body: Body,
    read: String,
}

impl Events {
    /// The next answer; `None` when the stream is complete.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        loop {
            let Some(at) = self.read.find("\n\n") else {
                let frame = soon(self.body.frame()).await?.unwrap();
                self.read.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
                continue;
            };
            let event: String = self.read.drain(..at + 2).collect();
            if event.starts_with("event: complete") {
                return None;
            }
            if let Some(data) = event.trim_end().strip_prefix("event: next\ndata: ") {
                return Some(serde_json::from_str(data).unwrap());
            }
        }
    }

    /// The next answer, of which there must be one.
    pub(crate) async fn answer(&mut self) -> Value {
        self.next().await.unwrap()
    }
}

/// The answer to `ONE`.
pub(crate) fn one(number: u128, name: &str) -> Value {
    json!({ "data": { "thing": { "id": shelf::id(number), "name": name } } })
}

/// The answer to `KIND`.
pub(crate) fn many(things: &[(u128, &str)]) -> Value {
    let things: Vec<_> =
        things.iter().map(|(number, name)| json!({ "id": shelf::id(*number), "name": name })).collect();
    json!({ "data": { "things": things } })
}
