//! What is asked of the gateway on behalf of who follows a supergraph.

use axum::Router;
use axum::body::{Body, BodyDataStream};
use axum::http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use axum::http::{Extensions, Request, StatusCode};
use axum::response::Response;
use futures::StreamExt;
use http_body_util::{BodyExt, Limited};
use serde_json::{Value, json};
use tower::ServiceExt;

const HASH: &str = "query RegistryHash($environment: String!, $variant: String!) {
    schemaVariant(environment: $environment, name: $variant) { current { supergraphHash } } }";

const SUPERGRAPH: &str = "query RegistrySupergraph($environment: String!, $variant: String!) {
    schemaVariant(environment: $environment, name: $variant) { current { supergraph supergraphHash signature } } }";

const CHANGES: &str = "subscription RegistryChanges($environment: String!, $variant: String!) {
    schemaVariantChanged(filter: { environment: $environment, variant: $variant }) { cursor } }";

/// A supergraph as JSON, and what is around it.
const ANSWER_LIMIT: usize = 64 * 1024 * 1024;

/// The gateway, as this client, for one variant.
pub(super) struct Api {
    router: Router,
    headers: HeaderMap,
    extensions: Extensions,
    variables: Value,
}

/// What a variant serves.
pub(super) struct Supergraph {
    pub(super) sdl: String,
    pub(super) hash: String,
    pub(super) signature: String,
}

/// Why there is no answer.
type Refused = (StatusCode, String);

impl Api {
    pub(super) fn new(
        router: Router,
        headers: HeaderMap,
        extensions: Extensions,
        (environment, variant): (String, String),
    ) -> Self {
        let variables = json!({ "environment": environment, "variant": variant });
        Self { router, headers, extensions, variables }
    }

    /// The hash of what is served now.
    pub(super) async fn hash(&self) -> Result<String, Refused> {
        let mut current = self.current(HASH).await?;
        text(&mut current["supergraphHash"])
    }

    /// What is served now.
    pub(super) async fn supergraph(&self) -> Result<Supergraph, Refused> {
        let mut current = self.current(SUPERGRAPH).await?;
        let mut part = |name: &str| text(&mut current[name]);
        Ok(Supergraph {
            sdl: part("supergraph")?,
            hash: part("supergraphHash")?,
            signature: part("signature")?,
        })
    }

    /// Changes of what is served, from now on.
    pub(super) async fn changes(&self) -> Result<Changes, Refused> {
        let response = self.post("text/event-stream", CHANGES).await?;
        let content_type = response.headers().get(CONTENT_TYPE).and_then(|name| name.to_str().ok());
        if content_type.is_some_and(|name| name.starts_with("text/event-stream")) {
            return Ok(Changes(response.into_body().into_data_stream()));
        }
        Err(refused(&read(response).await?["errors"][0]))
    }

    async fn current(&self, document: &str) -> Result<Value, Refused> {
        let response = self.post("application/graphql-response+json", document).await?;
        let mut answer = read(response).await?;
        if let Some(error) = answer["errors"].get(0) {
            return Err(refused(error));
        }
        let current = answer["data"]["schemaVariant"]["current"].take();
        if current.is_null() {
            return Err((StatusCode::NOT_FOUND, "there is no supergraph of that variant".to_owned()));
        }
        Ok(current)
    }

    async fn post(&self, accept: &'static str, document: &str) -> Result<Response, Refused> {
        let body = json!({ "query": document, "variables": self.variables });
        let request = Request::post("/graphql").body(Body::from(body.to_string()));
        let mut request = request.map_err(|_| fault())?;
        *request.headers_mut() = self.headers.clone();
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static(accept));
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        *request.extensions_mut() = self.extensions.clone();
        match self.router.clone().oneshot(request).await {
            Ok(response) => Ok(response),
            Err(never) => match never {},
        }
    }
}

/// The server-sent events of a subscription.
pub(super) struct Changes(BodyDataStream);

impl Changes {
    /// Whether something has changed; if not, the stream is over. May be given up and called again.
    pub(super) async fn next(&mut self) -> bool {
        while let Some(Ok(bytes)) = self.0.next().await {
            // What keeps the connection alive is a comment.
            let text = String::from_utf8_lossy(&bytes);
            if text.lines().any(|line| line.starts_with("event: complete")) {
                return false;
            }
            if text.lines().any(|line| line.starts_with("data:")) {
                return true;
            }
        }
        false
    }
}

async fn read(response: Response) -> Result<Value, Refused> {
    let body = Limited::new(response.into_body(), ANSWER_LIMIT).collect().await;
    let body = body.map_err(|_| fault())?.to_bytes();
    serde_json::from_slice(&body).map_err(|_| fault())
}

fn text(value: &mut Value) -> Result<String, Refused> {
    match value.take() {
        Value::String(text) => Ok(text),
        _ => Err(fault()),
    }
}

fn fault() -> Refused {
    (StatusCode::INTERNAL_SERVER_ERROR, "a fault in Pulse".to_owned())
}

fn refused(error: &Value) -> Refused {
    let status = match error["extensions"]["code"].as_str().unwrap_or_default() {
        "UNAUTHENTICATED" => StatusCode::UNAUTHORIZED,
        "FORBIDDEN" => StatusCode::FORBIDDEN,
        "BAD_USER_INPUT" => StatusCode::BAD_REQUEST,
        "RATE_LIMITED" => StatusCode::TOO_MANY_REQUESTS,
        "TIMEOUT" | "UNAVAILABLE" => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    (status, error["message"].as_str().unwrap_or("a fault in Pulse").to_owned())
}
