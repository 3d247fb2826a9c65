//! Processes that keep what they have read, over one database.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::{Request, Variables};
use futures::stream::{BoxStream, StreamExt};
use pulse_cache::{Cache, CacheOptions, RedisOptions};
use pulse_events::{Log, Sequencer, Tail, WrittenElsewhere};
use pulse_graphql::Subgraph;
use pulse_store::{PoolOptions, Store};
use pulse_testkit::{RedisServer, TestDatabase};
use pulse_types::{Caller, Clock, OrgId, Role, Secret};
use serde_json::{Value, json};
use sqlx::PgConnection;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::person;

/// A process that serves the subgraph, keeps what it has read, and hears of changes by the log.
pub(crate) struct Process {
    pub(crate) store: Store,
    pub(crate) cache: Cache,
    subgraph: Subgraph,
    tail: Tail,
    _stop: DropGuard,
}

/// Several of them, and the sequencer beside them.
pub(crate) struct Processes {
    pub(crate) all: Vec<Process>,
    pub(crate) sequencer: Sequencer,
    pub(crate) org: OrgId,
    database: TestDatabase,
}

impl Process {
    async fn start(database: &TestDatabase, redis: Option<&RedisServer>) -> Self {
        let plain = Store::new(database.options(), &PoolOptions::default(), Clock::system());
        let redis = redis.map(|redis| RedisOptions {
            url: Secret::new(redis.url()),
            prefix: "test".to_owned(),
            timeout: Duration::from_secs(2),
        });
        let own_writes = Some(Arc::new(WrittenElsewhere(plain.clone())) as _);
        let cache =
            Cache::new(CacheOptions { redis, own_writes, ..CacheOptions::new(plain.clock().clone()) });
        let store = plain.cached(cache.clone());
        let (tail, reader) = Tail::new(&store);
        let stop = CancellationToken::new();
        tokio::spawn(reader.listening(database.options()).run(stop.clone()));
        while cache.heard().is_none() {
            tokio::task::yield_now().await;
        }
        let subgraph = pulse_entities::subgraph(store.clone(), tail.clone());
        Self { store, cache, subgraph, tail, _stop: stop.drop_guard() }
    }

    /// The whole response.
    pub(crate) async fn respond(&self, caller: &Arc<Caller>, request: Request) -> Value {
        let response = self.subgraph.api.execute(Arc::clone(caller), request).await;
        serde_json::to_value(response).unwrap()
    }

    /// The data of a response that must be without errors.
    pub(crate) async fn ask(&self, caller: &Arc<Caller>, query: &str, variables: Value) -> Value {
        let request = Request::new(query).variables(Variables::from_json(variables));
        let mut response = self.respond(caller, request).await;
        assert_eq!(response.get("errors"), None, "{query}");
        response["data"].take()
    }

    /// What a subscription tells, as data without errors, from now on.
    pub(crate) async fn follow(&self, caller: &Arc<Caller>, subscription: &str) -> BoxStream<'static, Value> {
        let stream = self.subgraph.api.subscribe(Arc::clone(caller), Request::new(subscription)).await;
        let event = |response| {
            let mut event = serde_json::to_value(response).unwrap();
            assert_eq!(event.get("errors"), None);
            event["data"].take()
        };
        stream.map(event).boxed()
    }

    pub(crate) async fn upsert(&self, caller: &Arc<Caller>, items: Value) {
        let upsert = "mutation ($items: [UpsertEntityItem!]!) { upsertEntities(input: { items: $items }) { created } }";
        self.ask(caller, upsert, json!({ "items": items })).await;
    }

    pub(crate) async fn name_of(&self, caller: &Arc<Caller>, key: &str) -> String {
        let data = self
            .ask(caller, "query ($key: String!) { entity(key: $key) { name } }", json!({ "key": key }))
            .await;
        data["entity"]["name"].as_str().unwrap_or_default().to_owned()
    }

    /// Returns when this process has heard of all that is in the log.
    pub(crate) async fn hears(&self) {
        let position = Log::new(self.store.clone()).head().await.unwrap().position;
        self.tail.reaches(position).await;
        while self.cache.heard() < Some(position) {
            tokio::task::yield_now().await;
        }
    }
}

impl Processes {
    /// Two of them, a graph with the packages `a`, `b` and `c`, and nobody who moves events to the log.
    pub(crate) async fn two(redis: Option<&RedisServer>) -> Self {
        let database = TestDatabase::new().await.unwrap();
        let all = vec![Process::start(&database, redis).await, Process::start(&database, redis).await];
        let store = all[0].store.clone();
        let org = OrgId::new(store.clock().now());
        let mut processes = Self { all, sequencer: Sequencer::new(store), org, database };
        let admin = processes.person(Role::Admin);
        for name in ["package", "section"] {
            let create = "mutation ($name: String!) { createEntityType(input: { name: $name }) { entityType { name } } }";
            processes.all[0].ask(&admin, create, json!({ "name": name })).await;
        }
        let package = |key: &str| json!({ "key": key, "type": "package", "name": format!("package {key}") });
        processes.all[0].upsert(&admin, json!([package("a"), package("b"), package("c")])).await;
        processes.settle().await;
        processes
    }

    /// A superuser's connection to the database.
    pub(crate) async fn connect(&self) -> PgConnection {
        self.database.connect().await.unwrap()
    }

    /// Somebody of the organization.
    pub(crate) fn person(&self, role: Role) -> Arc<Caller> {
        person(&self.all[0].store, self.org, role.permissions())
    }

    /// Moves events to the log, and has everybody hear of them.
    pub(crate) async fn settle(&mut self) {
        while self.sequencer.step().await.unwrap() > 0 {}
        for process in &self.all {
            process.hears().await;
        }
    }

    /// Moves events to the log from here on by itself.
    pub(crate) fn sequence(&self) -> DropGuard {
        let stop = CancellationToken::new();
        let sequencer = Sequencer::new(self.all[0].store.clone()).listening(self.database.options());
        tokio::spawn(sequencer.run(stop.clone()));
        stop.drop_guard()
    }
}
