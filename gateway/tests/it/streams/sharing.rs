//! Who shares a stream from a subgraph, and who does not.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use http::HeaderMap;
use pulse_gateway::ports::{Authenticated, AuthenticationError, Authenticator};
use pulse_gateway::{GatewayConfig, GatewayParts, StaticSource};
use pulse_types::{Caller, OrgId, UserId};

use super::feed::Feed;
use super::socket::Socket;
use super::{SUPERGRAPH, feed_parts, soon};
use crate::support::gateway::TestGateway;
use crate::support::{noon, somebody};

/// Takes callers by name.
struct ByName(HashMap<&'static str, Arc<Caller>>);

#[async_trait]
impl Authenticator for ByName {
    async fn authenticate(&self, headers: &HeaderMap) -> Result<Authenticated, AuthenticationError> {
        let name = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let caller = self.0.get(name).cloned();
        let caller = caller.ok_or_else(|| AuthenticationError::Invalid("nobody is called so".to_owned()))?;
        Ok(Authenticated { caller, expires_at: None, terms: None })
    }
}

async fn start(supergraph: &str) -> (TestGateway, Feed) {
    let ada = somebody();
    let colleague =
        Arc::new(Caller { subject: pulse_types::Subject::User(UserId::new(noon())), ..Caller::clone(&ada) });
    let stranger = Arc::new(Caller { org: Some(OrgId::new(noon())), ..Caller::clone(&colleague) });
    let callers = HashMap::from([("ada", ada), ("colleague", colleague), ("stranger", stranger)]);
    let feed = Feed::default();
    let parts = GatewayParts {
        source: Arc::new(StaticSource::new(supergraph)),
        authenticator: Arc::new(ByName(callers)),
        ..feed_parts(&feed)
    };
    (TestGateway::with(parts, GatewayConfig::default()).await, feed)
}

/// Connects as somebody and subscribes to a room.
async fn subscribe(gateway: &TestGateway, name: &str, variables: &str) -> Socket {
    let mut socket = Socket::open(&gateway.url).await;
    socket.send(&format!(r#"{{"type":"connection_init","payload":{{"authorization":"{name}"}}}}"#)).await;
    assert_eq!(socket.read().await, r#"{"type":"connection_ack"}"#);
    let query = "subscription($room: String!, $after: String) { posts(room: $room, after: $after) { id } }";
    socket.subscribe("s", query, variables).await;
    if variables.contains("after") {
        return socket;
    }
    // A query behind it shows that the subscription was read.
    socket.subscribe("q", "{ hello }", "{}").await;
    assert!(socket.read().await.contains(r#""id":"q""#));
    assert!(socket.read().await.contains(r#""id":"q""#));
    socket
}

/// How many streams are open for Ada twice, her colleague and a stranger, once each of them has had an event.
async fn open_streams(supergraph: &str) -> usize {
    let (gateway, feed) = start(supergraph).await;
    let mut sockets = Vec::new();
    for name in ["ada", "ada", "colleague", "stranger"] {
        sockets.push(subscribe(&gateway, name, r#"{"room":"a"}"#).await);
    }
    let opened = soon(async {
        loop {
            feed.post("a");
            let mut all = true;
            for socket in &mut sockets {
                all &=
                    tokio::time::timeout(std::time::Duration::from_millis(200), socket.read()).await.is_ok();
            }
            if all {
                break feed.opened().len();
            }
        }
    })
    .await;
    drop(sockets);
    feed.wait_open(0).await;
    opened
}

fn declared(scope: &str) -> String {
    let field = "posts(room: String!, after: String): Post";
    SUPERGRAPH.replace(field, &format!("{field} @cacheControl(scope: {scope})")).replace(
        "scalar join__FieldSet",
        "directive @cacheControl(maxAge: Int, scope: CacheControlScope) on FIELD_DEFINITION\nenum CacheControlScope { \
         PUBLIC TENANT PRIVATE }\nscalar join__FieldSet",
    )
}

#[tokio::test]
async fn equal_subscriptions_of_one_caller_share_a_stream_and_others_do_not() {
    assert_eq!(open_streams(SUPERGRAPH).await, 3);
    assert_eq!(open_streams(&declared("PRIVATE")).await, 3);
}

#[tokio::test]
async fn a_declared_scope_widens_who_shares() {
    assert_eq!(open_streams(&declared("TENANT")).await, 2);
    assert_eq!(open_streams(&declared("PUBLIC")).await, 1);
}

#[tokio::test]
async fn whoever_begins_behind_an_event_hears_all_that_came_since() {
    let (gateway, feed) = start(SUPERGRAPH).await;
    feed.post("a");
    feed.post("a");
    let mut first = subscribe(&gateway, "ada", r#"{"room":"a","after":"0"}"#).await;
    assert!(first.read().await.contains("a-1"));
    assert!(first.read().await.contains("a-2"));
    let mut second = subscribe(&gateway, "ada", r#"{"room":"a","after":"0"}"#).await;
    assert!(second.read().await.contains("a-1"));
    assert!(second.read().await.contains("a-2"));
    let mut other = subscribe(&gateway, "ada", r#"{"room":"a","after":"1"}"#).await;
    assert!(other.read().await.contains("a-2"));
}
