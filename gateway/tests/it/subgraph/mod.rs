//! Subgraphs for tests: SDL and a JSON document of data, served as a GraphQL server would serve them. A request is
//! validated against the SDL, arguments are coerced, values are completed by their types, and an entity is found only
//! by a whole key, so that a request that is wrong anywhere gets an error and no lucky answer.
//!
//! What `$`-names in the data mean is said in `markers.rs`.

mod entities;
mod execute;
mod markers;
mod schema;
mod server;

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::BoxStream;
use pulse_gateway::ports::{Subgraph, SubgraphFault, SubgraphRequest, SubgraphResponse};
use pulse_gateway::value::Value;

use schema::SubgraphSchema;

pub(crate) use server::serve;

/// What the subgraphs of one test share.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    /// Who was asked what, in order.
    requests: Mutex<Vec<(String, String)>>,
    steps: AtomicI64,
}

impl Journal {
    /// Who was asked what so far; begins anew.
    pub(crate) fn take(&self) -> Vec<(String, String)> {
        self.steps.store(0, Ordering::SeqCst);
        std::mem::take(&mut self.requests.lock().unwrap())
    }

    fn step(&self) -> i64 {
        self.steps.fetch_add(1, Ordering::SeqCst) + 1
    }
}

/// A subgraph.
pub(crate) struct TestSubgraph {
    name: String,
    schema: SubgraphSchema,
    data: Value,
    journal: Arc<Journal>,
}

impl TestSubgraph {
    pub(crate) fn new(name: &str, sdl: &str, data: Value, journal: &Arc<Journal>) -> Self {
        let schema = SubgraphSchema::parse(sdl);
        Self { name: name.to_owned(), schema, data, journal: Arc::clone(journal) }
    }

    /// Answers an operation; fails where the data says that there is to be no answer.
    pub(crate) fn answer(&self, query: &str, variables: &Value) -> Result<SubgraphResponse, SubgraphFault> {
        if self.is_unreachable() {
            let error = std::io::Error::other("nobody listens");
            return Err(SubgraphFault::Unreachable(Arc::new(error)));
        }
        let request = format!("{query} {variables}");
        self.journal.requests.lock().unwrap().push((self.name.clone(), request));
        match self.data.get("$fault") {
            None => Ok(execute::execute(self, query, variables)),
            Some(_) => Err(SubgraphFault::Malformed("it is not well".into())),
        }
    }

    fn is_unreachable(&self) -> bool {
        self.data.get("$fault").and_then(Value::as_str) == Some("unreachable")
    }
}

#[async_trait]
impl Subgraph for TestSubgraph {
    fn name(&self) -> &str {
        &self.name
    }

    async fn sdl(&self) -> Result<String, SubgraphFault> {
        Err(SubgraphFault::Malformed("a test's subgraph tells no SDL".into()))
    }

    async fn execute(&self, request: SubgraphRequest) -> Result<SubgraphResponse, SubgraphFault> {
        self.answer(&request.query, &request.variables)
    }

    async fn subscribe(
        &self,
        request: SubgraphRequest,
    ) -> Result<BoxStream<'static, Result<SubgraphResponse, SubgraphFault>>, SubgraphFault> {
        let answer = self.answer(&request.query, &request.variables);
        Ok(futures::stream::iter([answer]).boxed())
    }
}
