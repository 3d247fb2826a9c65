//! The subgraphs behind the gateway's port, without HTTP in between.

use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::parser::parse_query;
use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{Name, ObjectType, Request, Schema, SubscriptionType, Value as Const, Variables};
use async_trait::async_trait;
use futures::stream::BoxStream;
use pulse_bench_subgraphs::schemas;
use pulse_gateway::ports::{Subgraph, SubgraphError, SubgraphFault, SubgraphRequest, SubgraphResponse};
use pulse_gateway::value::{Object, Text, Value};
use rustc_hash::FxHashMap;

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
    Arc::new(InProcess { name, schema, parsed: Mutex::default() })
}

/// A subgraph by its schema, as the platform's own are.
struct InProcess<Q, M, S> {
    name: &'static str,
    schema: Schema<Q, M, S>,
    /// Documents by what names them.
    parsed: Mutex<FxHashMap<u64, Arc<ExecutableDocument>>>,
}

/// How many documents are kept parsed.
const PARSED: usize = 1000;

impl<Q, M, S> InProcess<Q, M, S> {
    /// A request whose document was parsed when it was first sent.
    fn request(&self, request: &SubgraphRequest) -> Result<Request, SubgraphFault> {
        let lock = || self.parsed.lock().unwrap_or_else(PoisonError::into_inner);
        let known = lock().get(&request.query_hash).cloned();
        let document = if let Some(document) = known {
            document
        } else {
            let document = parse_query(&*request.query);
            let document = document.map_err(|error| SubgraphFault::Malformed(error.to_string()))?;
            let document = Arc::new(document);
            let mut parsed = lock();
            if parsed.len() >= PARSED {
                parsed.clear();
            }
            parsed.insert(request.query_hash, Arc::clone(&document));
            document
        };
        let mut translated = Request::new(&*request.query);
        translated.set_parsed_query(ExecutableDocument::clone(&document));
        Ok(translated)
    }
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
        let translated = self.request(&request)?;
        let variables = Variables::from_value(to_subgraph(request.variables));
        let response = self.schema.execute(translated.variables(variables)).await;
        let errors = response.errors.into_iter();
        Ok(SubgraphResponse {
            data: from_subgraph(response.data, &mut Keys::default()),
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
            Const::Object(entries.map(|(key, value)| (Name::new(&*key), to_subgraph(value))).collect())
        }
    }
}

/// The keys of one answer, by where their text is, which stays there as long as they are kept: those of one field share
/// it.
type Keys = FxHashMap<usize, (Name, Text)>;

fn from_subgraph(value: Const, keys: &mut Keys) -> Value {
    match value {
        Const::Null | Const::Binary(_) => Value::Null,
        Const::Boolean(value) => Value::Bool(value),
        Const::Number(number) => {
            number.as_i64().map_or_else(|| Value::Number(Text::from(number.to_string())), Value::Int)
        }
        Const::String(text) => Value::String(text.into()),
        Const::Enum(name) => Value::String(name.as_str().into()),
        Const::List(items) => Value::List(items.into_iter().map(|item| from_subgraph(item, keys)).collect()),
        Const::Object(entries) => {
            let mut object = Object::with_capacity(entries.len());
            for (name, value) in entries {
                let address = name.as_ptr().addr();
                let (_, key) = keys.entry(address).or_insert_with(|| (name.clone(), name.as_str().into()));
                let key = key.clone();
                object.push(key, from_subgraph(value, keys));
            }
            Value::Object(object)
        }
    }
}
