//! The subgraph against a real database.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]
#![expect(clippy::format_push_string, reason = "a test reads better so")]
#![expect(clippy::too_many_lines, reason = "snapshots of whole responses are long")]

mod batches;
mod documents;
mod entities;
mod entity_types;
mod export;
mod filters;
mod filters_property;
mod groups;
mod history;
mod import;
mod import_files;
mod kept;
mod kept_processes;
mod lists;
mod neighborhood;
mod relationships;
mod rights;
mod rights_property;
mod tenancy;
mod traversal;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use async_graphql::{Request, Variables};
use chrono::DateTime;
use pulse_events::Tail;
use pulse_graphql::Subgraph;
use pulse_store::{PoolOptions, Store};
use pulse_testkit::TestDatabase;
use pulse_types::{Caller, Clock, OrgId, Permissions, RequestId, Role, Subject, UserId};
use serde_json::{Value, json};

/// A graph in a database of its own, and a person of a new organization who asks it.
pub(crate) struct Graph {
    pub(crate) database: TestDatabase,
    pub(crate) store: Store,
    subgraph: Subgraph,
    pub(crate) caller: Arc<Caller>,
}

impl Graph {
    /// An empty graph, in which time goes on by a second with each look at the clock.
    pub(crate) async fn new() -> Self {
        let database = TestDatabase::new().await.unwrap();
        let seconds = AtomicI64::new(1_750_000_000);
        let clock = Clock::from_fn(move || {
            DateTime::from_timestamp(seconds.fetch_add(1, Ordering::SeqCst), 0).unwrap()
        });
        let store = Store::new(database.options(), &PoolOptions::default(), clock);
        let subgraph = pulse_entities::subgraph(store.clone(), Tail::new(&store).0);
        let caller = person(&store, OrgId::new(store.clock().now()), Role::Admin.permissions());
        Self { database, store, subgraph, caller }
    }

    /// A graph with the packages `a`, `b` and `c` of the section `libs`.
    pub(crate) async fn with_packages() -> Self {
        let graph = Self::new().await;
        graph.create_types(&["package", "section"]).await;
        let package = |key| json!({ "key": key, "type": "package", "name": format!("package {key}") });
        let section = json!({ "key": "libs", "type": "section", "name": "Libraries" });
        graph.upsert_entities(json!([package("a"), package("b"), package("c"), section])).await;
        graph
    }

    pub(crate) async fn create_types(&self, names: &[&str]) {
        for name in names {
            let create = "mutation ($name: String!) { createEntityType(input: { name: $name }) { entityType { name } } }";
            self.data(create, json!({ "name": name })).await;
        }
    }

    pub(crate) async fn upsert_entities(&self, items: Value) -> Value {
        let upsert = "mutation ($items: [UpsertEntityItem!]!) { upsertEntities(input: { items: $items }) \
                      { created updated unchanged } }";
        self.data(upsert, json!({ "items": items })).await["upsertEntities"].take()
    }

    /// Relationships given as (source, type, target).
    pub(crate) async fn relate(&self, relationships: &[(&str, &str, &str)]) {
        let item = |(source, name, target): &(&str, &str, &str)| json!({ "sourceKey": source, "type": name, "targetKey": target });
        let items: Vec<_> = relationships.iter().map(item).collect();
        let upsert = "mutation ($items: [UpsertRelationshipItem!]!) \
                      { upsertRelationships(input: { items: $items }) { created } }";
        self.data(upsert, json!({ "items": items })).await;
    }

    pub(crate) async fn id_of(&self, key: &str) -> String {
        let data =
            self.data("query ($key: String!) { entity(key: $key) { id } }", json!({ "key": key })).await;
        data["entity"]["id"].as_str().unwrap().to_owned()
    }

    /// The whole response to the graph's own caller.
    pub(crate) async fn ask(&self, query: &str, variables: Value) -> Value {
        self.ask_as(&self.caller, query, variables).await
    }

    pub(crate) async fn ask_as(&self, caller: &Arc<Caller>, query: &str, variables: Value) -> Value {
        let request = Request::new(query).variables(Variables::from_json(variables));
        let response = self.subgraph.api.execute(Arc::clone(caller), request).await;
        serde_json::to_value(response).unwrap()
    }

    /// The data of a response that must be without errors.
    pub(crate) async fn data(&self, query: &str, variables: Value) -> Value {
        let mut response = self.ask(query, variables).await;
        assert_eq!(response.get("errors"), None, "{query}");
        response["data"].take()
    }

    /// A person of this organization with these permissions, or of another one.
    pub(crate) fn with_role(&self, role: Role) -> Arc<Caller> {
        person(&self.store, self.caller.org.unwrap(), role.permissions())
    }

    pub(crate) fn of_another_organization(&self) -> Arc<Caller> {
        person(&self.store, OrgId::new(self.store.clock().now()), Role::Owner.permissions())
    }

    /// How many rows a table has, seen by a superuser.
    pub(crate) async fn count(&self, table: &'static str) -> i64 {
        let mut connection = self.database.connect().await.unwrap();
        let count = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
        sqlx::query_scalar(count).fetch_one(&mut connection).await.unwrap()
    }

    /// All that writes leave behind: rows, old rows, events, audit facts.
    pub(crate) async fn traces(&self) -> [i64; 6] {
        [
            self.count("entities.types").await,
            self.count("entities.entities").await,
            self.count("entities.relationships").await,
            self.count("entities.history").await,
            // What a batch that changes nothing has done is an audit fact, which is told of too.
            self.count("platform.outbox WHERE subject <> 'platform.audit'").await,
            self.count("platform.audit").await,
        ]
    }
}

fn person(store: &Store, org: OrgId, permissions: Permissions) -> Arc<Caller> {
    let now = store.clock().now();
    let (subject, request) = (Subject::User(UserId::new(now)), RequestId::new(now));
    Arc::new(Caller { subject, org: Some(org), permissions, ..Caller::anonymous(request) })
}

/// A response as text, with ids and times left out.
pub(crate) fn shown(value: &Value) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap();
    while let Some(at) = (0..text.len().saturating_sub(35))
        .find(|at| text.get(*at..at + 36).is_some_and(|part| uuid::Uuid::try_parse(part).is_ok()))
    {
        text.replace_range(at..at + 36, "[id]");
    }
    text
}

/// Code, field and text of the only error of a response.
pub(crate) fn refusal(response: &Value) -> (String, String, String) {
    let errors = response["errors"].as_array().expect("the request is refused");
    assert_eq!(errors.len(), 1, "{response}");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let extensions = &errors[0]["extensions"];
    (text(&extensions["code"]), text(&extensions["field"]), text(&errors[0]["message"]))
}
