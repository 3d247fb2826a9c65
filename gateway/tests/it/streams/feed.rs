//! A subgraph with rooms of posts that tests write to, and one that knows the posts' names.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use pulse_gateway::ports::{Subgraph, SubgraphFault, SubgraphRequest, SubgraphResponse};
use pulse_gateway::value::Value;
use serde_json::json;
use tokio::sync::watch;

/// What the gateway asked the feed to stream, and who is listening.
#[derive(Debug, Default)]
struct Book {
    rooms: HashMap<String, watch::Sender<usize>>,
    opened: Vec<String>,
}

/// A subgraph whose root field `posts` streams what is posted in a room. Events carry their number as cursor.
#[derive(Clone, Default)]
pub(crate) struct Feed {
    book: Arc<Mutex<Book>>,
    open: watch::Sender<usize>,
}

impl Feed {
    fn room(&self, room: &str) -> watch::Sender<usize> {
        self.book.lock().unwrap().rooms.entry(room.to_owned()).or_default().clone()
    }

    /// Posts once more in a room: its posts are `room-1`, `room-2` and so on.
    pub(crate) fn post(&self, room: &str) {
        self.room(room).send_modify(|count| *count += 1);
    }

    /// The documents with which streams were opened so far, with their variables.
    pub(crate) fn opened(&self) -> Vec<String> {
        self.book.lock().unwrap().opened.clone()
    }

    /// Waits until so many streams are open.
    pub(crate) async fn wait_open(&self, count: usize) {
        super::soon(self.open.subscribe().wait_for(|open| *open == count)).await.unwrap();
    }
}

/// Counts a stream while it is open.
struct Listening(watch::Sender<usize>);

impl Listening {
    fn new(open: &watch::Sender<usize>) -> Self {
        open.send_modify(|open| *open += 1);
        Self(open.clone())
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.send_modify(|open| *open -= 1);
    }
}

#[async_trait]
impl Subgraph for Feed {
    fn name(&self) -> &'static str {
        "feed"
    }

    async fn sdl(&self) -> Result<String, SubgraphFault> {
        Ok(String::new())
    }

    async fn execute(&self, request: SubgraphRequest) -> Result<SubgraphResponse, SubgraphFault> {
        let caller = format!("{:?}", request.caller.subject);
        let name = request.variables.get("name").and_then(Value::as_str).unwrap_or("you");
        let data = json!({ "hello": format!("{name}, {caller}"), "shout": "HO" });
        Ok(SubgraphResponse { data: Value::from(&data), ..SubgraphResponse::default() })
    }

    async fn subscribe(
        &self,
        request: SubgraphRequest,
    ) -> Result<BoxStream<'static, Result<SubgraphResponse, SubgraphFault>>, SubgraphFault> {
        let variable =
            |name: &str| request.variables.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
        let room = variable("room").unwrap_or_else(|| "lobby".to_owned());
        self.book.lock().unwrap().opened.push(format!("{} {}", request.query.trim(), request.variables));
        let posts = self.room(&room).subscribe();
        let after = variable("after").or_else(|| variable("pulseAfter"));
        let start = after.map_or_else(|| *posts.borrow(), |after| after.parse().unwrap());
        let listening = Listening::new(&self.open);
        let has_cursors = !request.query.contains("plain");
        let field = if has_cursors { "posts" } else { "plain" };
        let events = stream::unfold((posts, start), move |(mut posts, seen)| {
            let _listening = &listening;
            let room = room.clone();
            async move {
                posts.wait_for(|count| *count > seen).await.ok()?;
                let number = seen + 1;
                let post = json!({ "__typename": "Post", "id": format!("{room}-{number}"), "room": room });
                let data = Value::from(&json!({ field: post }));
                let cursor = if has_cursors { json!({ "cursor": number.to_string() }) } else { json!(null) };
                let extensions = Value::from(&cursor);
                let event = SubgraphResponse { data, extensions, ..SubgraphResponse::default() };
                Some((Ok(event), (posts, number)))
            }
        });
        Ok(events.boxed())
    }
}

/// A subgraph that calls the post `x-1` "post x-1", and knows that its room is `x`.
pub(crate) struct Names;

#[async_trait]
impl Subgraph for Names {
    fn name(&self) -> &'static str {
        "names"
    }

    async fn sdl(&self) -> Result<String, SubgraphFault> {
        Ok(String::new())
    }

    async fn execute(&self, request: SubgraphRequest) -> Result<SubgraphResponse, SubgraphFault> {
        let named = |entity: &Value| {
            let id = entity.get("id").and_then(Value::as_str).unwrap();
            let (room, _) = id.rsplit_once('-').unwrap();
            json!({ "__typename": "Post", "name": format!("post {id}"), "room": room })
        };
        let entities = request.variables.get("representations").and_then(Value::as_list).unwrap();
        let entities: Vec<_> = entities.iter().map(named).collect();
        let data = Value::from(&json!({ "_entities": entities }));
        Ok(SubgraphResponse { data, ..SubgraphResponse::default() })
    }

    async fn subscribe(
        &self,
        _: SubgraphRequest,
    ) -> Result<BoxStream<'static, Result<SubgraphResponse, SubgraphFault>>, SubgraphFault> {
        Err(SubgraphFault::Malformed("names do not change".to_owned()))
    }
}
