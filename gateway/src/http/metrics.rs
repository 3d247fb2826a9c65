//! `/metrics`, as Prometheus reads it.

use std::sync::Arc;

use axum::extract::State as Shared;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use metrics::gauge;

use crate::gateway::State;

pub(super) async fn metrics(Shared(state): Shared<Arc<State>>) -> Response {
    let Some(metrics) = &state.metrics else { return StatusCode::NOT_FOUND.into_response() };
    let planned = state.supergraph.served().engine.planned_operations().await;
    #[expect(clippy::cast_precision_loss, reason = "there are never so many plans")]
    let planned = planned as f64;
    gauge!("pulse_gateway_planned_operations").set(planned);
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], metrics.render()).into_response()
}
