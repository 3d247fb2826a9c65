//! A subgraph with a shelf of things that says what it reads, one that says nothing, and the feed of what changes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures::stream::{self, BoxStream, StreamExt};
use pulse_gateway::engine::OperationKind;
use pulse_gateway::ports::{ChangeFeed, Heard, Subgraph, SubgraphFault, SubgraphRequest, SubgraphResponse};
use pulse_gateway::value::Value;
use pulse_types::{Change, ChangeKind, OrgId};
use serde_json::json;
use tokio::sync::watch;
use uuid::Uuid;

use crate::streams::soon;

const SUBJECT: &str = "shelf.thing";

/// What stands on the shelf, and who asked for it.
#[derive(Default)]
struct Book {
    /// Kind and name, by number.
    things: BTreeMap<u128, (String, String)>,
    position: i64,
    is_broken: bool,
}

/// A shelf, whose changes are told when the test says so.
#[derive(Clone)]
pub(crate) struct Shelf {
    book: Arc<Mutex<Book>>,
    /// How many queries came.
    asked: watch::Sender<usize>,
    /// Whether queries are answered; what the answer is, is known before.
    is_open: watch::Sender<bool>,
    feed: UnboundedSender<Heard>,
    told: Arc<Mutex<Option<UnboundedReceiver<Heard>>>>,
    /// How often the gateway came back for more of the feed.
    heard: watch::Sender<usize>,
    told_count: Arc<Mutex<usize>>,
    /// Whose things they are.
    pub(crate) org: Option<OrgId>,
}

pub(crate) fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

impl Shelf {
    pub(crate) fn new(org: Option<OrgId>) -> Self {
        let (feed, told) = unbounded();
        Self {
            book: Arc::default(),
            asked: watch::Sender::new(0),
            is_open: watch::Sender::new(true),
            feed,
            told: Arc::new(Mutex::new(Some(told))),
            heard: watch::Sender::new(0),
            told_count: Arc::default(),
            org,
        }
    }

    /// Puts a thing on the shelf, or changes it, and nobody is told.
    pub(crate) fn put_silently(&self, number: u128, kind: &str, name: &str) -> Option<(String, String)> {
        self.book.lock().unwrap().things.insert(number, (kind.to_owned(), name.to_owned()))
    }

    /// Puts a thing on the shelf, or changes it.
    pub(crate) fn put(&self, number: u128, kind: &str, name: &str) {
        let before = self.put_silently(number, kind, name);
        self.tell(number, kind, before.as_ref().map(|(kind, _)| kind.as_str()), None);
    }

    /// Takes a thing away.
    pub(crate) fn take(&self, number: u128) {
        let (kind, _) = self.book.lock().unwrap().things.remove(&number).unwrap();
        self.tell(number, &kind, None, None);
    }

    /// The things of a kind, by number, with their names.
    pub(crate) fn of_kind(&self, wanted: &str) -> Vec<(u128, String)> {
        let book = self.book.lock().unwrap();
        let of_kind = book.things.iter().filter(|(_, (kind, _))| kind == wanted);
        of_kind.map(|(number, (_, name))| (*number, name.clone())).collect()
    }

    /// Tells of a change.
    pub(crate) fn tell(&self, number: u128, kind: &str, before: Option<&str>, request: Option<Uuid>) {
        let position = {
            let mut book = self.book.lock().unwrap();
            book.position += 1;
            book.position
        };
        let before = before.filter(|before| *before != kind).map(|before| json!({ "kind": before }));
        let change = Change {
            position,
            tenant: self.org,
            kind: ChangeKind::Updated,
            subject: SUBJECT.into(),
            key: id(number),
            version: position,
            changed: vec!["name".to_owned()],
            attributes: json!({ "kind": kind }).as_object().unwrap().clone(),
            before: before.and_then(|before| before.as_object().cloned()).unwrap_or_default(),
            actor: None,
            request,
            at: crate::support::noon(),
            facts: vec![],
        };
        self.send(Heard::Change(Arc::new(change)));
    }

    pub(crate) fn gap(&self) {
        self.send(Heard::Gap);
    }

    fn send(&self, heard: Heard) {
        *self.told_count.lock().unwrap() += 1;
        self.feed.unbounded_send(heard).unwrap();
    }

    /// Ends the feed.
    pub(crate) fn hang_up(&self) {
        self.feed.close_channel();
    }

    /// Waits until the gateway has taken in all that was told.
    pub(crate) async fn heard(&self) {
        let told = *self.told_count.lock().unwrap();
        // It comes back once more than it was told.
        soon(self.heard.subscribe().wait_for(|heard| *heard > told)).await.unwrap();
    }

    /// Keeps answers back, or lets them go.
    pub(crate) fn open(&self, is_open: bool) {
        self.is_open.send_replace(is_open);
    }

    pub(crate) fn break_down(&self, is_broken: bool) {
        self.book.lock().unwrap().is_broken = is_broken;
    }

    /// How many queries came so far.
    pub(crate) fn queries(&self) -> usize {
        *self.asked.borrow()
    }

    /// Waits until so many queries came.
    pub(crate) async fn asked(&self, times: usize) {
        soon(self.asked.subscribe().wait_for(|asked| *asked >= times)).await.unwrap();
    }

    fn answer(&self, request: &SubgraphRequest) -> Result<SubgraphResponse, SubgraphFault> {
        let text = |name: &str| request.variables.get(name).and_then(Value::as_str);
        if request.kind == OperationKind::Mutation {
            let number = text("id").unwrap().parse::<Uuid>().unwrap().as_u128();
            self.put_silently(number, "toy", text("name").unwrap());
        }
        let book = self.book.lock().unwrap();
        if book.is_broken {
            return Err(SubgraphFault::Malformed("it is broken".to_owned()));
        }
        let shown = |number: u128, (kind, name): &(String, String)| json!({ "__typename": "Thing", "id": id(number), "kind": kind, "name": name });
        let one = |uuid: &str| {
            let number = uuid.parse::<Uuid>().unwrap().as_u128();
            book.things.get(&number).map(|thing| shown(number, thing))
        };
        let mut tags = Vec::new();
        let data = if let Some(uuid) = text("id") {
            tags.push(format!("{SUBJECT}:{uuid}"));
            json!({ "thing": one(uuid), "name": one(uuid) })
        } else {
            let kind = text("kind");
            tags.push(kind.map_or_else(|| SUBJECT.to_owned(), |kind| format!("{SUBJECT}?kind={kind}")));
            let wanted = book.things.iter().filter(|(_, (own, _))| kind.is_none_or(|kind| kind == own));
            json!({ "things": wanted.map(|(number, thing)| shown(*number, thing)).collect::<Vec<_>>() })
        };
        drop(book);
        let extensions = if request.wants_tags { json!({ "tags": tags }) } else { json!(null) };
        let (data, extensions) = (Value::from(&data), Value::from(&extensions));
        Ok(SubgraphResponse { data, extensions, ..SubgraphResponse::default() })
    }
}

#[async_trait]
impl Subgraph for Shelf {
    fn name(&self) -> &'static str {
        "shelf"
    }

    async fn sdl(&self) -> Result<String, SubgraphFault> {
        Ok(String::new())
    }

    async fn execute(&self, request: SubgraphRequest) -> Result<SubgraphResponse, SubgraphFault> {
        let answer = self.answer(&request);
        if request.kind == OperationKind::Query {
            self.asked.send_modify(|asked| *asked += 1);
            self.is_open.subscribe().wait_for(|is_open| *is_open).await.unwrap();
        }
        answer
    }

    async fn subscribe(
        &self,
        _: SubgraphRequest,
    ) -> Result<BoxStream<'static, Result<SubgraphResponse, SubgraphFault>>, SubgraphFault> {
        Ok(stream::pending().boxed())
    }
}

impl ChangeFeed for Shelf {
    fn changes(&self) -> BoxStream<'static, Heard> {
        let told = self.told.lock().unwrap().take().unwrap();
        let heard = self.heard.clone();
        stream::unfold(told, move |mut told| {
            heard.send_modify(|heard| *heard += 1);
            async move { told.next().await.map(|heard| (heard, told)) }
        })
        .boxed()
    }
}

/// A subgraph that labels things and does not say what it reads.
pub(crate) struct Labels;

#[async_trait]
impl Subgraph for Labels {
    fn name(&self) -> &'static str {
        "labels"
    }

    async fn sdl(&self) -> Result<String, SubgraphFault> {
        Ok(String::new())
    }

    async fn execute(&self, request: SubgraphRequest) -> Result<SubgraphResponse, SubgraphFault> {
        let entities = request.variables.get("representations").and_then(Value::as_list).unwrap();
        let entities: Vec<_> =
            entities.iter().map(|_| json!({ "__typename": "Thing", "label": "fragile" })).collect();
        let data = Value::from(&json!({ "_entities": entities }));
        Ok(SubgraphResponse { data, ..SubgraphResponse::default() })
    }

    async fn subscribe(
        &self,
        _: SubgraphRequest,
    ) -> Result<BoxStream<'static, Result<SubgraphResponse, SubgraphFault>>, SubgraphFault> {
        Ok(stream::pending().boxed())
    }
}
