//! Requests to `/mcp`.

use std::sync::Arc;

use async_trait::async_trait;
use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::{Method, StatusCode};
use pulse_gateway::{Api, Refused, Surface};
use pulse_rest::Rest;
use pulse_types::Subject;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use serde_json::json;
use tower::ServiceExt;

use crate::handler::{Handler, Session};
use crate::resource::{METADATA, Place};
use crate::schema_tools::SchemaIndex;

/// How large a request may be, in bytes.
const MAX_BODY: usize = 1_000_000;

/// The face of a gateway for models.
pub struct Mcp {
    rest: Arc<Rest>,
    index: SchemaIndex,
    options: McpOptions,
    service: StreamableHttpService<Handler, NeverSessionManager>,
}

/// How it is served.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct McpOptions {
    /// Under which address clients know the gateway; the one that they send requests to, unless given.
    pub url: Option<String>,
    /// Whether nobody is served without a credential; for a gateway that knows any.
    pub needs_credential: bool,
}

impl Mcp {
    /// A face whose tools take and answer what the shapes of `rest` say.
    pub fn new(rest: Arc<Rest>, options: McpOptions) -> Self {
        // Who is called by another name than its own learns nothing: every request needs a credential that no browser sends by
        // itself.
        let config = StreamableHttpServerConfig::default()
            .disable_allowed_hosts()
            .with_legacy_session_mode(false)
            .with_json_response(true)
            .with_max_request_body_bytes(MAX_BODY);
        let service =
            StreamableHttpService::new(|| Ok(Handler), Arc::new(NeverSessionManager::default()), config);
        Self { rest, index: SchemaIndex::default(), options, service }
    }

    async fn tools(&self, api: Api, request: Request) -> Response {
        if request.method() != Method::POST {
            // There are no sessions to follow or to end.
            return (StatusCode::METHOD_NOT_ALLOWED, [(http::header::ALLOW, "POST")]).into_response();
        }
        let (mut parts, body) = request.into_parts();
        let place = Place::of(&parts, self.options.url.as_deref());
        let call = api.begin(&Request::from_parts(parts.clone(), Body::empty()));
        let mut response = match call.published(&parts).await {
            Err(refused) if refused.status == StatusCode::UNAUTHORIZED => {
                place.challenge(Some("invalid_token"), &text(&refused))
            }
            Err(refused) => (refused.status, axum::Json(json!({ "error": text(&refused) }))).into_response(),
            Ok(published)
                if self.options.needs_credential && published.caller.subject == Subject::Anonymous =>
            {
                place.challenge(None, "send an access token, or an API key, as `Authorization: Bearer`")
            }
            Ok(published) => match self.rest.routes(&api) {
                Err(error) => {
                    let error = json!({ "error": error.to_string() });
                    (StatusCode::SERVICE_UNAVAILABLE, axum::Json(error)).into_response()
                }
                Ok(routes) => {
                    let may_look = published.only.is_none() && api.may_introspect(&published.caller);
                    let index = may_look.then(|| self.index.of(&api));
                    let session = Session { api: api.clone(), published: Arc::new(published), routes, index };
                    parts.extensions.insert(session);
                    let request = Request::from_parts(parts, body);
                    match self.service.clone().oneshot(request).await {
                        Ok(response) => response.map(Body::new),
                        Err(never) => match never {},
                    }
                }
            },
        };
        call.end(&mut response);
        response
    }
}

#[async_trait]
impl Surface for Mcp {
    fn serves(&self, path: &str) -> bool {
        path == "/mcp" || path.strip_prefix(METADATA).is_some_and(|rest| rest.is_empty() || rest == "/mcp")
    }

    async fn answer(&self, api: Api, request: Request) -> Response {
        if request.uri().path() == "/mcp" {
            return Box::pin(self.tools(api, request)).await;
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return (StatusCode::METHOD_NOT_ALLOWED, [(http::header::ALLOW, "GET, HEAD")]).into_response();
        }
        let (parts, _) = request.into_parts();
        Place::of(&parts, self.options.url.as_deref()).metadata()
    }
}

fn text(refused: &Refused) -> String {
    refused.errors.first().map_or_else(String::new, |error| error.message.clone())
}
