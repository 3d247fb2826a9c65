//! Requests, answered by routes.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use async_trait::async_trait;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::header::ALLOW;
use http::request::Parts;
use http::{Method as HttpMethod, StatusCode};
use pulse_gateway::{Api, Call, Surface};

use crate::mapping::{Mapping, Method};
use crate::matcher::Found;
use crate::problem::Problem;
use crate::published::{self, OPERATIONS};
use crate::routes::Routes;
use crate::{BATCH, ROOT, RestError, batch, docs, openapi};

/// How long a path and what is behind its question mark may be together.
const MAX_TARGET: usize = 8_192;

/// Where the documents are that describe the API.
const OPENAPI: &str = "/openapi.json";

/// The REST face of a gateway.
pub struct Rest {
    mapping: Mapping,
    /// Those of the supergraph that was served last.
    current: ArcSwapOption<Current>,
}

struct Current {
    version: String,
    routes: Result<Arc<Routes>, RestError>,
}

impl Rest {
    /// A face that follows the supergraph.
    pub fn new(mapping: Mapping) -> Self {
        Self { mapping, current: ArcSwapOption::empty() }
    }

    /// The routes of the supergraph that is served now. They are derived when the first request comes after it changed,
    /// which takes as long as a few requests do.
    fn current(&self, api: &Api) -> Arc<Current> {
        let version = api.version();
        if let Some(current) = self.current.load_full().filter(|current| current.version == version) {
            return current;
        }
        let routes = Routes::derive(&api.supergraph().sdl, &self.mapping).map(Arc::new);
        match &routes {
            Ok(routes) => tracing::info!(version, routes = routes.ready.len(), "derived the routes of REST"),
            Err(error) => tracing::error!(version, %error, "there is no REST over this supergraph"),
        }
        let current = Arc::new(Current { version, routes });
        self.current.store(Some(Arc::clone(&current)));
        current
    }

    /// The same, for another face that needs to know what operations take and answer.
    pub fn routes(&self, api: &Api) -> Result<Arc<Routes>, RestError> {
        self.current(api).routes.clone()
    }

    async fn run(&self, api: &Api, call: &mut Call, request: Request) -> Result<Response, Problem> {
        let current = self.current(api);
        let routes = current.routes.as_ref().map_err(|_| {
            Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "UNAVAILABLE",
                "REST is not served just now; use /graphql",
            )
        })?;
        let (parts, body) = request.into_parts();
        let target = parts.uri.path_and_query().map_or(0, |target| target.as_str().len());
        if target > MAX_TARGET {
            let detail = format!("the address has {target} bytes, the limit is {MAX_TARGET}");
            return Err(Problem::new(StatusCode::URI_TOO_LONG, "BAD_USER_INPUT", detail));
        }
        if docs::serves(parts.uri.path()) {
            return docs::serve(&parts);
        }
        if parts.uri.path() == OPENAPI {
            return openapi::serve(routes, call, &parts).await;
        }
        let path = parts.uri.path().strip_prefix(ROOT).unwrap_or_default().to_owned();
        if path == BATCH && parts.method == HttpMethod::POST {
            return batch::run(self, api, call, (parts, body)).await;
        }
        if path.strip_prefix(OPERATIONS).is_some_and(|rest| rest.starts_with('/')) {
            return published::serve(routes, call, &path, (parts, body)).await;
        }
        match routes.matcher.find(method(&parts.method), &path) {
            Found::Route(index, names) => routes.answer((index, &names), call, (parts, body)).await,
            Found::Other(methods) => other_method(&parts, &methods),
            Found::Nothing => {
                let detail =
                    format!("there is nothing at {}; what there is, {OPENAPI} says", parts.uri.path());
                Err(Problem::not_found(detail))
            }
        }
    }
}

#[async_trait]
impl Surface for Rest {
    fn serves(&self, path: &str) -> bool {
        docs::serves(path)
            || path == OPENAPI
            || path.strip_prefix(ROOT).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    async fn answer(&self, api: Api, request: Request) -> Response {
        let mut call = api.begin(&request);
        let id = call.request();
        let answered = Box::pin(self.run(&api, &mut call, request)).await;
        let mut response = answered.unwrap_or_else(|problem| problem.respond(id));
        call.end(&mut response);
        response
    }
}

/// The method as routes have it; one that reads the head alone reads.
fn method(method: &HttpMethod) -> Option<Method> {
    Some(match *method {
        HttpMethod::GET | HttpMethod::HEAD => Method::Get,
        HttpMethod::POST => Method::Post,
        HttpMethod::PUT => Method::Put,
        HttpMethod::PATCH => Method::Patch,
        HttpMethod::DELETE => Method::Delete,
        _ => return None,
    })
}

/// The answer to a method that a place does not have; `OPTIONS` asks which it has.
fn other_method(parts: &Parts, methods: &[Method]) -> Result<Response, Problem> {
    let names = methods.iter().map(|method| method.as_str());
    let reads = methods.contains(&Method::Get).then_some("HEAD");
    let allowed: Vec<&str> = names.chain(reads).chain(["OPTIONS"]).collect();
    if parts.method == HttpMethod::OPTIONS {
        return Ok((StatusCode::NO_CONTENT, [(ALLOW, allowed.join(", "))]).into_response());
    }
    Err(Problem::method(&parts.method, &allowed))
}
