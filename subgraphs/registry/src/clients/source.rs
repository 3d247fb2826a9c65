//! What gateways ask: which operations the clients of a tenant published.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use pulse_events::Tail;
use pulse_manifests::PublishedOperations;
use pulse_store::{Store, StoreError};
use pulse_types::{Caller, OrgId, RequestId};
use serde::{Deserialize, Serialize};

/// Where gateways in other processes ask.
pub const OPERATIONS_PATH: &str = "/internal/operations";

/// What they ask.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OperationsQuestion {
    /// Of which tenant.
    pub org: OrgId,
    /// In which environment the gateway is.
    pub environment: Option<String>,
    /// The answer knows of what the event log says up to this position.
    pub at_least: i64,
}

/// Reads what clients published.
#[derive(Debug, Clone)]
pub struct PublishedReader {
    store: Store,
}

impl PublishedReader {
    /// Over the database that the registry keeps its data in.
    pub const fn new(store: Store) -> Self {
        Self { store }
    }

    /// What the clients of a tenant published, as the gateways of an environment take it.
    pub async fn read(
        &self,
        org: OrgId,
        environment: Option<&str>,
    ) -> Result<PublishedOperations, StoreError> {
        let request = RequestId::new(self.store.clock().now());
        let session = self.store.session(Arc::new(Caller::system(org, request)));
        super::published(&session, environment).await
    }
}

/// The route for gateways in other processes, below `/internal`.
pub(crate) fn internal_routes(store: Store, tail: Tail) -> Router {
    Router::new().route("/operations", post(operations)).with_state((PublishedReader::new(store), tail))
}

async fn operations(
    State((reader, tail)): State<(PublishedReader, Tail)>,
    Json(question): Json<OperationsQuestion>,
) -> Result<Json<PublishedOperations>, StatusCode> {
    tail.reaches(question.at_least).await;
    let published = reader.read(question.org, question.environment.as_deref()).await;
    published.map(Json).map_err(|error| {
        tracing::warn!(%error, "published operations cannot be read");
        StatusCode::SERVICE_UNAVAILABLE
    })
}
