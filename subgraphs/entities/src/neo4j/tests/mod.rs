//! The copy beside what it is a copy of.

mod differential;
mod narrowed;
mod outages;
mod proxy;
mod upkeep;

use std::sync::Arc;
use std::time::Duration;

use async_graphql::{Request, Variables};
use pulse_events::{Sequencer, Tail};
use pulse_graphql::Subgraph;
use pulse_store::{PoolOptions, Session, Store};
use pulse_testkit::{Neo4jServer, TestDatabase};
use pulse_types::{Caller, Clock, OrgId, RequestId, Secret};
use serde_json::{Value, json};

use super::{Neo4j, Neo4jOptions, Projected, Projector, Step};
use crate::import::{Format, ImportOptions, Source, import};
use crate::traversal::Walk;

/// A graph in a database of its own, with a copy of it in Neo4j.
struct World {
    store: Store,
    neo4j: Neo4j,
    projector: Projector,
    org: OrgId,
    // Dropped last: the database goes away with it.
    database: TestDatabase,
}

impl World {
    async fn new(uri: String) -> Self {
        Self::with(client(uri)).await
    }

    async fn with(neo4j: Neo4j) -> Self {
        let database = TestDatabase::new().await.unwrap();
        // Databases are copies of one, and so are the names of their logs, which copies in Neo4j are told apart by.
        let rename = "UPDATE platform.log_head SET name = 'test-' || gen_random_uuid()";
        sqlx::query(rename).execute(&mut database.connect().await.unwrap()).await.unwrap();
        let store = Store::new(database.options(), &PoolOptions::default(), Clock::system());
        let projector = Projector::new(store.clone(), Tail::new(&store).0, neo4j.clone());
        let org = OrgId::new(store.clock().now());
        Self { store, neo4j, projector, org, database }
    }

    fn session(&self) -> Session {
        self.store.session(self.caller())
    }

    fn caller(&self) -> Arc<Caller> {
        Arc::new(Caller::system(self.org, RequestId::new(self.store.clock().now())))
    }

    /// Entities given as (key, type), and relationships as (source, type, target, confidence).
    async fn write(&self, entities: &[(String, &str)], relationships: &[(String, &str, String, f64)]) {
        let entity =
            |(key, name): &(String, &str)| json!({ "kind": "entity", "key": key, "type": name, "name": key });
        let relationship = |(source, name, target, confidence): &(String, &str, String, f64)| json!({ "kind": "relationship", "type": name, "source": source, "target": target, "confidence": confidence });
        let lines: Vec<Value> =
            entities.iter().map(entity).chain(relationships.iter().map(relationship)).collect();
        let text: String = lines.iter().flat_map(|line| [line.to_string(), "\n".to_owned()]).collect();
        let source = Source::stream(std::io::Cursor::new(text), Format::JsonLines);
        let report = import(&self.store, self.org, source, &ImportOptions::default(), |_| {}).await.unwrap();
        assert_eq!(report.bad_line_count, 0, "{report}");
    }

    /// Moves what was written to the log.
    async fn sequence(&self) {
        let mut sequencer = Sequencer::new(self.store.clone());
        while sequencer.step().await.unwrap() > 0 {}
    }

    /// Brings the copy up to the log's end.
    async fn project(&self) {
        self.sequence().await;
        while self.projector.step().await.unwrap() != Step::Idle {}
    }

    /// The copy, as a walk begins with it.
    async fn projected(&self) -> Projected {
        let log = self.neo4j.log_of(&self.store).await.unwrap();
        Projected::begin(&self.neo4j, log, self.org).await.unwrap().expect("the part is whole")
    }

    /// Whether a walk that began now would go through Neo4j.
    async fn walks_in_neo4j(&self) -> bool {
        let session = self.session();
        Walk::new(&session, Some(&self.neo4j)).choose().await.unwrap().is_projected()
    }

    /// The data of an answer without errors.
    async fn ask(
        &self,
        (subgraph, caller): (&Subgraph, &Arc<Caller>),
        (query, variables): (&str, &Value),
    ) -> Value {
        let request = Request::new(query).variables(Variables::from_json(variables.clone()));
        let response = subgraph.api.execute(Arc::clone(caller), request).await;
        let mut response = serde_json::to_value(response).unwrap();
        assert_eq!(response.get("errors"), None, "{response}");
        response["data"].take()
    }

    /// What walks find. Those that a busy machine had no time to end have said so, and are asked for again.
    async fn walk(&self, subgraph: &Subgraph, walks: (&str, &Value)) -> Value {
        self.walk_as((subgraph, &self.caller()), walks).await
    }

    async fn walk_as(&self, who: (&Subgraph, &Arc<Caller>), walks: (&str, &Value)) -> Value {
        loop {
            let found = self.ask(who, walks).await;
            let mut walks = found.as_object().into_iter().flat_map(|walks| walks.values());
            if walks.all(|walk| walk["cutOff"] != "TIME") {
                return found;
            }
        }
    }

    async fn id_of(&self, subgraph: &Subgraph, key: String) -> Value {
        let by_key = "query ($key: String!) { entity(key: $key) { id } }";
        self.ask((subgraph, &self.caller()), (by_key, &json!({ "key": key }))).await["entity"]["id"].take()
    }

    /// What differs, as people read it.
    async fn differences(&self) -> Vec<String> {
        let verified = self.projector.verify(Some(self.org), |_| {}).await.unwrap();
        let tenant = format!("{}: ", self.org);
        verified.differences.iter().map(|difference| difference.to_string().replace(&tenant, "")).collect()
    }
}

fn client(uri: String) -> Neo4j {
    patient(uri, Duration::from_mins(1))
}

fn patient(uri: String, timeout: Duration) -> Neo4j {
    Neo4j::try_new(&Neo4jOptions {
        uri,
        user: Neo4jServer::USER.to_owned(),
        password: Secret::new(Neo4jServer::PASSWORD),
        timeout,
        max_connections: 8,
    })
    .unwrap()
}
