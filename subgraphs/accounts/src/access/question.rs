//! What gateways in other processes ask of access.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use pulse_events::Tail;
use pulse_types::OrgId;
use serde::{Deserialize, Serialize};

use super::held::Held;
use super::kept::{Access, AccessSubject};

/// Where gateways in other processes ask.
pub const ACCESS_PATH: &str = "/internal/access";

/// How many are asked about at once at most.
pub const MAX_ACCESS_SUBJECTS: usize = 200;

/// What somebody may, by the policy of a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessQuestion {
    /// The tenant.
    pub org: OrgId,
    /// Who: at most [`MAX_ACCESS_SUBJECTS`].
    pub subjects: Vec<AccessSubject>,
    /// The answer must know of what the event log says up to this position.
    pub at_least: i64,
}

/// The route for gateways in other processes, below `/internal`.
pub(crate) fn internal_routes(access: Access, tail: Tail) -> Router {
    Router::new().route("/access", post(answer)).with_state((access, tail))
}

async fn answer(
    State((access, tail)): State<(Access, Tail)>,
    Json(question): Json<AccessQuestion>,
) -> Result<Json<Vec<Held>>, StatusCode> {
    let AccessQuestion { org, subjects, at_least } = question;
    if subjects.len() > MAX_ACCESS_SUBJECTS {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    // Whoever asks has heard more of the log than this process, for a moment.
    tail.reaches(at_least).await;
    access.held(org, &subjects).await.map(Json).map_err(|error| {
        tracing::warn!(%error, "what somebody may cannot be read");
        StatusCode::SERVICE_UNAVAILABLE
    })
}
