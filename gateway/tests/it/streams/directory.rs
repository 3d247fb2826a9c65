//! Who looks after streams sees them, and ends them.

use pulse_gateway::{OpenStream, StreamFilter, StreamKind};
use pulse_types::{OrgId, SessionId, UserId};
use uuid::Uuid;

use super::body::Pieces;
use super::socket::Socket;
use super::start;
use crate::support::noon;

const POSTS: &str = r#"subscription Posts { posts(room: "lobby") { id } }"#;
const OTHERS: &str = r#"subscription Others { plain(room: "lobby") { id } }"#;

fn shown(stream: &OpenStream) -> (Option<&str>, &str, u64) {
    (stream.operation.as_deref(), stream.transport, stream.events)
}

#[tokio::test]
async fn streams_are_listed_with_what_they_are_and_leave_with_their_clients() {
    let (gateway, feed) = start().await;
    let streams = gateway.gateway.streams();
    let mut socket = Socket::ready(&gateway.url).await;
    socket.subscribe("a", POSTS, "{}").await;
    feed.wait_open(1).await;
    let mut events = Pieces::post(&gateway.url, "text/event-stream", OTHERS, "{}").await;
    feed.wait_open(2).await;
    feed.post("lobby");
    assert!(socket.read().await.contains("lobby-1"));
    assert!(events.event().await.contains("lobby-1"));
    let all = streams.list(&StreamFilter::default());
    let told: Vec<_> = all.iter().map(shown).collect();
    assert_eq!(told, [(Some("Posts"), "websocket", 1), (Some("Others"), "sse", 1)]);
    assert!(all.iter().all(|stream| stream.kind == StreamKind::Subscription && stream.since == noon()));
    assert_eq!(all[0].hash.len(), 64);
    let only =
        |filter| streams.list(&filter).iter().filter_map(|it| it.operation.clone()).collect::<Vec<_>>();
    assert_eq!(only(StreamFilter { id: Some(all[1].id), ..StreamFilter::default() }), ["Others"]);
    assert_eq!(only(StreamFilter { operation: Some("Posts".into()), ..StreamFilter::default() }), ["Posts"]);
    let by_hash = Some(all[1].hash.clone());
    assert_eq!(only(StreamFilter { operation: by_hash, ..StreamFilter::default() }), ["Others"]);
    for nobody in [
        StreamFilter { org: Some(OrgId::new(noon())), ..StreamFilter::default() },
        StreamFilter { user: Some(UserId::new(noon())), ..StreamFilter::default() },
        StreamFilter { session: Some(SessionId::new(noon())), ..StreamFilter::default() },
        StreamFilter { id: Some(Uuid::nil()), ..StreamFilter::default() },
    ] {
        assert_eq!(only(nobody), Vec::<String>::new());
    }
    drop((socket, events));
    feed.wait_open(0).await;
    super::soon(async {
        while !streams.list(&StreamFilter::default()).is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn whoever_is_ended_is_told_why_over_each_transport() {
    let (gateway, feed) = start().await;
    let streams = gateway.gateway.streams();
    let mut socket = Socket::ready(&gateway.url).await;
    socket.subscribe("a", POSTS, "{}").await;
    socket.subscribe("b", OTHERS, "{}").await;
    let mut events = Pieces::post(&gateway.url, "text/event-stream", POSTS, "{}").await;
    let mut parts = Pieces::post(&gateway.url, "multipart/mixed;subscriptionSpec=1.0", POSTS, "{}").await;
    super::soon(async {
        while streams.list(&StreamFilter::default()).len() < 4 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let posts = StreamFilter { operation: Some("Posts".to_owned()), ..StreamFilter::default() };
    assert_eq!(streams.end(&posts, "the room is closed"), 3);
    let error = r#"[{"message":"this stream was ended by an administrator: the room is closed","extensions":{"code":"FORBIDDEN","reason":"STREAM_ENDED"}}]"#;
    assert_eq!(socket.read().await, format!(r#"{{"id":"a","type":"error","payload":{error}}}"#));
    assert_eq!(events.event().await, format!("event: next\ndata: {{\"errors\":{error}}}"));
    assert_eq!(events.event().await, "event: complete\ndata:");
    assert!(parts.until("\0").await.contains(&format!(r#"{{"payload":null,"errors":{error}}}"#)));
    feed.wait_open(1).await;
    feed.post("lobby");
    assert!(socket.read().await.contains("lobby-1"), "the others go on");
    assert_eq!(streams.end(&posts, "again"), 0);
}
