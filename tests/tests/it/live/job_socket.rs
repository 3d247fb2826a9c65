//! `/ws/jobs/{id}`.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use hyper::header::HeaderValue;
use pulse_tests::{Tenant, TestPlatform};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};

use super::work::{FAILS_ONCE, STEPS, WAITS, Work, enqueue};

const PATIENCE: Duration = Duration::from_mins(1);

struct Socket(WebSocketStream<TcpStream>);

impl Socket {
    /// With a token in the header, or without any.
    async fn open(platform: &TestPlatform, token: Option<&str>, path: &str) -> Self {
        let address = platform.address();
        let mut request = format!("ws://{address}/ws/jobs/{path}").into_client_request().unwrap();
        if let Some(token) = token {
            let value = HeaderValue::try_from(format!("Bearer {token}")).unwrap();
            request.headers_mut().insert("authorization", value);
        }
        let stream = TcpStream::connect(address).await.unwrap();
        Self(client_async(request, stream).await.unwrap().0)
    }

    async fn say(&mut self, text: &str) {
        self.0.send(Message::text(text.to_owned())).await.unwrap();
    }

    /// The next message, or the code and the reason with which it is closed.
    async fn next(&mut self) -> Result<Value, (u16, String)> {
        let next = async {
            loop {
                match self.0.next().await.unwrap().unwrap() {
                    Message::Text(text) => return Ok(serde_json::from_str(&text).unwrap()),
                    Message::Close(Some(frame)) => return Err((frame.code.into(), frame.reason.to_string())),
                    Message::Ping(_) | Message::Pong(_) => {}
                    other => panic!("{other:?}"),
                }
            }
        };
        timeout(PATIENCE, next).await.expect("something is said")
    }

    /// All messages until it is closed.
    async fn all(&mut self) -> (Vec<Value>, (u16, String)) {
        let mut said = Vec::new();
        loop {
            match self.next().await {
                Ok(message) => said.push(message),
                Err(close) => return (said, close),
            }
        }
    }

    async fn close(&mut self) -> (u16, String) {
        let (said, close) = self.all().await;
        assert_eq!(said, Vec::<Value>::new());
        close
    }
}

fn step(message: &Value) -> String {
    format!("{} {}", message["status"].as_str().unwrap(), message["progress"])
}

#[tokio::test]
async fn a_client_hears_how_a_job_is_and_goes_until_it_has_ended() {
    let platform = TestPlatform::start().await;
    let alpha = Tenant::found(&platform, "alpha").await;
    let id = enqueue(&platform, &alpha, &alpha.member, STEPS).await;
    let mut socket = Socket::open(&platform, Some(&alpha.member.token), &id).await;
    let first = socket.next().await.unwrap();
    assert_eq!((&first["id"], &first["kind"], &first["version"]), (&json!(id), &json!(STEPS), &json!(1)));
    assert_eq!(step(&first), "pending 0");
    let work = Work::begin(&platform);
    work.steps.add_permits(9);
    let (said, close) = socket.all().await;
    assert_eq!(close, (1000, "the job is completed".to_owned()));
    let expected: Vec<_> = std::iter::once("processing 0".to_owned())
        .chain((1..=9).map(|step| format!("processing {}", step * 10)))
        .chain(["completed 100".to_owned()])
        .collect();
    assert_eq!(said.iter().map(step).collect::<Vec<_>>(), expected);

    // Who comes back hears what was missed, and the end also when it was heard already.
    let path = format!("{id}?after={}", said[3]["cursor"].as_str().unwrap());
    let mut back = Socket::open(&platform, Some(&alpha.member.token), &path).await;
    let (missed, close) = back.all().await;
    assert_eq!((&missed[..], close.0), (&said[4..], 1000));
    let path = format!("{id}?after={}", said.last().unwrap()["cursor"].as_str().unwrap());
    let mut late = Socket::open(&platform, Some(&alpha.member.token), &path).await;
    let (again, close) = late.all().await;
    assert_eq!((again.len(), step(&again[0]), close.0), (1, "completed 100".to_owned(), 1000));
}

#[tokio::test]
async fn the_last_message_says_why_a_job_failed() {
    let platform = TestPlatform::start().await;
    let alpha = Tenant::found(&platform, "alpha").await;
    let id = enqueue(&platform, &alpha, &alpha.member, FAILS_ONCE).await;
    let mut socket = Socket::open(&platform, None, &id).await;
    socket.say(&json!({ "token": alpha.member.token }).to_string()).await;
    assert_eq!(step(&socket.next().await.unwrap()), "pending 0");
    let _work = Work::begin(&platform);
    let (said, close) = socket.all().await;
    assert_eq!(said.last().unwrap()["error"], "there is no such file");
    assert_eq!(close, (1000, "the job is failed".to_owned()));
}

#[tokio::test]
async fn whoever_may_not_see_a_job_is_told_so_by_a_code() {
    let platform = TestPlatform::start().await;
    let (alpha, beta) = (Tenant::found(&platform, "alpha").await, Tenant::found(&platform, "beta").await);
    let id = enqueue(&platform, &alpha, &alpha.member, WAITS).await;
    let foreign = Socket::open(&platform, Some(&beta.owner.token), &id).await.close().await;
    assert_eq!(foreign.0, 4404);
    // One that there is not looks the same, and so does what is no id.
    for path in ["01890a5d-ac96-774b-bcce-b302099a8057", "nonsense"] {
        assert_eq!(Socket::open(&platform, Some(&alpha.owner.token), path).await.close().await, foreign);
    }
    assert_eq!(Socket::open(&platform, Some(&alpha.viewer.token), &id).await.close().await.0, 4403);
    assert_eq!(Socket::open(&platform, Some("nonsense"), &id).await.close().await.0, 4401);
    let path = format!("{id}?after=nonsense");
    assert_eq!(Socket::open(&platform, Some(&alpha.owner.token), &path).await.close().await.0, 4400);
    for message in ["nonsense", "{}", "{\"token\": \"nonsense\"}"] {
        let mut socket = Socket::open(&platform, None, &id).await;
        socket.say(message).await;
        assert_eq!(socket.close().await.0, 4401, "{message}");
    }
}

#[tokio::test]
async fn a_socket_is_closed_with_the_session_and_by_who_talks() {
    let platform = TestPlatform::start().await;
    let alpha = Tenant::found(&platform, "alpha").await;
    let id = enqueue(&platform, &alpha, &alpha.member, WAITS).await;
    let mut socket = Socket::open(&platform, Some(&alpha.member.token), &id).await;
    assert_eq!(step(&socket.next().await.unwrap()), "pending 0");
    platform.data(&alpha.member.token, "mutation { signOut { sessionId } }", json!({})).await;
    assert_eq!(socket.close().await.0, 4401);
    let mut talks = Socket::open(&platform, Some(&alpha.owner.token), &id).await;
    assert_eq!(step(&talks.next().await.unwrap()), "pending 0");
    talks.say("hello").await;
    assert_eq!(talks.close().await.0, 4400);
}
