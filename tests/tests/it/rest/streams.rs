//! Subscriptions as resources.

use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::body::{Bytes, Incoming};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{ROOT, Rest};

/// Longer than anything takes that does not hang.
const PATIENCE: Duration = Duration::from_mins(1);

/// Events as they come.
struct Events {
    body: Incoming,
    read: String,
}

impl Events {
    async fn open(rest: &Rest, path: &str, last: Option<&str>) -> Self {
        let mut request = Request::get(format!("http://{}{ROOT}{path}", rest.platform.address()))
            .header("authorization", format!("Bearer {}", rest.tenant.owner.token));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let client = Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
        let response = client.request(request.body(Empty::new()).unwrap()).await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/event-stream; charset=utf-8");
        Self { body: response.into_body(), read: String::new() }
    }

    /// The id and the data of the next event.
    async fn next(&mut self) -> (String, Value) {
        timeout(PATIENCE, async {
            loop {
                if let Some((event, rest)) = self.read.split_once("\n\n") {
                    let (event, rest) = (event.to_owned(), rest.to_owned());
                    self.read = rest;
                    let line = |name: &str| {
                        event.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned)
                    };
                    if let Some(data) = line("data: ") {
                        return (line("id: ").unwrap_or_default(), serde_json::from_str(&data).unwrap());
                    }
                    continue;
                }
                let frame = self.body.frame().await.unwrap().unwrap();
                self.read.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
            }
        })
        .await
        .expect("an event comes")
    }
}

#[tokio::test]
async fn changes_are_told_and_caught_up_with() {
    let rest = Rest::new().await;
    let place = format!("/entities/{}", rest.graph.entities[0]);
    let stream = format!("/streams/entity-changed?ids={}&include=entity", rest.graph.entities[0]);
    let mut events = Events::open(&rest, &stream, None).await;
    rest.call("PATCH", &place, &[], &json!({ "name": "first" })).await;
    let (first, told) = events.next().await;
    assert_eq!(
        (&told["version"], &told["kind"], &told["entity"]["name"]),
        (&json!(2), &json!("UPDATED"), &json!("first"))
    );
    assert_eq!(told["cursor"], first.as_str());
    drop(events);
    rest.call("PATCH", &place, &[], &json!({ "name": "second" })).await;
    let mut again = Events::open(&rest, &stream, Some(&first)).await;
    assert_eq!(again.next().await.1["version"], 3);
}

#[tokio::test]
async fn who_may_not_hear_is_told_so() {
    let rest = Rest::new().await;
    let nobody = rest.call_as(None, ("GET", "/streams/entity-changed"), &[], &Value::Null).await;
    let said = nobody.json.as_str().unwrap_or_else(|| panic!("{nobody:?}"));
    let event = said.lines().find_map(|line| line.strip_prefix("data: {")).unwrap();
    let problem: Value = serde_json::from_str(&format!("{{{event}")).unwrap();
    assert_eq!((&problem["status"], &problem["code"]), (&json!(401), &json!("UNAUTHENTICATED")));
    assert!(said.contains("event: complete"), "{said}");
    let forged = rest.call_as(Some("forged"), ("GET", "/streams/entity-changed"), &[], &Value::Null).await;
    assert_eq!(forged.status, 401, "{forged:?}");
    let unknown = rest.get("/streams/entity-changed?colour=red").await;
    assert_eq!(unknown.status, 400, "{unknown:?}");
}
