//! Two tenants, their callers, the subgraph that they ask, and what works behind it, step by step.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_graphql::{Request, Variables};
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use pulse_events::{GroupRunner, Sequencer, Step, Tail};
use pulse_graphql::Subgraph;
use pulse_operations::{Config, Dispatcher, Resolve, WebhookConfig, subgraph_with};
use pulse_sealing::Sealer;
use pulse_store::{AuditFact, Event, EventKind, PoolOptions, Store};
use pulse_testkit::TestDatabase;
use pulse_types::{Caller, Clock, OrgId, ProcessId, RequestId, Role, Secret, Subject, UserId};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use tokio::sync::Mutex as AsyncMutex;
use uuid::Uuid;

use crate::receiver::Receiver;

/// The host of the receiver in addresses.
pub(crate) const HOST: &str = "hooks.test";

/// What names stand for, which a test may change.
#[derive(Default)]
pub(crate) struct Names {
    addresses: Mutex<HashMap<String, Vec<IpAddr>>>,
    asked: Mutex<HashMap<String, usize>>,
}

impl Names {
    pub(crate) fn set(&self, name: &str, addresses: &[&str]) {
        let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
        self.addresses.lock().unwrap().insert(name.to_owned(), addresses);
    }

    /// How often the name was looked up.
    pub(crate) fn asked(&self, name: &str) -> usize {
        self.asked.lock().unwrap().get(name).copied().unwrap_or_default()
    }
}

#[async_trait]
impl Resolve for Names {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        *self.asked.lock().unwrap().entry(host.to_owned()).or_default() += 1;
        let found = self.addresses.lock().unwrap().get(host).cloned();
        found.ok_or_else(|| io::Error::other("no such name"))
    }
}

pub(crate) struct Stage {
    pub(crate) database: TestDatabase,
    pub(crate) subgraph: Subgraph,
    pub(crate) dispatcher: Arc<Dispatcher>,
    webhooks: WebhookConfig,
    pub(crate) receiver: Receiver,
    pub(crate) names: Arc<Names>,
    /// An admin of the first tenant.
    pub(crate) admin: Caller,
    /// An admin of another one.
    pub(crate) stranger: Caller,
    forward: Arc<Mutex<TimeDelta>>,
    group: AsyncMutex<GroupRunner>,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// A receiver behind `hooks.test` that may be reached over HTTP, and other settings.
    pub(crate) async fn with(settings: impl FnOnce(&mut WebhookConfig)) -> Self {
        let (database, receiver) = (TestDatabase::new().await.unwrap(), Receiver::start().await);
        let mut webhooks = WebhookConfig {
            allow_http: true,
            allowed_ports: vec![443, receiver.port],
            allowed_networks: vec!["127.0.0.1/32".parse().unwrap()],
            ..WebhookConfig::default()
        };
        settings(&mut webhooks);
        let forward = Arc::new(Mutex::new(TimeDelta::zero()));
        let moved = Arc::clone(&forward);
        let clock = Clock::from_fn(move || now() + *moved.lock().unwrap());
        let store = Store::new(database.options(), &PoolOptions::default(), clock);
        let names = Arc::new(Names::default());
        names.set(HOST, &["127.0.0.1"]);
        let tail = Tail::new(&store).0;
        let resolver = Arc::clone(&names) as Arc<dyn Resolve>;
        let (config, parts) = (Config { webhooks: webhooks.clone() }, (store.clone(), tail.clone()));
        let (subgraph, dispatcher) = subgraph_with(parts, sealer(1, &[]), config, resolver).unwrap();
        let consumer = Arc::clone(&subgraph.consumers[0]);
        let mut group = GroupRunner::new(store, tail, consumer, ProcessId::new(now()));
        // It begins with what is committed from now on.
        assert_eq!(group.step().await.unwrap(), Step::Idle);
        let (admin, stranger) = (caller(Role::Admin), caller(Role::Admin));
        let group = AsyncMutex::new(group);
        Self { database, subgraph, dispatcher, webhooks, receiver, names, admin, stranger, forward, group }
    }

    pub(crate) fn store(&self) -> &Store {
        &self.subgraph.store
    }

    pub(crate) fn forward(&self, by: Duration) {
        *self.forward.lock().unwrap() += TimeDelta::from_std(by).unwrap();
    }

    pub(crate) fn time(&self) -> DateTime<Utc> {
        self.store().clock().now()
    }

    /// An address of the receiver.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{HOST}:{}{path}", self.receiver.port)
    }

    /// The whole response.
    pub(crate) async fn ask(&self, caller: &Caller, query: &str, input: Value) -> Value {
        let request = Request::new(query).variables(Variables::from_json(json!({ "input": input })));
        let response = self.subgraph.api.execute(Arc::new(caller.clone()), request).await;
        serde_json::to_value(&response).unwrap()
    }

    /// The one root field of a response without errors.
    pub(crate) async fn data(&self, caller: &Caller, query: &str, input: Value) -> Value {
        let mut response = self.ask(caller, query, input).await;
        assert_eq!(response.get("errors"), None, "{response}");
        let data = response["data"].as_object_mut().unwrap();
        data.values_mut().next().unwrap().take()
    }

    /// Code, field and text of the one error of a response.
    pub(crate) async fn refusal(
        &self,
        caller: &Caller,
        query: &str,
        input: Value,
    ) -> (String, String, String) {
        let response = self.ask(caller, query, input).await;
        let errors = response["errors"].as_array().unwrap_or_else(|| panic!("no error in {response}"));
        assert_eq!(errors.len(), 1, "{response}");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let extensions = &errors[0]["extensions"];
        (text(&extensions["code"]), text(&extensions["field"]), text(&errors[0]["message"]))
    }

    /// A webhook of the first tenant for everything; its id and secret.
    pub(crate) async fn webhook(&self) -> (String, String) {
        self.webhook_at(&self.url("/hook"), json!({ "subjects": ["entities.*"] })).await
    }

    pub(crate) async fn webhook_at(&self, url: &str, filter: Value) -> (String, String) {
        let made = self.data(&self.admin, CREATE, json!({ "url": url, "filter": filter })).await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (text(&made["webhook"]["id"]), text(&made["signingSecret"]))
    }

    /// A webhook as it is now.
    pub(crate) async fn read(&self, id: &str) -> Value {
        let query = "query ($input: ID!) { webhook(id: $input) { state pauseReason pausedAt failingSince failedInRow
            previousSecretUntil version deliveries { totalCount nodes { id eventType status attempts nextAttemptAt
            lastStatusCode lastError payload } } } }";
        self.data(&self.admin, query, json!(id)).await
    }

    /// The one delivery of a webhook.
    pub(crate) async fn delivery(&self, webhook: &str) -> Value {
        let mut webhook = self.read(webhook).await;
        assert_eq!(webhook["deliveries"]["totalCount"], 1, "{webhook}");
        webhook["deliveries"]["nodes"][0].take()
    }

    /// Commits an event of a package in `caller`'s tenant, and has deliveries written for what is in the log.
    pub(crate) async fn happens(&self, caller: &Caller, kind: EventKind, attributes: Value) -> Uuid {
        let key = Uuid::from_u128(u128::from(rand::random::<u64>()));
        let mut write = self.store().session(Arc::new(caller.clone())).write().await.unwrap();
        write.event(Event {
            kind,
            subject: "entities.entity",
            key,
            version: 3,
            changed: vec!["name"],
            attributes,
            before: json!(null),
        });
        let fact = AuditFact {
            action: "entity:write",
            subject: "entities.entity",
            key: None,
            version: None,
            items: 1,
        };
        write.commit(fact).await.unwrap();
        self.publish().await;
        key
    }

    /// A new package in the first tenant, with its deliveries.
    pub(crate) async fn created(&self) -> Uuid {
        self.happens(&self.admin, EventKind::Created, json!({ "type": "package" })).await
    }

    /// Moves what was committed to the log, and writes deliveries for it.
    pub(crate) async fn publish(&self) {
        let mut sequencer = Sequencer::new(self.store().clone());
        while sequencer.step().await.unwrap() > 0 {}
        let mut group = self.group.lock().await;
        while let Step::Handled(_) = group.step().await.unwrap() {}
    }

    /// Has the log read from its beginning, by a process that takes over.
    pub(crate) async fn begin_again(&self) {
        let mut connection = self.database.connect().await.unwrap();
        let sql = "UPDATE platform.consumers SET position = 0, holder = NULL, lease_until = NULL";
        sqlx::query(sql).execute(&mut connection).await.unwrap();
        let consumer = Arc::clone(&self.subgraph.consumers[0]);
        let (store, tail) = (self.store().clone(), self.subgraph.tail.clone());
        *self.group.lock().await = GroupRunner::new(store, tail, consumer, ProcessId::new(now()));
    }

    /// Sends what is due, as a process with other keys.
    pub(crate) async fn send_with(&self, sealer: Sealer) {
        let (config, resolver) =
            (Arc::new(self.webhooks.clone()), Arc::clone(&self.names) as Arc<dyn Resolve>);
        let dispatcher = Dispatcher::try_new(self.store().clone(), config, sealer, resolver, Arc::default());
        Arc::new(dispatcher.unwrap()).drain().await.unwrap();
    }

    /// Changes rows as the operator might.
    pub(crate) async fn sql(&self, sql: &str) {
        let mut connection = self.database.connect().await.unwrap();
        sqlx::query(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    }

    /// How many audit facts there are of an action.
    pub(crate) async fn audited(&self, action: &str) -> i64 {
        let mut connection = self.database.connect().await.unwrap();
        let query = sqlx::query_scalar("SELECT count(*) FROM platform.audit WHERE action = $1");
        query.bind(action).fetch_one(&mut connection).await.unwrap()
    }

    /// The attributes of events that wait to be moved to the log.
    pub(crate) async fn told(&self, subject: &str) -> Vec<Value> {
        let mut connection = self.database.connect().await.unwrap();
        let query =
            sqlx::query_scalar("SELECT attributes FROM platform.outbox WHERE subject = $1 ORDER BY id");
        query.bind(subject).fetch_all(&mut connection).await.unwrap()
    }

    /// Sends what is due.
    pub(crate) async fn send(&self) {
        self.dispatcher.drain().await.unwrap();
    }
}

pub(crate) const CREATE: &str = "mutation ($input: CreateWebhookInput!) {
    createWebhook(input: $input) { webhook { id state version } signingSecret } }";

/// What seals with the key of this number, and opens what these have sealed too.
pub(crate) fn sealer(current: u8, old: &[u8]) -> Sealer {
    let key = |byte: &u8| Secret::new(STANDARD.encode([*byte; 32]));
    Sealer::try_new(&key(&current), &old.iter().map(key).collect::<Vec<_>>()).unwrap()
}

pub(crate) fn now() -> DateTime<Utc> {
    "2026-03-15T12:00:00Z".parse().unwrap()
}

pub(crate) fn caller(role: Role) -> Caller {
    caller_of(OrgId::new(now()), role)
}

pub(crate) fn caller_of(org: OrgId, role: Role) -> Caller {
    Caller {
        subject: Subject::User(UserId::new(now())),
        org: Some(org),
        permissions: role.permissions(),
        ..Caller::anonymous(RequestId::new(now()))
    }
}
