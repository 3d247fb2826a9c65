//! Two subgraphs that count what they are asked, and a gateway over them that keeps answers, on a clock of its own.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use axum::body::{Body, to_bytes};
use chrono::TimeDelta;
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures::stream::{BoxStream, StreamExt};
use http::{HeaderMap, HeaderName, Request};
use pulse_gateway::engine::OperationKind;
use pulse_gateway::ports::{
    Authenticated, AuthenticationError, Authenticator, ChangeFeed, Heard, Subgraph, SubgraphError,
    SubgraphFault, SubgraphRequest, SubgraphResponse,
};
use pulse_gateway::value::Value;
use pulse_gateway::{Gateway, GatewayConfig, GatewayParts, StaticSource, Subgraphs};
use pulse_schema::{SubgraphSdl, compose};
use pulse_types::{Caller, Change, ChangeKind, Clock, OrgId, Permissions, RequestId, Subject, UserId};
use serde_json::{Value as Json, json};
use tokio::sync::watch;
use tower::ServiceExt;
use uuid::Uuid;

use crate::streams::soon;
use crate::support::gateway::parts;
use crate::support::noon;

const LINK: &str = r#"extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable", "@requiresScopes"])"#;

const PRODUCTS: &str = r#"
type Query {
  product(id: ID!): Product
  products: [Product!]! @cacheControl(maxAge: 60, scope: PUBLIC)
  team: Team
  me: Me
  fresh: Fresh
  listed: [Listed!]!
}
type Mutation { rename(id: ID!, name: String!): Product }
type Product @key(fields: "id") @cacheControl(maxAge: 60, scope: PUBLIC) { id: ID! name: String }
type Team @cacheControl(maxAge: 60, scope: TENANT) { name: String salary: Int @requiresScopes(scopes: [["hr"]]) }
type Me @cacheControl(maxAge: 60) { name: String }
type Fresh { name: String }
type Listed @cacheControl(scope: TENANT) { name: String }
"#;

const REVIEWS: &str = r#"
type Product @key(fields: "id") @cacheControl(maxAge: 30, scope: PUBLIC) { id: ID! stars: Int }
"#;

/// Both schemas as one supergraph. `more` is added to the first.
pub(crate) fn supergraph(more: &str) -> String {
    let subgraph = |name: &str, sdl: &str| SubgraphSdl {
        name: name.to_owned(),
        url: Some(format!("http://{name}")),
        sdl: format!("{LINK}\n{sdl}"),
    };
    let subgraphs = [subgraph("products", &format!("{PRODUCTS}{more}")), subgraph("reviews", REVIEWS)];
    compose(&subgraphs).unwrap_or_else(|errors| panic!("{errors:?}")).supergraph
}

/// What the subgraphs hold, and what they were asked.
#[derive(Default)]
struct Book {
    names: BTreeMap<String, String>,
    asked: Vec<(String, Json)>,
    is_failing: bool,
    /// What their answers' heads say.
    head: HeaderMap,
}

/// One of the subgraphs.
#[derive(Clone)]
pub(crate) struct Shop {
    name: &'static str,
    book: Arc<Mutex<Book>>,
    /// Whether they say what their answers are made of.
    tags: bool,
    is_open: watch::Sender<bool>,
    asked: watch::Sender<usize>,
}

impl Shop {
    pub(crate) fn open() -> Self {
        let (is_open, asked) = (watch::Sender::new(true), watch::Sender::new(0));
        let shop = Self { name: "products", book: Arc::default(), tags: false, is_open, asked };
        for id in 1..=4 {
            shop.put(id, &format!("product {id}"));
        }
        shop
    }

    /// The same whose answers say what they are made of.
    pub(crate) fn tracked(self) -> Self {
        Self { tags: true, ..self }
    }

    pub(crate) fn reviews(&self) -> Self {
        Self { name: "reviews", ..self.clone() }
    }

    /// Changes a name behind the gateway's back.
    pub(crate) fn put(&self, id: u128, name: &str) {
        self.book.lock().unwrap().names.insert(uuid(id).to_string(), name.to_owned());
    }

    pub(crate) fn fail(&self, is_failing: bool) {
        self.book.lock().unwrap().is_failing = is_failing;
    }

    pub(crate) fn answer_with_head(&self, name: &'static str, value: &str) {
        self.book.lock().unwrap().head.insert(name, value.parse().unwrap());
    }

    /// Keeps answers back, or lets them go.
    pub(crate) fn hold(&self, is_held: bool) {
        self.is_open.send_replace(!is_held);
    }

    /// Waits until so many queries came.
    pub(crate) async fn asked(&self, times: usize) {
        soon(self.asked.subscribe().wait_for(|asked| *asked >= times)).await.unwrap();
    }

    /// What the subgraphs were asked since the last time, each with how many entities.
    pub(crate) fn calls(&self) -> Vec<String> {
        let asked = std::mem::take(&mut self.book.lock().unwrap().asked);
        let count = |variables: &Json| {
            variables["representations"].as_array().map_or_else(String::new, |all| format!(" {}", all.len()))
        };
        asked.iter().map(|(name, variables)| format!("{name}{}", count(variables))).collect()
    }

    fn data(&self, request: &SubgraphRequest) -> (Json, Vec<String>) {
        let mut book = self.book.lock().unwrap();
        let variables = serde_json::to_value(&request.variables).unwrap();
        let (mut data, mut tags) = (serde_json::Map::new(), Vec::new());
        if request.kind == OperationKind::Mutation {
            let (id, name) = (variables["id"].as_str().unwrap(), variables["name"].as_str().unwrap());
            book.names.insert(id.to_owned(), name.to_owned());
            data.insert("rename".to_owned(), json!({ "__typename": "Product", "id": id, "name": name }));
        }
        let shown = |id: &str| {
            let name = book.names.get(id)?;
            Some(json!({ "__typename": "Product", "id": id, "name": name, "stars": name.len() }))
        };
        if let Some(wanted) = variables["representations"].as_array() {
            let ids: Vec<_> = wanted.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect();
            tags.extend(ids.iter().map(|id| format!("shop.product:{id}")));
            data.insert("_entities".to_owned(), ids.iter().map(|id| shown(id)).collect());
        } else if let Some(id) = variables["id"].as_str() {
            tags.push(format!("shop.product:{id}"));
            data.insert("product".to_owned(), json!(shown(id)));
        }
        let all = || book.names.keys().filter_map(|id| shown(id)).collect::<Vec<_>>();
        let who = format!("{:?}", (&request.caller.subject, request.caller.org));
        for field in ["products", "listed"] {
            data.insert(field.to_owned(), all().into());
        }
        if request.query.contains("products") || request.query.contains("listed") {
            tags.push("shop.product?kind=toy".to_owned());
        }
        data.insert("team".to_owned(), json!({ "name": format!("{:?}", request.caller.org), "salary": 7 }));
        data.insert("me".to_owned(), json!({ "name": who }));
        data.insert("open".to_owned(), json!({ "name": "open", "secret": "hush" }));
        data.insert("fresh".to_owned(), json!({ "name": "fresh" }));
        (data.into(), tags)
    }
}

#[async_trait]
impl Subgraph for Shop {
    fn name(&self) -> &str {
        self.name
    }

    async fn sdl(&self) -> Result<String, SubgraphFault> {
        Ok(String::new())
    }

    fn forwarded(&self, headers: &HeaderMap, _: &Arc<Caller>) -> HeaderMap {
        let name = HeaderName::from_static("x-seen");
        headers.get(&name).map(|value| (name, value.clone())).into_iter().collect()
    }

    async fn execute(&self, request: SubgraphRequest) -> Result<SubgraphResponse, SubgraphFault> {
        let (data, tags) = self.data(&request);
        let (headers, is_failing) = {
            let mut book = self.book.lock().unwrap();
            let variables = serde_json::to_value(&request.variables).unwrap();
            book.asked.push((self.name.to_owned(), variables));
            (Arc::new(book.head.clone()), book.is_failing)
        };
        self.asked.send_modify(|asked| *asked += 1);
        self.is_open.subscribe().wait_for(|is_open| *is_open).await.unwrap();
        let error = || SubgraphError { message: "it fails".to_owned(), ..SubgraphError::default() };
        let extensions = if request.wants_tags && self.tags { json!({ "tags": tags }) } else { Json::Null };
        Ok(SubgraphResponse {
            data: Value::from(&data),
            errors: is_failing.then(error).into_iter().collect(),
            extensions: Value::from(&extensions),
            headers,
        })
    }

    async fn subscribe(
        &self,
        _: SubgraphRequest,
    ) -> Result<BoxStream<'static, Result<SubgraphResponse, SubgraphFault>>, SubgraphFault> {
        Err(SubgraphFault::Malformed("a shop has no news".to_owned()))
    }
}

pub(crate) fn uuid(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// Takes `user org scopes` for a caller.
pub(crate) struct Badge;

#[async_trait]
impl Authenticator for Badge {
    async fn authenticate(&self, headers: &HeaderMap) -> Result<Authenticated, AuthenticationError> {
        let anonymous = Caller::anonymous(RequestId::new(noon()));
        let badge = headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
        let caller = badge.map_or_else(
            || anonymous.clone(),
            |badge| {
                let mut words = badge.splitn(3, ' ');
                let mut number = || words.next().unwrap().parse::<u128>().unwrap();
                let (user, org) = (number(), number());
                Caller {
                    subject: Subject::User(UserId::from_uuid(uuid(user))),
                    org: Some(OrgId::from_uuid(uuid(org))),
                    permissions: Permissions::from_scope(words.next().unwrap_or_default()),
                    ..anonymous.clone()
                }
            },
        );
        Ok(Authenticated { caller: Arc::new(caller), expires_at: None, terms: None })
    }
}

/// A feed whose changes come when the test says so.
#[derive(Clone)]
pub(crate) struct News {
    sender: UnboundedSender<Heard>,
    receiver: Arc<Mutex<Option<UnboundedReceiver<Heard>>>>,
    told: Arc<AtomicI64>,
    heard: watch::Sender<i64>,
}

impl News {
    pub(crate) fn new() -> Self {
        let (sender, receiver) = unbounded();
        let receiver = Arc::new(Mutex::new(Some(receiver)));
        Self { sender, receiver, told: Arc::default(), heard: watch::Sender::new(0) }
    }

    /// Tells of a change of a product, and waits until the gateway has taken it in.
    pub(crate) async fn tell(&self, id: u128, org: u128, kind: &str) {
        let position = self.told.fetch_add(1, Ordering::SeqCst) + 1;
        let change = Change {
            position,
            tenant: Some(OrgId::from_uuid(uuid(org))),
            kind: ChangeKind::Updated,
            subject: "shop.product".into(),
            key: uuid(id),
            version: 1,
            changed: vec!["name".to_owned()],
            attributes: json!({ "kind": kind }).as_object().unwrap().clone(),
            before: serde_json::Map::new(),
            actor: None,
            request: None,
            at: noon(),
            facts: Vec::new(),
        };
        self.sender.unbounded_send(Heard::Change(Arc::new(change))).unwrap();
        soon(self.heard.subscribe().wait_for(|heard| *heard >= position)).await.unwrap();
    }
}

impl ChangeFeed for News {
    fn changes(&self) -> BoxStream<'static, Heard> {
        let (mut receiver, heard) = (self.receiver.lock().unwrap().take().unwrap(), self.heard.clone());
        let mut given = 0;
        futures::stream::poll_fn(move |context| {
            // Whoever comes back has taken in what they were given.
            heard.send_replace(given);
            let next = receiver.poll_next_unpin(context);
            given += i64::from(matches!(next, Poll::Ready(Some(_))));
            next
        })
        .boxed()
    }
}

/// Settings by which answers are kept.
pub(crate) fn keeping() -> GatewayConfig {
    let mut config = GatewayConfig::default();
    config.response_cache.enabled = true;
    config
}

/// A gateway over the shop.
pub(crate) struct Counter {
    pub(crate) shop: Shop,
    pub(crate) gateway: Gateway,
    seconds: Arc<AtomicI64>,
}

/// An answer and its head.
pub(crate) struct Answered {
    pub(crate) body: Json,
    pub(crate) headers: HeaderMap,
}

impl Answered {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

impl Counter {
    pub(crate) async fn open(config: GatewayConfig) -> Self {
        Self::over(Shop::open(), None, config).await
    }

    pub(crate) async fn over(shop: Shop, news: Option<&News>, config: GatewayConfig) -> Self {
        let source = Arc::new(StaticSource::new(supergraph("")));
        Self::with(shop, news, GatewayParts { source, ..parts() }, config).await
    }

    pub(crate) async fn with(
        shop: Shop,
        news: Option<&News>,
        parts: GatewayParts,
        config: GatewayConfig,
    ) -> Self {
        let seconds = Arc::<AtomicI64>::default();
        let passed = Arc::clone(&seconds);
        let parts = GatewayParts {
            subgraphs: Subgraphs::Fixed(vec![Arc::new(shop.clone()), Arc::new(shop.reviews())]),
            authenticator: Arc::new(Badge),
            changes: news.map(|news| Arc::new(news.clone()) as Arc<dyn ChangeFeed>),
            clock: Clock::from_fn(move || noon() + TimeDelta::seconds(passed.load(Ordering::SeqCst))),
            ..parts
        };
        let gateway = Gateway::init(parts, config).await.unwrap();
        Self { shop, gateway, seconds }
    }

    pub(crate) fn wait(&self, time: Duration) {
        self.seconds.fetch_add(i64::try_from(time.as_secs()).unwrap(), Ordering::SeqCst);
    }

    /// Sends an operation with a badge (nothing for none) and more headers as `name: value`.
    pub(crate) async fn ask(&self, badge: &str, (query, variables): (&str, Json), more: &[&str]) -> Answered {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let mut request = Request::post("/graphql").header("content-type", "application/json");
        if !badge.is_empty() {
            request = request.header("authorization", badge);
        }
        for (name, value) in more.iter().map(|header| header.split_once(": ").unwrap()) {
            request = request.header(name, value);
        }
        let request = request.body(Body::from(body)).unwrap();
        let response = self.gateway.router().oneshot(request).await.unwrap();
        let headers = response.headers().clone();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        Answered { body: serde_json::from_slice(&body).unwrap(), headers }
    }

    /// The data of the answer to a query without variables.
    pub(crate) async fn data(&self, badge: &str, query: &str) -> Json {
        let Answered { body, .. } = self.ask(badge, (query, json!({})), &[]).await;
        assert_eq!(body.get("errors"), None, "{body}");
        body["data"].clone()
    }
}
