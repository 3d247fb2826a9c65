//! The routes, described as OpenAPI 3.1 or 3.0.

mod operations;
mod published;
mod schemas;

use std::sync::OnceLock;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderValue, VARY};
use http::request::Parts;
use pulse_gateway::Call;
use pulse_manifests::ClientOperations;
use serde_json::{Map, Value, json};

use crate::problem::Problem;
use crate::route::Does;
use crate::routes::{Ready, Routes};
use crate::{BATCH, ROOT, conditions};

pub(crate) use schemas::Schemas;

/// How to use the API, for who reads the document.
const GUIDE: &str = include_str!("guide.md");

/// A version of OpenAPI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// 3.1: its schemas are JSON Schema.
    V3_1,
    /// 3.0, for tools that read no newer one.
    V3_0,
}

/// The documents as they are sent; each written when it is first asked for.
#[derive(Default)]
pub(crate) struct Documents {
    newer: OnceLock<(Bytes, String)>,
    older: OnceLock<(Bytes, String)>,
}

impl Routes {
    /// The document that describes them.
    pub fn openapi(&self, version: Version) -> Value {
        self.described(version, (&self.ready, &[]))
    }

    /// The same for somebody who may send what these clients published.
    fn described(&self, version: Version, (ready, clients): (&[Ready], &[&ClientOperations])) -> Value {
        let mut schemas = Schemas::new(&self.schema, version);
        let mut paths: Map<String, Value> = Map::new();
        for ready in ready {
            let route = &ready.route;
            let is_open = route.does == Does::Changes && self.mapping.mutation(&route.keys[0]).open
                || route.does == Does::Reads && self.mapping.query(&route.keys[0]).open;
            let operation = operations::operation(route, is_open, &mut schemas);
            let place = paths.entry(route.path.clone()).or_insert_with(|| json!({}));
            place[route.method.as_str().to_ascii_lowercase()] = operation;
        }
        paths.insert(BATCH.to_owned(), operations::batch());
        for client in clients {
            paths.extend(self.published_paths(client, &mut schemas));
        }
        paths.sort_keys();
        let mut components = schemas.components();
        components.insert("Problem".to_owned(), operations::problem());
        json!({
            "openapi": match version {
                Version::V3_1 => "3.1.0",
                Version::V3_0 => "3.0.3",
            },
            "info": {
                "title": "Pulse",
                "version": env!("CARGO_PKG_VERSION"),
                "description": GUIDE,
                "license": { "name": "MIT OR Apache-2.0", "url": "https://spdx.org/licenses/MIT.html" },
            },
            "servers": [{ "url": ROOT }],
            "security": [{ "accessToken": [] }, { "apiKey": [] }],
            "tags": tags(ready, clients),
            "paths": paths,
            "components": {
                "schemas": components,
                "parameters": operations::parameters(),
                "responses": operations::problems(),
                "securitySchemes": {
                    "accessToken": {
                        "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                        "description": "An access token, as `signIn` and `refreshSession` give it; good for 15 minutes. \
                                        An API key is taken here as well.",
                    },
                    "apiKey": { "type": "apiKey", "in": "header", "name": "X-API-Key", "description": "An API key." },
                },
            },
        })
    }
}

fn tags(ready: &[Ready], clients: &[&ClientOperations]) -> Value {
    let mut tags: Vec<String> = ready.iter().map(|ready| ready.route.tag.clone()).collect();
    tags.push(operations::BATCH_TAG.to_owned());
    tags.extend(clients.iter().map(|client| format!("ops/{}", client.name())));
    tags.sort_unstable();
    tags.dedup();
    tags.into_iter().map(|tag| json!({ "name": tag })).collect()
}

/// Serves the document: 3.1, or `?version=3.0`.
pub(crate) async fn serve(routes: &Routes, call: &Call, parts: &Parts) -> Result<Response, Problem> {
    let (version, kept) = match parts.uri.query() {
        None | Some("" | "version=3.1") => (Version::V3_1, &routes.documents.newer),
        Some("version=3.0") => (Version::V3_0, &routes.documents.older),
        Some(_) => {
            return Err(
                Problem::bad("the document is there as `version=3.1` and as `version=3.0`").at("version")
            );
        }
    };
    let published = call.published(parts).await?;
    let clients = published.clients();
    let written = |document: Value| {
        let text = Bytes::from(document.to_string());
        let etag = conditions::etag(None, &text);
        (text, etag)
    };
    let own;
    let is_own = !clients.is_empty() || published.only.is_some();
    let (text, etag) = if is_own {
        // Who may send published operations alone reaches none of the routes.
        let ready = if published.only.is_some() { &[][..] } else { routes.ready.as_slice() };
        own = written(routes.described(version, (ready, &clients)));
        &own
    } else {
        kept.get_or_init(|| written(routes.openapi(version)))
    };
    let mut response = if conditions::is_known(&parts.headers, etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], Body::from(text.clone()))
            .into_response()
    };
    let headers = response.headers_mut();
    let whose = if is_own { "private, no-cache" } else { "public, no-cache" };
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(whose));
    headers.insert(VARY, HeaderValue::from_static("authorization, x-api-key"));
    headers
        .insert(ETAG, HeaderValue::try_from(etag.as_str()).expect("digits in quotes are a header's value"));
    Ok(response)
}
