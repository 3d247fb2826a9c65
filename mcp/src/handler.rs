//! What the protocol asks for, one request at a time.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http::request::Parts;
use pulse_gateway::value::{Text, Value as GatewayValue};
use pulse_gateway::{Answered, Api, PublishedFor, SurfaceOperation};
use pulse_rest::Routes;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, Implementation, ListToolsResult,
    PaginatedRequestParams, ServerCapabilities, ServerConfig,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::{Map, Value};

use crate::schema_tools::{self, Index};
use crate::tools;

/// How many tools one answer lists.
const PAGE: usize = 200;

/// What a request may use; it comes with the head of the request.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) api: Api,
    pub(crate) published: Arc<PublishedFor>,
    pub(crate) routes: Arc<Routes>,
    /// For who may look at the schema.
    pub(crate) index: Option<Arc<Index>>,
}

/// The answers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Handler;

impl ServerHandler for Handler {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("pulse", env!("CARGO_PKG_VERSION")))
            .with_instructions(
                "Each tool is an operation that somebody published, done with the caller's own rights. A result that is an error \
                 says what would be right.",
            )
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let (_, session) = of(&context)?;
        let cursor = request.and_then(|request| request.cursor);
        let start = match cursor.as_deref().map(str::parse::<usize>) {
            None => 0,
            Some(Ok(start)) => start,
            Some(Err(_)) => {
                return Err(ErrorData::invalid_params("the cursor is none of this server's", None));
            }
        };
        let mut all = tools::of(&session.published, &session.routes);
        if session.index.is_some() {
            all.extend(schema_tools::tools());
        }
        let count = all.len();
        let tools = all.into_iter().skip(start).take(PAGE).collect();
        let next = (start + PAGE < count).then(|| (start + PAGE).to_string());
        let mut listed = ListToolsResult::with_all_items(tools);
        listed.next_cursor = next;
        Ok(listed)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let (parts, session) = of(&context)?;
        let arguments = request.arguments.unwrap_or_default();
        let result = match (request.name.as_ref(), &session.index) {
            (schema_tools::SEARCH, Some(index)) => schema_tools::search(index, &arguments),
            (schema_tools::DESCRIBE, Some(_)) => {
                let (document, variables) =
                    schema_tools::describe(&arguments).map_err(|why| ErrorData::invalid_params(why, None))?;
                run(session, parts, document.into(), variables).await
            }
            (name, _) => {
                let operation = tools::find(&session.published, name)
                    .ok_or_else(|| ErrorData::invalid_params(format!("there is no tool {name:?}"), None))?;
                run(session, parts, Text::from(Arc::clone(&operation.document)), arguments).await
            }
        };
        Ok(result.into())
    }
}

fn of(context: &RequestContext<RoleServer>) -> Result<(&Parts, &Session), ErrorData> {
    let parts = context.extensions.get::<Parts>();
    let session = parts.and_then(|parts| Some((parts, parts.extensions.get::<Session>()?)));
    session.ok_or_else(|| ErrorData::internal_error("the request came without its head", None))
}

/// Does an operation as whoever sent the request.
async fn run(
    session: &Session,
    parts: &Parts,
    document: Text,
    variables: Map<String, Value>,
) -> CallToolResult {
    let variables = match GatewayValue::parse(Value::Object(variables).to_string().as_bytes()) {
        Ok(variables) => variables,
        Err(error) => return refusal(&error.to_string()),
    };
    let mut call = session.api.begin(&Request::from_parts(parts.clone(), Body::empty()));
    let outcome = call.execute(parts, SurfaceOperation { document, variables }).await;
    let mut response = Response::new(Body::empty());
    if let Err(refused) = &outcome {
        *response.status_mut() = refused.status;
    }
    call.end(&mut response);
    match outcome {
        Ok(Answered { data: Some(data), errors, .. }) if errors.is_empty() => {
            match serde_json::from_slice(&data) {
                Ok(value) => CallToolResult::structured(value),
                Err(error) => refusal(&error.to_string()),
            }
        }
        Ok(Answered { errors, .. }) => {
            let said = errors.iter().map(|error| {
                let code = error["extensions"]["code"].as_str().unwrap_or("INTERNAL");
                format!("{code}: {}", error["message"].as_str().unwrap_or_default())
            });
            refusal(&said.collect::<Vec<_>>().join("\n"))
        }
        Err(refused) => {
            let said: Vec<&str> = refused.errors.iter().map(|error| error.message.as_str()).collect();
            refusal(&said.join("\n"))
        }
    }
}

/// A result that says what went wrong.
pub(crate) fn refusal(text: &str) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(text)])
}
