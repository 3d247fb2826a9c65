//! Live queries over each transport, and over a new supergraph.

use std::sync::Arc;

use pulse_gateway::GatewayParts;
use serde_json::json;

use super::shelf::{Shelf, id};
use super::{ONE, SUPERGRAPH, at_once, shelf_parts};
use crate::streams::body::Pieces;
use crate::streams::socket::Socket;
use crate::streams::soon;
use crate::streams::swaps::Swaps;
use crate::support::gateway::TestGateway;
use crate::support::somebody;

async fn start() -> (TestGateway, Shelf) {
    let caller = somebody();
    let shelf = Shelf::new(caller.org);
    shelf.put_silently(1, "toy", "ball");
    (TestGateway::with(shelf_parts(&shelf, &caller), at_once()).await, shelf)
}

#[tokio::test]
async fn each_transport_that_streams_carries_them_and_plain_json_says_which_do() {
    let (gateway, shelf) = start().await;
    let variables = json!({ "id": id(1) }).to_string();
    let mut socket = Socket::ready(&gateway.url).await;
    socket.subscribe("s", ONE, &variables).await;
    let mut events = Pieces::post(&gateway.url, "text/event-stream", ONE, &variables).await;
    let mut parts = Pieces::post(&gateway.url, "multipart/mixed;subscriptionSpec=1.0", ONE, &variables).await;
    for name in ["ball", "bat"] {
        if name == "bat" {
            shelf.put(1, "toy", name);
        }
        let data = format!(r#"{{"data":{{"thing":{{"id":"{}","name":"{name}"}}}}}}"#, id(1));
        assert_eq!(socket.read().await, format!(r#"{{"id":"s","type":"next","payload":{data}}}"#));
        assert_eq!(events.event().await, format!("event: next\ndata: {data}"));
        assert!(soon(parts.until(&data)).await.contains("{\"payload\":"));
    }
    let body = json!({ "query": ONE, "variables": { "id": id(1) } }).to_string();
    insta::assert_snapshot!(gateway.post(body).await, @r#"
    400 Bad Request
    content-type: application/graphql-response+json; charset=utf-8

    {"errors":[{"message":"a live query has more than one answer: send it over WebSocket (graphql-transport-ws), or with `Accept: text/event-stream` or `Accept: multipart/mixed;subscriptionSpec=1.0`; or leave out `@live` for one answer","extensions":{"code":"BAD_USER_INPUT","reason":"LIVE_QUERY_TRANSPORT"}}]}
    "#);
    let stopping = tokio::spawn(gateway.stop());
    assert_eq!(socket.read().await, "close 1001 the server is shutting down; connect again");
    assert!(events.event().await.contains("SHUTTING_DOWN"));
    soon(stopping).await.unwrap();
}

#[tokio::test]
async fn a_new_supergraph_is_followed_and_what_is_no_longer_valid_ends() {
    let caller = somebody();
    let shelf = Shelf::new(caller.org);
    shelf.put_silently(1, "toy", "ball");
    let swaps = Swaps::of(SUPERGRAPH);
    let parts = GatewayParts { source: Arc::new(swaps.clone()), ..shelf_parts(&shelf, &caller) };
    let gateway = TestGateway::with(parts, at_once()).await;
    let mut socket = Socket::ready(&gateway.url).await;
    socket.subscribe("s", ONE, &json!({ "id": id(1) }).to_string()).await;
    assert!(socket.read().await.contains("ball"));
    let runs = shelf.queries();
    swaps.offer(&SUPERGRAPH.replace("never: String", "never: String\n  ever: String"));
    swaps.served(&gateway).await;
    shelf.asked(runs + 1).await;
    shelf.put(1, "toy", "bat");
    assert!(socket.read().await.contains("bat"));
    swaps.offer(&SUPERGRAPH.replace("name: String @join__field(graph: SHELF)\n", ""));
    swaps.served(&gateway).await;
    let last = socket.read().await;
    assert!(last.contains(r#""type":"error""#) && last.contains("SUPERGRAPH_CHANGED"), "{last}");
}
