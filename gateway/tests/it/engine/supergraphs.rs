//! Supergraphs, and engines over them.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use pulse_gateway::engine::{Engine, EngineConfig, ExecutionContext, ExecutionResult, RequestError};
use pulse_gateway::ports::{Subgraph, SubgraphFault, SupergraphSdl};
use pulse_gateway::value::Value;
use pulse_types::{Caller, RequestId};
use serde_json::Value as Json;

use super::fake::Fake;

/// An engine over fake subgraphs, and what they were asked.
pub(super) struct Platform {
    pub(super) engine: Engine,
    log: Arc<Mutex<Vec<String>>>,
}

/// What to build a platform from.
pub(super) struct Blueprint {
    types: &'static str,
    subgraphs: Vec<(&'static str, Json, Option<SubgraphFault>)>,
    config: EngineConfig,
    roots: Vec<(&'static str, &'static str)>,
}

impl Blueprint {
    /// A supergraph's types, in the join form, and the data of its subgraphs.
    pub(super) fn new(types: &'static str, subgraphs: Vec<(&'static str, Json)>) -> Self {
        let subgraphs = subgraphs.into_iter().map(|(name, data)| (name, data, None)).collect();
        Self { types, subgraphs, config: EngineConfig::default(), roots: Vec::new() }
    }

    /// The same with a subgraph that gives no answer.
    pub(super) fn broken(mut self, broken: &str, fault: SubgraphFault) -> Self {
        let subgraph = self.subgraphs.iter_mut().find(|(name, ..)| *name == broken);
        subgraph.unwrap().2 = Some(fault);
        self
    }

    /// The same with another subgraph's data changed.
    pub(super) fn with(mut self, changed: &str, change: impl FnOnce(&mut Json)) -> Self {
        let subgraph = self.subgraphs.iter_mut().find(|(name, ..)| *name == changed);
        change(&mut subgraph.unwrap().1);
        self
    }

    pub(super) fn config(mut self, config: EngineConfig) -> Self {
        self.config = config;
        self
    }

    /// The same with another name for a root type of the supergraph. The subgraphs keep theirs.
    pub(super) fn root(mut self, usual: &'static str, own: &'static str) -> Self {
        self.roots.push((usual, own));
        self
    }

    pub(super) fn build(self) -> Platform {
        let log = Arc::default();
        let names: Vec<_> = self.subgraphs.iter().map(|(name, ..)| *name).collect();
        let mut sdl = supergraph(&names, self.types);
        for (usual, own) in self.roots {
            let (is, defined) = (format!(": {usual}"), format!("type {usual} "));
            sdl.sdl = sdl.sdl.replace(&is, &format!(": {own}")).replace(&defined, &format!("type {own} "));
        }
        let subgraphs = self.subgraphs.into_iter().map(|(name, data, fault)| {
            let fake = Fake::new(name, data, &log);
            let fake = if let Some(fault) = fault { fake.broken(fault) } else { fake };
            Arc::new(fake) as Arc<dyn Subgraph>
        });
        let engine = Engine::load(&sdl, subgraphs.collect(), &self.config).unwrap();
        Platform { engine, log }
    }
}

impl Platform {
    pub(super) async fn execute(&self, document: &str, variables: Json) -> ExecutionResult {
        let operation = self.engine.prepare(document, None).await.unwrap();
        self.engine.execute(&operation, Some(Value::from(&variables)), context()).await
    }

    /// The whole response to an operation without variables.
    pub(super) async fn run(&self, document: &str) -> String {
        self.run_with(document, Json::Null).await
    }

    /// The whole response.
    pub(super) async fn run_with(&self, document: &str, variables: Json) -> String {
        pretty(&self.execute(document, variables).await)
    }

    /// The errors of an operation that is refused.
    pub(super) async fn refusal(&self, document: &str) -> String {
        let errors: Vec<RequestError> = self.engine.prepare(document, None).await.unwrap_err();
        serde_json::to_string_pretty(&errors).unwrap()
    }

    /// What the subgraphs were asked so far.
    pub(super) fn log(&self) -> String {
        self.log.lock().unwrap().join("\n")
    }
}

pub(crate) fn context() -> ExecutionContext {
    let caller = Arc::new(Caller::anonymous(RequestId::new(chrono::DateTime::UNIX_EPOCH)));
    ExecutionContext {
        caller,
        headers: Arc::default(),
        deadline: Instant::now() + Duration::from_millis(500),
        uploads: None,
        include_plan: false,
        tell_cost: None,
        toll: None,
        tag_limit: None,
    }
}

pub(super) fn pretty(result: &ExecutionResult) -> String {
    let body: Json = serde_json::from_slice(&result.body).unwrap();
    assert_eq!(body.get("data").is_none_or(Json::is_null), result.data_is_null);
    assert_eq!(body.get("errors").and_then(Json::as_array).map_or(0, Vec::len), result.errors);
    serde_json::to_string_pretty(&body).unwrap()
}

/// A whole supergraph out of its types.
pub(super) fn supergraph(subgraphs: &[&str], types: &str) -> SupergraphSdl {
    let mut sdl = String::from(HEADER);
    let mut roots = String::from("query: Query");
    for (name, field) in [("Mutation", "mutation"), ("Subscription", "subscription")] {
        if types.contains(&format!("type {name} ")) {
            let _ = write!(roots, " {field}: {name}");
        }
    }
    let _ = writeln!(sdl, "{{ {roots} }}\n{DIRECTIVES}\nenum join__Graph {{");
    for name in subgraphs {
        let _ = writeln!(sdl, "  {} @join__graph(name: \"{name}\", url: \"\")", name.to_uppercase());
    }
    let _ = writeln!(sdl, "}}\n{types}");
    SupergraphSdl { sdl, version: "test".into() }
}

const HEADER: &str = r#"
schema
  @link(url: "https://specs.apollo.dev/link/v1.0")
  @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION)
  @link(url: "https://specs.apollo.dev/inaccessible/v0.2", for: SECURITY)
"#;

const DIRECTIVES: &str = r"
directive @inaccessible on FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION
directive @join__enumValue(graph: join__Graph!) repeatable on ENUM_VALUE
directive @join__field(graph: join__Graph, requires: join__FieldSet, provides: join__FieldSet, type: String, external: Boolean, override: String, usedOverridden: Boolean) repeatable on FIELD_DEFINITION | INPUT_FIELD_DEFINITION
directive @join__graph(name: String!, url: String!) on ENUM_VALUE
directive @join__implements(graph: join__Graph!, interface: String!) repeatable on OBJECT | INTERFACE
directive @join__type(graph: join__Graph!, key: join__FieldSet, extension: Boolean! = false, resolvable: Boolean! = true, isInterfaceObject: Boolean! = false) repeatable on OBJECT | INTERFACE | UNION | ENUM | INPUT_OBJECT | SCALAR
directive @join__unionMember(graph: join__Graph!, member: String!) repeatable on UNION
directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA
scalar join__FieldSet
scalar link__Import
enum link__Purpose { SECURITY EXECUTION }
";
