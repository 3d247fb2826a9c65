//! Runs a plan: fetches as its nodes say, merges the answers into one tree, and keeps the errors.

mod errors;
mod fetch;
pub(super) mod graph;
mod masking;
mod places;
mod representations;
mod reuse;
mod rewrite;
#[cfg(test)]
mod tests;

use std::sync::{Mutex, MutexGuard};

use futures::FutureExt;
use futures::future::{BoxFuture, join_all};

pub(super) use errors::{FieldError, Segment};
pub use masking::Masking;

use graph::Graph;

use super::plan::Node;
use super::schema::TypeConditions;
use super::{ExecutionContext, FetchReport};
use crate::changes::Reads;
use crate::ports::SubgraphResponse;
use crate::response_cache::Reuse;
use crate::value::{Object, Value};

/// What all fetches of one execution share.
pub(super) struct Run<'a> {
    pub(super) variables: &'a Object,
    pub(super) context: &'a ExecutionContext,
    pub(super) conditions: &'a TypeConditions,
    /// Whether clients are told which subgraph an error is from.
    pub(super) names_subgraphs: bool,
    /// Which texts of subgraphs' errors clients see.
    pub(super) masking: &'a Masking,
    /// What is kept of subgraphs' answers, where anything is.
    pub(super) reuse: Option<&'a Reuse>,
    /// Locked for moments only, never while a subgraph is waited for.
    pub(super) state: Mutex<State>,
}

/// What has been gathered so far.
#[derive(Debug)]
pub(super) struct State {
    pub(super) data: Graph,
    pub(super) errors: Vec<FieldError>,
    pub(super) fetches: Vec<FetchReport>,
    /// What the answers were made of, when that was asked for.
    pub(super) reads: Option<Reads>,
}

impl State {
    /// What there is before the first fetch.
    pub(super) fn new(data: Object, tag_limit: Option<usize>) -> Self {
        let reads = tag_limit.map(Reads::new);
        Self { data: Graph::new(data), errors: Vec::new(), fetches: Vec::new(), reads }
    }
}

impl Run<'_> {
    /// Runs a node and everything in it.
    pub(super) fn node<'s>(&'s self, node: &'s Node) -> BoxFuture<'s, ()> {
        match node {
            Node::Sequence(nodes) => async move {
                for node in nodes {
                    self.node(node).await;
                }
            }
            .boxed(),
            Node::Parallel(nodes) => join_all(nodes.iter().map(|node| self.node(node))).map(|_| ()).boxed(),
            Node::Condition { variable, then, otherwise } => {
                let chosen = if self.flag(variable) { then } else { otherwise };
                chosen.as_deref().map_or_else(|| futures::future::ready(()).boxed(), |node| self.node(node))
            }
            Node::Fetch(fetch) => self.fetch(fetch).boxed(),
            Node::Entities(fetch) => self.entities(fetch).boxed(),
            // Its event is in the data already.
            Node::Subscription(_) => futures::future::ready(()).boxed(),
        }
    }

    /// Puts an event of a subscription where a fetch would put its answer.
    pub(super) fn event(&self, fetch: &super::plan::Fetch, response: SubgraphResponse) {
        self.merge_root(fetch, response, &[Graph::ROOT]);
    }

    fn flag(&self, variable: &str) -> bool {
        self.variables.get(variable).and_then(Value::as_bool).unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics while it holds the state")
    }
}
