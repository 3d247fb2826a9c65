//! Published operations, as operations of OpenAPI and as schemas of what they take and answer.

use pulse_manifests::{ClientOperations, OperationKind, PublishedOperation};
use serde_json::{Map, Value, json};

use super::schemas::Schemas;
use crate::published::{self, Shape};
use crate::routes::Routes;

/// The statuses of problems that a request for a published operation may come to.
const PROBLEMS: [&str; 12] =
    ["400", "401", "403", "404", "405", "409", "413", "415", "429", "500", "503", "504"];

impl Routes {
    /// A JSON Schema of an operation's variables, as one object.
    pub fn variables_schema(&self, shape: &Shape) -> Value {
        let mut schemas = Schemas::standalone(&self.schema);
        let schema = schemas.input(&shape.variables);
        schemas.with_definitions(schema)
    }

    /// A JSON Schema of an operation's data.
    pub fn data_schema(&self, shape: &Shape) -> Value {
        let mut schemas = Schemas::standalone(&self.schema);
        let schema = shape.output(&mut schemas);
        schemas.with_definitions(schema)
    }

    /// The paths of what a client published. What no longer fits the schema is left out.
    pub(super) fn published_paths(
        &self,
        client: &ClientOperations,
        schemas: &mut Schemas<'_>,
    ) -> Map<String, Value> {
        let mut paths = Map::new();
        for operation in client.newest() {
            if let Ok(shape) = self.shape(operation) {
                let item = item((client, operation), &shape, schemas);
                paths.insert(published::path(client, operation), item);
            }
        }
        paths
    }
}

fn item(
    (client, operation): (&ClientOperations, &PublishedOperation),
    shape: &Shape,
    schemas: &mut Schemas<'_>,
) -> Value {
    let answer = if operation.kind == OperationKind::Subscription {
        let schema = json!({ "type": "string", "description": "Server-sent events, each of whose data is a JSON object." });
        json!({ "text/event-stream": { "schema": schema } })
    } else {
        json!({ "application/json": { "schema": shape.output(schemas) } })
    };
    let mut responses = Map::new();
    responses.insert("200".to_owned(), json!({ "description": "The operation's data.", "content": answer }));
    for status in PROBLEMS {
        let reference = format!("#/components/responses/{status}");
        responses.insert(status.to_owned(), json!({ "$ref": reference }));
    }
    let described = |verb: &str| {
        json!({
            "operationId": format!("{verb}{}Of{}", operation.name, letters(client.name())),
            "tags": [format!("ops/{}", client.name())],
            "summary": &*operation.name,
            "description": operation.tool.as_deref().map_or_else(
                || format!("The {} {} that {} published.", operation.kind.as_str(), operation.name, client.name()),
                ToOwned::to_owned,
            ),
            "responses": responses,
        })
    };
    let mut item = Map::new();
    if operation.kind != OperationKind::Mutation {
        let mut get = described("get");
        let parameters: Vec<Value> =
            shape.parameters.iter().map(|parameter| schemas.parameter(parameter)).collect();
        if !parameters.is_empty() {
            get["parameters"] = parameters.into();
        }
        if operation.kind == OperationKind::Query {
            get["responses"]["304"] = json!({ "description": "The client has this answer already." });
        }
        item.insert("get".to_owned(), get);
    }
    if operation.kind != OperationKind::Subscription {
        let mut post = described("post");
        if !shape.variables.is_empty() {
            let is_required = shape.variables.iter().any(crate::schema::Field::is_required);
            let content = json!({ "application/json": { "schema": schemas.input(&shape.variables) } });
            post["requestBody"] = json!({ "required": is_required, "content": content });
        }
        item.insert("post".to_owned(), post);
    }
    item.into()
}

/// A client's name as part of another one.
fn letters(name: &str) -> String {
    name.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect()
}
