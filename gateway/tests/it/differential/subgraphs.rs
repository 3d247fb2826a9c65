//! The four subgraphs of the bench, called in this process.

use std::sync::Arc;

use async_graphql::{EmptyMutation, EmptySubscription, ObjectType, Request, Schema, Variables};
use async_trait::async_trait;
use futures::stream::BoxStream;
use pulse_bench_subgraphs::schemas::{accounts, inventory, products, reviews};
use pulse_gateway::ports::{Subgraph, SubgraphError, SubgraphFault, SubgraphRequest, SubgraphResponse};
use pulse_gateway::value::Value;

struct Local<Q> {
    name: &'static str,
    schema: Schema<Q, EmptyMutation, EmptySubscription>,
}

/// All four.
pub(super) fn all() -> Vec<Arc<dyn Subgraph>> {
    vec![
        Arc::new(Local { name: "accounts", schema: accounts::schema() }),
        Arc::new(Local { name: "inventory", schema: inventory::schema() }),
        Arc::new(Local { name: "products", schema: products::schema() }),
        Arc::new(Local { name: "reviews", schema: reviews::schema() }),
    ]
}

#[async_trait]
impl<Q: ObjectType + 'static> Subgraph for Local<Q> {
    fn name(&self) -> &str {
        self.name
    }

    async fn sdl(&self) -> Result<String, SubgraphFault> {
        Err(SubgraphFault::Malformed("nobody asks".into()))
    }

    async fn execute(&self, request: SubgraphRequest) -> Result<SubgraphResponse, SubgraphFault> {
        let variables = serde_json::to_value(&request.variables).unwrap();
        let call = Request::new(request.query.to_string()).variables(Variables::from_json(variables));
        let response = self.schema.execute(call).await;
        let errors = response.errors.into_iter();
        let errors = errors.map(|error| SubgraphError { message: error.message, ..SubgraphError::default() });
        Ok(SubgraphResponse {
            data: Value::from(&serde_json::to_value(&response.data).unwrap()),
            errors: errors.collect(),
            ..SubgraphResponse::default()
        })
    }

    async fn subscribe(
        &self,
        _: SubgraphRequest,
    ) -> Result<BoxStream<'static, Result<SubgraphResponse, SubgraphFault>>, SubgraphFault> {
        Err(SubgraphFault::Malformed("there are no subscriptions".into()))
    }
}
