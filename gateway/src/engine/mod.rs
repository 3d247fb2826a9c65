//! The execution engine: everything between a document's text and a response's bytes. One [`Engine`] serves one version
//! of the supergraph.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::stream::BoxStream;
use pulse_types::Caller;

use crate::ports::{Subgraph, SupergraphSdl};
use crate::value::Value;

mod error;

pub use error::{ErrorCode, LoadError, Location, RequestError};

/// What bounds the engine's work.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// How many planned operations are kept.
    pub plan_cache_size: u64,
    /// How long planning one operation may take.
    pub planning_timeout: Duration,
    /// How deeply fields may be nested, fragments followed.
    pub max_depth: usize,
    /// How many aliases an operation may use, fragments followed.
    pub max_aliases: usize,
    /// How many root fields an operation may select, fragments followed.
    pub max_root_fields: usize,
    /// How many directives an operation may use, fragments followed.
    pub max_directives: usize,
    /// How many tokens a document may have.
    pub max_tokens: usize,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            plan_cache_size: 4096,
            planning_timeout: Duration::from_secs(2),
            max_depth: 20,
            max_aliases: 100,
            max_root_fields: 30,
            max_directives: 100,
            max_tokens: 10_000,
        }
    }
}

/// Plans and executes operations over one version of the supergraph.
pub struct Engine {}

/// A planned operation; shared by all requests that send the same text and name.
#[derive(Debug)]
pub struct Operation {}

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OperationKind {
    /// Reads.
    Query,
    /// Changes; its root fields run one after the other.
    Mutation,
    /// Streams events.
    Subscription,
}

impl OperationKind {
    /// The keyword of the GraphQL language.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Mutation => "mutation",
            Self::Subscription => "subscription",
        }
    }
}

/// What one execution needs beside the operation and its variables.
#[derive(Debug, Clone)]
pub struct ExecutionContext {
    /// Who asks.
    pub caller: Arc<Caller>,
    /// When the answer is no longer of use.
    pub deadline: Instant,
    /// Whether the response's `extensions` carry the plan and the fetches.
    pub include_plan: bool,
}

/// An executed operation.
#[derive(Debug, Clone)]
pub struct ExecutionResult {
    /// The whole response: `{"data":…,"errors":…,"extensions":…}`.
    pub body: Bytes,
    /// How many errors it has.
    pub errors: usize,
    /// Whether `data` is `null`.
    pub data_is_null: bool,
    /// Whether the request itself was at fault (its variables): there is no `data`, and HTTP answers 400.
    pub request_error: bool,
    /// What was asked of subgraphs, in the order in which the answers came.
    pub fetches: Vec<FetchReport>,
}

/// One request to a subgraph.
#[derive(Debug, Clone)]
pub struct FetchReport {
    /// The subgraph's name.
    pub subgraph: Arc<str>,
    /// How long its answer took.
    pub duration: Duration,
    /// How many entities were asked for; zero for a root fetch.
    pub entities: usize,
    /// How many errors it answered with; a fault counts as one.
    pub errors: usize,
}

impl Engine {
    /// Reads a supergraph and builds the planner over it. Every subgraph that the supergraph names must be served.
    pub fn load(
        _supergraph: &SupergraphSdl,
        _subgraphs: Vec<Arc<dyn Subgraph>>,
        _config: &EngineConfig,
    ) -> Result<Self, LoadError> {
        unimplemented!()
    }

    /// Parses, checks and plans an operation, or finds it planned already.
    pub async fn prepare(
        &self,
        _document: &str,
        _operation_name: Option<&str>,
    ) -> Result<Arc<Operation>, Vec<RequestError>> {
        unimplemented!()
    }

    /// Runs a query or a mutation. `variables` is an object, `null` or absent.
    pub async fn execute(
        &self,
        _operation: &Operation,
        _variables: Option<Value>,
        _context: ExecutionContext,
    ) -> ExecutionResult {
        unimplemented!()
    }

    /// Runs a subscription: one result per event. The error is a whole response, as from `execute`.
    pub async fn subscribe(
        &self,
        _operation: Arc<Operation>,
        _variables: Option<Value>,
        _context: ExecutionContext,
    ) -> Result<BoxStream<'static, ExecutionResult>, ExecutionResult> {
        unimplemented!()
    }
}

impl Operation {
    /// What it does.
    pub const fn kind(&self) -> OperationKind {
        unimplemented!()
    }

    /// Its name, when it has one.
    pub fn name(&self) -> Option<&str> {
        unimplemented!()
    }

    /// The plan, for people to read.
    pub fn plan_json(&self) -> serde_json::Value {
        unimplemented!()
    }
}
