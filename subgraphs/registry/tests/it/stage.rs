//! Two tenants, their callers, and the subgraph that they ask.

use std::sync::Arc;

use async_graphql::{Request, Variables};
use chrono::{DateTime, Utc};
use pulse_events::Tail;
use pulse_graphql::Subgraph;
use pulse_registry::{ClientApi, SurfaceKind, SurfaceOperation, Surfaces};
use pulse_sealing::Sealer;
use pulse_store::{PoolOptions, Store};
use pulse_testkit::TestDatabase;
use pulse_types::{Caller, Clock, OrgId, RequestId, Role, Secret, Subject, UserId};
use serde_json::{Value, json};

/// What clients' operations are sent to.
fn api() -> ClientApi {
    ClientApi::new(|| Ok("type Query { book(id: ID!): String shelf: [String!]! }".to_owned()))
}

/// A face with one route, beside GraphQL.
#[derive(Debug)]
struct OneRoute;

impl Surfaces for OneRoute {
    fn operations(&self, _: &str) -> Vec<SurfaceOperation> {
        let document = "{ me { id name } }".to_owned();
        vec![SurfaceOperation { kind: SurfaceKind::RestRoute, name: "GET /me".to_owned(), document }]
    }
}

pub(crate) struct Stage {
    pub(crate) database: TestDatabase,
    pub(crate) subgraph: Subgraph,
    /// An admin of the first tenant.
    pub(crate) admin: Caller,
    /// An admin of another one.
    pub(crate) stranger: Caller,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        let database = TestDatabase::new().await.expect("a database");
        let clock = Clock::from_fn(now);
        let store = Store::new(database.options(), &PoolOptions::default(), clock);
        let key = Secret::new("AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=");
        let sealer = Sealer::try_new(&key, &[]).expect("a key");
        let subgraph =
            pulse_registry::subgraph(store.clone(), Tail::new(&store).0, sealer, (Arc::new(OneRoute), api()));
        Self { database, subgraph, admin: caller(Role::Admin), stranger: caller(Role::Admin) }
    }

    /// The whole response, times with `Z` for `+00:00`.
    pub(crate) async fn ask(&self, caller: &Caller, query: &str, variables: Value) -> Value {
        let request = Request::new(query).variables(Variables::from_json(variables));
        let response = self.subgraph.api.execute(Arc::new(caller.clone()), request).await;
        let json = serde_json::to_string(&response).expect("a response is JSON");
        serde_json::from_str(&json.replace("+00:00\"", "Z\"")).expect("still JSON")
    }

    /// The data of a response without errors.
    pub(crate) async fn data(&self, caller: &Caller, query: &str, variables: Value) -> Value {
        let mut response = self.ask(caller, query, variables).await;
        assert_eq!(response.get("errors"), None, "{response}");
        response["data"].take()
    }

    /// Code, field and text of the one error of a response.
    pub(crate) async fn refusal(
        &self,
        caller: &Caller,
        query: &str,
        variables: Value,
    ) -> (String, String, String) {
        let response = self.ask(caller, query, variables).await;
        let errors = response["errors"].as_array().unwrap_or_else(|| panic!("no error in {response}"));
        assert_eq!(errors.len(), 1, "{response}");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let extensions = &errors[0]["extensions"];
        (text(&extensions["code"]), text(&extensions["field"]), text(&errors[0]["message"]))
    }

    /// Publishes a schema to `current` in `production`.
    pub(crate) async fn publish(&self, subgraph: &str, sdl: &str) -> Value {
        self.publish_as(&self.admin, subgraph, sdl).await
    }

    pub(crate) async fn publish_as(&self, caller: &Caller, subgraph: &str, sdl: &str) -> Value {
        let input = json!({ "environment": "production", "subgraph": subgraph, "sdl": sdl });
        self.publish_input(caller, input).await
    }

    pub(crate) async fn publish_input(&self, caller: &Caller, input: Value) -> Value {
        let mut data = self.data(caller, self.publish_document(), json!({ "input": input })).await;
        data["publishSubgraph"].take()
    }

    /// What gateways serve of `current` in an environment.
    pub(crate) async fn supergraph(&self, environment: &str) -> String {
        let ask = "query ($e: String!) { schemaVariant(environment: $e) { current { supergraph } } }";
        let data = self.data(&self.admin, ask, json!({ "e": environment })).await;
        data["schemaVariant"]["current"]["supergraph"].as_str().expect("a supergraph").to_owned()
    }

    /// Reports that a client sent an operation, which is valid for what is served, ten times today.
    pub(crate) async fn use_by(&self, environment: &str, client: &str, operation: &str) {
        self.use_as(environment, &self.supergraph(environment).await, client, operation).await;
    }

    /// The same of a supergraph that is at hand, by a client without a name.
    pub(crate) async fn use_of(&self, environment: &str, supergraph: &str, operation: &str) {
        self.use_as(environment, supergraph, "", operation).await;
    }

    async fn use_as(&self, environment: &str, supergraph: &str, client: &str, operation: &str) {
        let schema = pulse_schema::ApiSchema::read(supergraph).expect("readable");
        let coordinates = pulse_schema::operation_coordinates(&schema, operation, None, None);
        let name = operation.split(['{', '(']).next().unwrap_or_default().trim();
        let name = name.strip_prefix("query").unwrap_or_default().trim();
        let used = json!({
            "signature": signature(operation), "name": name, "kind": "QUERY", "clientName": client, "clientVersion": "1.0",
            "at": now(), "requests": 10, "coordinates": coordinates.expect("a valid operation"),
        });
        let recorded = self.report(&self.admin, environment, json!([used])).await;
        assert_eq!(recorded, json!({ "recorded": 1, "leftOut": 0 }));
    }

    /// Forgets all that is in use.
    pub(crate) async fn forget_usage(&self) {
        let mut connection = self.database.connect().await.expect("a connection");
        sqlx::query("TRUNCATE registry.operations CASCADE")
            .execute(&mut connection)
            .await
            .expect("forgotten");
    }

    pub(crate) async fn report(&self, caller: &Caller, environment: &str, operations: Value) -> Value {
        let input = json!({ "environment": environment, "operations": operations });
        self.data(caller, REPORT, json!({ "input": input })).await["reportSchemaUsage"].take()
    }

    /// Checks a schema for `current` in an environment.
    pub(crate) async fn check(&self, environment: &str, subgraph: &str, sdl: &str) -> Value {
        let document = "mutation ($input: CheckSubgraphInput!) { checkSubgraph(input: $input) { check {
            id verdict isAccepted breaking dangerous safe against { number }
            changes { code criticality potential coordinate overrideReason operationCount requestCount
                users { operationName clientName clientVersion requests lastSeenAt isDeclared } surfaces { kind name } }
            findings { code severity coordinate } } } }";
        let input = json!({ "environment": environment, "subgraph": subgraph, "sdl": sdl });
        self.data(&self.admin, document, json!({ "input": input })).await["checkSubgraph"]["check"].take()
    }

    #[expect(clippy::unused_self, reason = "reads as a step of the stage")]
    pub(crate) const fn publish_document(&self) -> &'static str {
        "mutation ($input: PublishSubgraphInput!) { publishSubgraph(input: $input) { isPublished isUnchanged
            schemaVersion { id state number } variant { revision expiresAt }
            composition { id number state supergraphHash findings { code severity coordinate }
                diff { breaking dangerous safe changes { code criticality coordinate } } } } }"
    }

    pub(crate) async fn texts(&self, sql: &'static str) -> Vec<String> {
        let mut connection = self.database.connect().await.expect("a connection");
        sqlx::query_scalar(sql).fetch_all(&mut connection).await.expect("texts")
    }

    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        let mut connection = self.database.connect().await.expect("a connection");
        sqlx::query_scalar(sql).fetch_one(&mut connection).await.expect("a count")
    }

    /// How many statements `ask` takes.
    pub(crate) async fn statements(&self, ask: impl Future<Output = Value>) -> (u64, Value) {
        let before = self.subgraph.store.statistics().statements();
        let answer = ask.await;
        (self.subgraph.store.statistics().statements() - before, answer)
    }
}

pub(crate) const REPORT: &str =
    "mutation ($input: ReportSchemaUsageInput!) { reportSchemaUsage(input: $input) { recorded leftOut } }";

/// A signature that is another one for each operation.
pub(crate) fn signature(operation: &str) -> String {
    let bytes = operation.bytes().cycle().take(32).zip(0_u8..);
    bytes.fold(String::new(), |text, (byte, place)| format!("{text}{:02x}", byte.wrapping_add(place)))
}

pub(crate) fn now() -> DateTime<Utc> {
    "2026-03-15T12:00:00Z".parse().expect("a time")
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
