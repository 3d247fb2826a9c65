//! Published operations as tools.

use std::sync::Arc;

use pulse_gateway::PublishedFor;
use pulse_manifests::{ClientOperations, OperationKind, PublishedOperation};
use pulse_rest::Routes;
use rmcp::model::{Tool, ToolAnnotations};
use serde_json::{Map, Value};

/// The tools that somebody may call, in the order of their names. What no longer fits the schema is left out.
pub(crate) fn of(published: &PublishedFor, routes: &Routes) -> Vec<Tool> {
    let mut tools = Vec::new();
    for client in published.clients() {
        for operation in client.newest() {
            if let Some((what_for, shape)) = what_for(operation).zip(routes.shape(operation).ok()) {
                let mut tool = Tool::new(
                    name(client, operation),
                    what_for.to_owned(),
                    Arc::new(object(routes.variables_schema(&shape))),
                );
                let reads = operation.kind == OperationKind::Query;
                tool.annotations =
                    Some(ToolAnnotations::new().read_only(reads).destructive(!reads).open_world(false));
                tool.title = Some(operation.name.to_string());
                tool.output_schema = Some(Arc::new(object(routes.data_schema(&shape))));
                tools.push(tool);
            }
        }
    }
    tools
}

/// The operation of a tool that somebody may call.
pub(crate) fn find(published: &PublishedFor, tool: &str) -> Option<Arc<PublishedOperation>> {
    published.clients().into_iter().find_map(|client| {
        let operation = tool.strip_prefix(client.name())?.strip_prefix('_')?;
        client.by_name(operation).filter(|operation| what_for(operation).is_some()).map(Arc::clone)
    })
}

fn name(client: &ClientOperations, operation: &PublishedOperation) -> String {
    format!("{}_{}", client.name(), operation.name)
}

/// What a tool is good for. Events that go on are none.
fn what_for(operation: &PublishedOperation) -> Option<&str> {
    operation.tool.as_deref().filter(|_| operation.kind != OperationKind::Subscription)
}

pub(crate) fn object(schema: Value) -> Map<String, Value> {
    match schema {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}
