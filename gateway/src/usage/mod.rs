//! What clients use of the schema, told to a schema registry: coordinates and counts, never documents or values.
//!
//! A request is never held up by it: a share of the operations is put into a queue that drops what does not fit, and everything
//! else happens in the background.

mod counted;
mod report;

use std::sync::Arc;

use http::HeaderMap;
use metrics::counter;
use pulse_types::Clock;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::config::UsageConfig;
use crate::engine::{Operation, OperationKind};
use crate::gateway::State;
use crate::pipeline::{Client, GraphqlRequest};
use crate::supergraph::Supergraph;
use crate::value::{Text, Value};
use report::Reporter;

/// What clients call themselves, by the headers of Apollo's clients and those of others.
const CLIENT_NAME: [&str; 2] = ["apollographql-client-name", "graphql-client-name"];
const CLIENT_VERSION: [&str; 2] = ["apollographql-client-version", "graphql-client-version"];

/// Longer names and versions are cut.
const LONGEST_NAME: usize = 200;
const LONGEST_VERSION: usize = 100;

/// Variables with more values than this are not looked into: whatever their types allow counts as used.
const MOST_VALUES: usize = 500;

/// Why no usage can be told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUsage {
    /// No address.
    #[error("gateway.usage.registry {0:?} is no address; write it like https://pulse.example.com/graphql")]
    Registry(String),
    /// No share.
    #[error("gateway.usage.sampling is a share from 0 to 1")]
    Sampling,
}

/// Looks at a share of the operations.
pub(crate) struct Usage {
    sampling: f64,
    queue: mpsc::Sender<Seen>,
}

/// An operation that was looked at.
#[derive(Debug)]
pub(super) struct Seen {
    document: Text,
    name: Option<String>,
    kind: OperationKind,
    /// None where there are too many.
    variables: Option<Value>,
    client_name: String,
    client_version: String,
    has_errors: bool,
}

/// An operation that is looked at, until it is known how it went.
pub(crate) struct Noticed {
    seen: Seen,
    queue: mpsc::Sender<Seen>,
}

/// Notices an operation, if anybody is told of it. What is tried with a variant is no use of what is published.
pub(crate) fn notice(
    state: &State,
    supergraph: &Arc<Supergraph>,
    (operation, document, request): (&Operation, &Text, &GraphqlRequest),
    client: &Client,
) -> Option<Noticed> {
    let usage = state.usage.as_ref().filter(|_| Arc::ptr_eq(supergraph, &state.supergraph))?;
    usage.notice(operation, (document, request.variables.as_ref()), &client.headers)
}

/// Says how a noticed operation went.
pub(crate) fn answered(noticed: Option<Noticed>, has_errors: bool) {
    if let Some(noticed) = noticed {
        noticed.answered(has_errors);
    }
}

impl Usage {
    /// Begins to tell the registry that is configured, if one is. It goes on until `background` is dropped.
    pub(crate) fn start(
        config: &UsageConfig,
        supergraph: &Arc<Supergraph>,
        clock: &Clock,
        background: &mut JoinSet<()>,
    ) -> Result<Option<Arc<Self>>, InvalidUsage> {
        if config.registry.is_empty() || config.sampling == 0.0 {
            return Ok(None);
        }
        if !(0.0..=1.0).contains(&config.sampling) {
            return Err(InvalidUsage::Sampling);
        }
        let (queue, seen) = mpsc::channel(config.queue.max(1));
        let reporter = Reporter::try_new(config, Arc::clone(supergraph), clock.clone())?;
        background.spawn(reporter.run(seen));
        Ok(Some(Arc::new(Self { sampling: config.sampling, queue })))
    }

    /// Notices an operation, if it is of the share that is looked at and there is room.
    fn notice(
        &self,
        operation: &Operation,
        (document, variables): (&Text, Option<&Value>),
        headers: &HeaderMap,
    ) -> Option<Noticed> {
        if rand::random::<f64>() >= self.sampling {
            return None;
        }
        if self.queue.capacity() == 0 {
            counter!("pulse_gateway_usage_dropped_total").increment(1);
            return None;
        }
        let variables = match variables {
            None => Some(Value::Null),
            Some(given) => is_small(given, &mut MOST_VALUES.clone()).then(|| given.clone()),
        };
        let seen = Seen {
            document: document.clone(),
            name: operation.name().map(str::to_owned),
            kind: operation.kind(),
            variables,
            client_name: client(headers, CLIENT_NAME, LONGEST_NAME),
            client_version: client(headers, CLIENT_VERSION, LONGEST_VERSION),
            has_errors: false,
        };
        Some(Noticed { seen, queue: self.queue.clone() })
    }
}

impl Noticed {
    /// Says how it went.
    fn answered(mut self, has_errors: bool) {
        self.seen.has_errors = has_errors;
        if self.queue.try_send(self.seen).is_err() {
            counter!("pulse_gateway_usage_dropped_total").increment(1);
        }
    }
}

fn client(headers: &HeaderMap, names: [&str; 2], longest: usize) -> String {
    let given = names.iter().find_map(|name| headers.get(*name)?.to_str().ok());
    given.unwrap_or_default().trim().chars().take(longest).collect()
}

/// Whether a value has no more than `left` values in it, which are counted down.
fn is_small(value: &Value, left: &mut usize) -> bool {
    if *left == 0 {
        return false;
    }
    *left -= 1;
    match value {
        Value::List(values) => values.iter().all(|value| is_small(value, left)),
        Value::Object(object) => object.iter().all(|(_, value)| is_small(value, left)),
        _ => true,
    }
}
