//! `@live`: the directive by which a client asks for a query's answer again whenever something that it read has changed.

use std::sync::Arc;
use std::time::Duration;

use graphql_tools::parser::parse_schema;
use graphql_tools::parser::query::{Definition, OperationDefinition};
use graphql_tools::static_graphql::{query, schema as sdl};
use hive_router_query_planner::consumer_schema::ConsumerSchema;
use hive_router_query_planner::planner::Planner;

use super::{ErrorCode, RequestError};
use crate::value::{Object, Value};

const NAME: &str = "live";

const DEFINITION: &str = r#"
"""
Answers the query at once, and again whenever something that it read has changed, until the client ends it. Needs a
transport that carries more than one answer: WebSocket, server-sent events or multipart. An answer that is the same as
the one before is not sent.
"""
directive @live(
  "The least time between two answers, in milliseconds. What changes meanwhile comes together in the next one."
  throttle: Int
  "Whether answers behind the first are told as what differs from the one before: `extensions.patch` is a JSON Patch (RFC 6902) of the whole answer then. An answer without it is whole."
  delta: Boolean = false
) on QUERY
"#;

/// What an operation says of how it is live.
#[derive(Debug, Clone, Default)]
pub(super) struct LiveDirective {
    throttle: Option<query::Value>,
    delta: Option<query::Value>,
}

/// How a client wants a query's answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct LiveOptions {
    /// The least time between two of them.
    pub throttle: Option<Duration>,
    /// Whether only what differs is told.
    pub delta: bool,
}

/// Adds the directive to what clients may use. An API that has one of that name keeps its own, and there are no live
/// queries. Whether there are.
pub(super) fn define(planner: &mut Planner) -> bool {
    let known = &planner.consumer_schema.document;
    let is_taken = known.definitions.iter().any(
        |definition| matches!(definition, sdl::Definition::DirectiveDefinition(known) if known.name == NAME),
    );
    if is_taken {
        tracing::warn!("the API has a directive @live of its own: there are no live queries");
        return false;
    }
    let own = parse_schema::<String>(DEFINITION).expect("the definition is valid").into_static();
    let mut document = sdl::Document::clone(known);
    document.definitions.extend(own.definitions);
    planner.consumer_schema = Arc::new(ConsumerSchema::from(Arc::new(document)));
    true
}

/// Takes the directive out of a document, whose subgraphs know nothing of it. What it said at the operation in `chosen`.
pub(super) fn take(document: &mut query::Document, chosen: usize) -> Option<LiveDirective> {
    let mut found = None;
    for (index, definition) in document.definitions.iter_mut().enumerate() {
        let Definition::Operation(OperationDefinition::Query(operation)) = definition else { continue };
        let Some(at) = operation.directives.iter().position(|directive| directive.name == NAME) else {
            continue;
        };
        let directive = operation.directives.remove(at);
        if index == chosen {
            let argument = |wanted: &str| {
                let found = directive.arguments.iter().find(|(name, _)| name == wanted);
                found.map(|(_, value)| value.clone())
            };
            found = Some(LiveDirective { throttle: argument("throttle"), delta: argument("delta") });
        }
    }
    found
}

impl LiveDirective {
    /// The options with these variables.
    pub(super) fn options(&self, variables: &Object) -> Result<LiveOptions, RequestError> {
        let value = |argument: &Option<query::Value>| match argument {
            Some(query::Value::Variable(name)) => variables.get(name).cloned().unwrap_or_default(),
            Some(literal) => super::schema::literal(literal),
            None => Value::Null,
        };
        let throttle = match value(&self.throttle) {
            Value::Int(milliseconds) => Some(u64::try_from(milliseconds).map_err(|_| {
                let text = format!("`throttle` is a time in milliseconds: it cannot be {milliseconds}");
                RequestError::new(ErrorCode::BadUserInput, text)
            })?),
            _ => None,
        };
        let delta = value(&self.delta).as_bool() == Some(true);
        Ok(LiveOptions { throttle: throttle.map(Duration::from_millis), delta })
    }
}
