//! What a gateway apart asks the process of a subgraph.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::response::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tokio::time::timeout;
use uuid::Uuid;

use super::Places;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long an answer may be, in bytes: all operations that a tenant may have published.
const LIMIT: usize = 256 * 1024 * 1024;

/// The process of a subgraph, wherever the newest settings say that it is.
#[derive(Clone)]
pub(in crate::platform) struct ProcessApart {
    subgraph: &'static str,
    places: watch::Receiver<Places>,
}

impl ProcessApart {
    pub(in crate::platform) const fn new(subgraph: &'static str, places: watch::Receiver<Places>) -> Self {
        Self { subgraph, places }
    }

    /// What is at that path, or what is answered to JSON that is posted there. The error is for the log.
    pub(in crate::platform) async fn ask<A: DeserializeOwned>(
        &self,
        path: &str,
        posted: Option<Bytes>,
    ) -> Result<A, String> {
        let (parts, body) = self.send(path, posted).await?;
        if !parts.status.is_success() {
            return Err(self.problem(&format!("it answered {}", parts.status)));
        }
        serde_json::from_slice(&body).map_err(|error| self.problem(&error))
    }

    async fn send(&self, path: &str, posted: Option<Bytes>) -> Result<(Parts, Bytes), String> {
        let places = Arc::clone(&self.places.borrow());
        let place = places.iter().find(|place| place.name() == self.subgraph);
        let place = place.ok_or_else(|| self.problem(&"it is nowhere"))?;
        let answer = async {
            let response = match posted {
                Some(body) => place.post(path, body).await,
                None => place.get(path).await,
            };
            let (parts, body) = response.map_err(|error| self.problem(&error))?.into_parts();
            let body = Limited::new(body, LIMIT).collect().await.map_err(|error| self.problem(&error))?;
            Ok((parts, body.to_bytes()))
        };
        timeout(PATIENCE, answer).await.map_err(|_| self.problem(&"it does not answer"))?
    }

    fn problem(&self, problem: &dyn std::fmt::Display) -> String {
        format!("{}: {problem}", self.subgraph)
    }

    /// The logos that tenants have uploaded, as that process serves them.
    pub(in crate::platform) fn logos(self) -> Router {
        Router::new().route("/logos/{id}", get(logo)).with_state(self)
    }
}

async fn logo(State(accounts): State<ProcessApart>, Path(id): Path<String>) -> Response {
    let Ok(id) = Uuid::try_parse(&id) else { return StatusCode::NOT_FOUND.into_response() };
    match accounts.send(&format!("/logos/{id}"), None).await {
        Ok((Parts { status, mut headers, .. }, body)) => {
            // Those are of the other connection.
            for name in [header::CONNECTION, header::TRANSFER_ENCODING, header::CONTENT_LENGTH, header::DATE]
            {
                headers.remove(name);
            }
            (status, headers, body).into_response()
        }
        Err(error) => {
            tracing::warn!(error, "a logo cannot be fetched");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}
