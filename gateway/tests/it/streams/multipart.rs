//! Subscriptions over multipart HTTP.

use super::body::Pieces;
use super::{configured, start};

const ACCEPT: &str = "multipart/mixed;boundary=\"graphql\";subscriptionSpec=1.0,application/json";
const END_OF_PART: &str = "\r\n--graphql";

#[tokio::test]
async fn each_event_is_a_part_and_each_part_is_closed_at_once() {
    let (gateway, feed) = start().await;
    let query = r#"subscription { posts(room: "lobby") { id } }"#;
    let mut stream = Pieces::post(&gateway.url, ACCEPT, query, "{}").await;
    let content_type = "multipart/mixed;boundary=\"graphql\";subscriptionSpec=1.0";
    assert_eq!(stream.response.headers()["content-type"], content_type);
    assert_eq!(stream.until(END_OF_PART).await, END_OF_PART);
    for number in 1..=2 {
        feed.post("lobby");
        let part = stream.until(END_OF_PART).await;
        let body = format!(
            "{{\"payload\":{{\"data\":{{\"posts\":{{\"id\":\"lobby-{number}\"}}}},\"extensions\":{{\"cursor\":\"{number}\"}}}}}}"
        );
        assert_eq!(part, format!("\r\ncontent-type: application/json\r\n\r\n{body}{END_OF_PART}"));
    }
    drop(stream);
    feed.wait_open(0).await;
}

#[tokio::test]
async fn a_query_and_a_mistake_are_answered_as_usual() {
    let (gateway, _) = start().await;
    let mut once = Pieces::post(&gateway.url, ACCEPT, "{ hello }", "{}").await;
    assert_eq!(once.until("\0").await, r#"{"data":{"hello":"you, Anonymous"}}"#);
    assert_eq!(once.response.headers()["content-type"], "application/json; charset=utf-8");
    let mut wrong = Pieces::post(&gateway.url, ACCEPT, "subscription { nothing }", "{}").await;
    assert!(wrong.until("\0").await.starts_with(r#"{"errors":[{"message":"#));
    let mut only =
        Pieces::post(&gateway.url, "multipart/mixed;subscriptionSpec=1.0", "{ hello }", "{}").await;
    let part = "\r\n--graphql\r\ncontent-type: application/json\r\n\r\n{\"payload\":{\"data\":{\"hello\":\"you, \
                Anonymous\"}}}\r\n--graphql--\r\n";
    assert_eq!(only.until("\0").await, part);
}

#[tokio::test]
async fn silence_is_filled_with_empty_parts() {
    let (gateway, _) =
        configured(|config| config.subscriptions.keep_alive = std::time::Duration::from_millis(20)).await;
    let query = r#"subscription { posts(room: "a") { id } }"#;
    let mut stream = Pieces::post(&gateway.url, ACCEPT, query, "{}").await;
    stream.until(END_OF_PART).await;
    for _ in 0..3 {
        let part = stream.until(END_OF_PART).await;
        assert_eq!(part, "\r\ncontent-type: application/json\r\n\r\n{}\r\n--graphql");
    }
}

#[tokio::test]
async fn a_stop_is_an_error_beside_an_empty_payload_and_the_last_delimiter() {
    let (gateway, feed) = start().await;
    let query = r#"subscription { posts(room: "a") { id } }"#;
    let mut stream = Pieces::post(&gateway.url, ACCEPT, query, "{}").await;
    feed.wait_open(1).await;
    let stopping = tokio::spawn(gateway.stop());
    let rest = stream.until("\0").await;
    assert!(rest.contains(r#"{"payload":null,"errors":[{"message":"the server is shutting down"#), "{rest}");
    assert!(rest.ends_with("\r\n--graphql--\r\n"), "{rest}");
    super::soon(stopping).await.unwrap();
}
