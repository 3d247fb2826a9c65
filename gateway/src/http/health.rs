//! Whether the process lives, and whether it can serve; and if not, why.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State as Shared;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use http::StatusCode;
use serde::Serialize;
use tokio::time::timeout;

use crate::gateway::State;

type Check = dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync;

/// Something that must work before the process is ready.
#[derive(Clone)]
pub struct HealthCheck {
    name: String,
    check: Arc<Check>,
    /// What the process is when it fails.
    failed: Status,
}

impl HealthCheck {
    /// A check by its name, such as `database`. The error says what does not work, for the operator's eyes; it goes out
    /// on an unauthenticated route, so it must not tell secrets.
    pub fn new<F, R>(name: impl Into<String>, check: F) -> Self
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), String>> + Send + 'static,
    {
        Self { name: name.into(), check: Arc::new(move || check().boxed()), failed: Status::NotReady }
    }

    /// The same for something without which the process serves all the same, but less well: `/health/ready` says
    /// `degraded` and what does not work, with the status 200, so that no load balancer turns away.
    pub fn degrading<F, R>(name: impl Into<String>, check: F) -> Self
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), String>> + Send + 'static,
    {
        Self { failed: Status::Degraded, ..Self::new(name, check) }
    }

    async fn report(&self, limit: Duration) -> Report {
        let problem = match timeout(limit, (self.check)()).await {
            Ok(outcome) => outcome.err(),
            Err(_) => Some(format!("did not answer within {} ms", limit.as_millis())),
        };
        let status = if problem.is_none() { Status::Ready } else { self.failed };
        Report { name: self.name.clone(), status, message: problem }
    }
}

#[derive(Serialize)]
struct Readiness {
    status: Status,
    checks: Vec<Report>,
}

#[derive(Serialize)]
struct Report {
    name: String,
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

/// From good to bad.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Ready,
    Degraded,
    NotReady,
}

/// The process answers, so it lives.
pub(super) async fn live() -> Response {
    Json(serde_json::json!({ "status": "live" })).into_response()
}

/// Runs every check at once. 503 when one fails without which nothing is served, and the body says which and why.
pub(super) async fn ready(Shared(state): Shared<Arc<State>>) -> Response {
    let limit = state.config.health_timeout;
    let mut checks = vec![supergraph(&state)];
    checks.extend(settings(&state));
    checks.extend(stopping(&state));
    checks.extend(join_all(state.checks.iter().map(|check| check.report(limit))).await);
    let worst = checks.iter().map(|check| check.status).max().unwrap_or(Status::Ready);
    let status = if worst == Status::NotReady { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    (status, Json(Readiness { status: worst, checks })).into_response()
}

/// A gateway that serves an older supergraph than its source has is ready, and says so.
fn supergraph(state: &State) -> Report {
    let version = &state.supergraph.served().version;
    let message = match state.supergraph.refused() {
        None => format!("serving version {version}"),
        Some(refused) => format!("serving version {version}; {refused}"),
    };
    Report { name: "supergraph".to_owned(), status: Status::Ready, message: Some(message) }
}

/// Told only when there are newer settings than those that hold.
fn settings(state: &State) -> Option<Report> {
    let message = state.lifecycle.refused_config()?;
    Some(Report { name: "settings".to_owned(), status: Status::Ready, message: Some(message) })
}

/// Told only once the process was told to stop.
fn stopping(state: &State) -> Option<Report> {
    let message = "the gateway was told to stop; it takes no more than what is under way".to_owned();
    let report = Report { name: "stopping".to_owned(), status: Status::NotReady, message: Some(message) };
    (*state.lifecycle.stopping().borrow()).then_some(report)
}
