//! Streams that neither their source nor their client ends: the credential's time is over, it is revoked, or the client
//! takes nothing of what it is sent. Each says why.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use futures::StreamExt;
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures::stream::BoxStream;
use http::{HeaderMap, Method};
use pulse_gateway::ports::{Authenticated, AuthenticationError, Authenticator, Revocation, RevocationFeed};
use pulse_gateway::{GatewayConfig, GatewayParts};
use pulse_types::Caller;

use super::body::Pieces;
use super::feed::Feed;
use super::socket::Socket;
use super::{configured, feed_parts, soon};
use crate::support::gateway::TestGateway;
use crate::support::{noon, somebody};

const POSTS: &str = "subscription($room: String!) { posts(room: $room) { id } }";

/// Knows one person, whose credential is good for a while.
struct Known {
    caller: Arc<Caller>,
    good_for: TimeDelta,
}

#[async_trait]
impl Authenticator for Known {
    async fn authenticate(&self, _: &HeaderMap) -> Result<Authenticated, AuthenticationError> {
        Ok(Authenticated {
            caller: Arc::clone(&self.caller),
            expires_at: Some(noon() + self.good_for),
            terms: None,
        })
    }
}

/// A feed whose other end the test holds.
struct Revocations(Mutex<Option<UnboundedReceiver<Revocation>>>);

impl RevocationFeed for Revocations {
    fn revocations(&self) -> BoxStream<'static, Revocation> {
        self.0.lock().unwrap().take().unwrap().boxed()
    }
}

async fn known(good_for: TimeDelta) -> (TestGateway, Feed, Arc<Caller>, UnboundedSender<Revocation>) {
    let (feed, caller) = (Feed::default(), somebody());
    let (revoke, revocations) = unbounded();
    let parts = GatewayParts {
        authenticator: Arc::new(Known { caller: Arc::clone(&caller), good_for }),
        revocations: Some(Arc::new(Revocations(Mutex::new(Some(revocations))))),
        ..feed_parts(&feed)
    };
    (TestGateway::with(parts, GatewayConfig::default()).await, feed, caller, revoke)
}

/// A stream over each transport: a socket, events, parts.
async fn three(gateway: &TestGateway, variables: &str) -> (Socket, Pieces, Pieces) {
    let mut socket = Socket::ready(&gateway.url).await;
    socket.subscribe("a", POSTS, variables).await;
    let events = Pieces::post(&gateway.url, "text/event-stream", POSTS, variables).await;
    let parts = Pieces::post(&gateway.url, "multipart/mixed;subscriptionSpec=1.0", POSTS, variables).await;
    (socket, events, parts)
}

/// The rest of a body.
async fn rest(mut body: Pieces) -> String {
    body.until("\0").await
}

/// What the streams say last.
async fn told((mut socket, events, parts): (Socket, Pieces, Pieces)) -> [String; 3] {
    [socket.read().await, rest(events).await, rest(parts).await]
}

fn assert_told(told: &[String; 3], close: &str, reason: &str) {
    let [socket, events, parts] = told;
    assert_eq!(socket, close);
    assert!(events.contains(reason) && events.ends_with("event: complete\ndata: \n\n"), "{events}");
    assert!(parts.contains(reason) && parts.ends_with("\r\n--graphql--\r\n"), "{parts}");
}

#[tokio::test]
async fn streams_end_with_the_time_of_their_credential() {
    let (gateway, feed, ..) = known(TimeDelta::seconds(5)).await;
    let streams = three(&gateway, r#"{"room":"a"}"#).await;
    feed.wait_open(1).await;
    let close = "close 4403 your token has expired, or your key has to be shown anew; connect again";
    assert_told(&told(streams).await, close, r#""reason":"CREDENTIAL_EXPIRED""#);
    feed.wait_open(0).await;
}

#[tokio::test]
async fn streams_end_when_their_session_or_their_person_is_revoked() {
    for of_session in [true, false] {
        let (gateway, feed, caller, revoke) = known(TimeDelta::hours(1)).await;
        let streams = three(&gateway, r#"{"room":"a"}"#).await;
        feed.wait_open(1).await;
        let revocation = if of_session {
            Revocation::Session(caller.session.unwrap())
        } else {
            Revocation::User(caller.user().unwrap())
        };
        revoke.unbounded_send(revocation).unwrap();
        let close = "close 4403 your credential was revoked; sign in again";
        assert_told(&told(streams).await, close, r#""reason":"CREDENTIAL_REVOKED""#);
        feed.wait_open(0).await;
    }
}

/// How many posts are more than a connection takes that nobody reads: each names its room, which is long.
const POSTS_TO_FILL: usize = 400;

fn long_room(letter: &str) -> String {
    letter.repeat(100_000)
}

async fn impatient() -> (TestGateway, Feed) {
    configured(|config| {
        config.subscriptions.slow_client_timeout = Duration::from_secs(2);
        // Before it cuts the connection, the server waits for longer.
        config.header_timeout = Duration::from_mins(1);
    })
    .await
}

/// Fills what is between the gateway and a client that does not read, until the stream's source is let go.
async fn fill(feed: &Feed, room: &str) {
    for _ in 0..POSTS_TO_FILL {
        feed.post(room);
    }
    feed.wait_open(0).await;
}

#[tokio::test]
async fn a_client_that_does_not_read_its_socket_is_closed_and_told() {
    let (gateway, feed) = impatient().await;
    let room = long_room("a");
    let mut slow = Socket::ready(&gateway.url).await;
    slow.subscribe("a", POSTS, &format!(r#"{{"room":"{room}"}}"#)).await;
    feed.wait_open(1).await;
    fill(&feed, &room).await;
    let mut read = 0;
    let last = loop {
        let message = slow.read().await;
        if !message.starts_with(r#"{"id":"a","type":"next""#) {
            break message;
        }
        read += 1;
        assert!(message.contains(&format!(r#"-{read}""#)), "event {read} was skipped");
    };
    assert_eq!(last, "close 1008 events come faster than you read them; read faster or ask for less");
    assert!(read < POSTS_TO_FILL, "all was read");
}

#[tokio::test]
async fn a_client_that_does_not_read_its_body_is_told_behind_what_it_has() {
    for (accept, end) in [
        ("text/event-stream", "event: complete\ndata: \n\n"),
        ("multipart/mixed;subscriptionSpec=1.0", "\r\n--graphql--\r\n"),
    ] {
        let (gateway, feed) = impatient().await;
        let room = long_room("b");
        let slow = Pieces::post(&gateway.url, accept, POSTS, &format!(r#"{{"room":"{room}"}}"#)).await;
        feed.wait_open(1).await;
        fill(&feed, &room).await;
        let text = rest(slow).await;
        let events = text.matches(r#"{"data":{"posts""#).count();
        assert!((1..POSTS_TO_FILL).contains(&events), "{events} events");
        for number in 1..=events {
            assert!(text.contains(&format!(r#"b-{number}""#)), "event {number} was skipped");
        }
        let tail = &text[text.len().saturating_sub(400)..];
        assert!(tail.contains(r#""reason":"SLOW_CLIENT""#) && tail.ends_with(end), "{tail}");
    }
}

#[tokio::test]
async fn a_client_that_does_not_read_its_one_connection_is_told_for_each_operation() {
    let (gateway, feed) = impatient().await;
    let (url, room) = (format!("{}/graphql", gateway.url), long_room("c"));
    let token = gateway.send(Method::PUT, "/graphql", &[], "").await.text().to_owned();
    let header = format!("x-graphql-event-stream-token: {token}");
    let slow = Pieces::open(Method::GET, &url, &["accept: text/event-stream", &header], "").await;
    let body = format!(
        r#"{{"query":{},"variables":{{"room":"{room}"}},"extensions":{{"operationId":"one"}}}}"#,
        serde_json::Value::from(POSTS)
    );
    let sent =
        gateway.send(Method::POST, "/graphql", &["content-type: application/json", &header], body).await;
    assert_eq!(sent.status, 202, "{sent}");
    feed.wait_open(1).await;
    fill(&feed, &room).await;
    let text = soon(rest(slow)).await;
    let tail = &text[text.len().saturating_sub(400)..];
    assert!(tail.contains(r#""reason":"SLOW_CLIENT""#), "{tail}");
    assert!(tail.ends_with("event: complete\ndata: {\"id\":\"one\"}\n\n"), "{tail}");
}
