//! The subgraphs behind the gateway's port, without HTTP in between.

use std::sync::Arc;

use async_graphql::{ObjectType, Request, Schema, SubscriptionType, Value as Const, Variables};
use async_trait::async_trait;
use futures::stream::BoxStream;
use pulse_bench_subgraphs::schemas;
use pulse_gateway::ports::{Subgraph, SubgraphError, SubgraphFault, SubgraphRequest, SubgraphResponse};
use pulse_gateway::value::{Object, Text, Value};

/// All four.
pub(crate) fn subgraphs() -> Vec<Arc<dyn Subgraph>> {
    vec![
        port("accounts", schemas::accounts::schema()),
        port("inventory", schemas::inventory::schema()),
        port("products", schemas::products::schema()),
        port("reviews", schemas::reviews::schema()),
    ]
}

fn port<Q, M, S>(name: &'static str, schema: Schema<Q, M, S>) -> Arc<dyn Subgraph>
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    Arc::new(InProcess { name, schema })
}

struct InProcess<Q, M, S> {
    name: &'static str,
    schema: Schema<Q, M, S>,
}

#[async_trait]
impl<Q, M, S> Subgraph for InProcess<Q, M, S>
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    fn name(&self) -> &str {
        self.name
    }

    async fn sdl(&self) -> Result<String, SubgraphFault> {
        Ok(self.schema.sdl())
    }

    async fn execute(&self, request: SubgraphRequest) -> Result<SubgraphResponse, SubgraphFault> {
        let variables = Variables::from_value(to_subgraph(request.variables));
        let response = self.schema.execute(Request::new(&*request.query).variables(variables)).await;
        let errors = response.errors.into_iter();
        Ok(SubgraphResponse {
            data: from_subgraph(response.data),
            errors: errors
                .map(|error| SubgraphError { message: error.message, ..Default::default() })
                .collect(),
            ..SubgraphResponse::default()
        })
    }

    async fn subscribe(
        &self,
        _: SubgraphRequest,
    ) -> Result<BoxStream<'static, Result<SubgraphResponse, SubgraphFault>>, SubgraphFault> {
        Err(SubgraphFault::Malformed("it does not stream".into()))
    }
}

fn to_subgraph(value: Value) -> Const {
    match value {
        Value::Null => Const::Null,
        Value::Bool(value) => Const::Boolean(value),
        Value::Int(value) => Const::Number(value.into()),
        Value::Number(text) => text.parse().map_or(Const::Null, Const::Number),
        Value::String(text) => Const::String(text.as_str().to_owned()),
        Value::List(items) => Const::List(items.into_iter().map(to_subgraph).collect()),
        Value::Object(entries) => {
            let entries = entries.into_iter();
            Const::Object(
                entries.map(|(key, value)| (async_graphql::Name::new(&*key), to_subgraph(value))).collect(),
            )
        }
    }
}

fn from_subgraph(value: Const) -> Value {
    match value {
        Const::Null | Const::Binary(_) => Value::Null,
        Const::Boolean(value) => Value::Bool(value),
        Const::Number(number) => {
            number.as_i64().map_or_else(|| Value::Number(Text::from(number.to_string())), Value::Int)
        }
        Const::String(text) => Value::String(text.into()),
        Const::Enum(name) => Value::String(name.as_str().into()),
        Const::List(items) => Value::List(items.into_iter().map(from_subgraph).collect()),
        Const::Object(entries) => {
            let entries = entries.into_iter();
            Value::Object(
                entries
                    .map(|(key, value)| (Text::from(key.as_str()), from_subgraph(value)))
                    .collect::<Object>(),
            )
        }
    }
}
