//! What gateways report of their streams.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use chrono::{DateTime, Utc};
use pulse_store::{Connection, Store, StoreError};
use pulse_types::{MachineId, OrgId, SessionId, StreamId, UserId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Where gateways in other processes report.
pub const STREAMS_PATH: &str = "/internal/streams";

const INSERT: &str = include_str!("queries/report.sql");

/// How long what a gateway has reported counts without a sign of life.
const LEASE_SECONDS: i32 = 90;

/// A stream that was opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenedStream {
    /// Names it.
    pub id: StreamId,
    /// The tenant that the listener acts in. Streams of callers without one are nobody's to see.
    pub tenant: OrgId,
    /// Who listens, when it is a person.
    pub user: Option<UserId>,
    /// The API key or service account that listens, when it is one.
    #[serde(default)]
    pub machine: Option<MachineId>,
    /// The session that it stands on.
    pub session: Option<SessionId>,
    /// Whether it is a query that is answered again and again.
    pub is_live_query: bool,
    /// How it reaches the client.
    pub transport: String,
    /// The operation's name, when it has one.
    pub operation: Option<String>,
    /// The SHA-256 of the operation's text.
    pub hash: String,
    /// When it was opened.
    pub since: DateTime<Utc>,
}

/// What has changed in a gateway, or that nothing has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamReport {
    /// The gateway's process.
    pub gateway: Uuid,
    /// Whether what was reported before is void: what is opened here is all that there is.
    pub anew: bool,
    /// Streams that were opened.
    pub opened: Vec<OpenedStream>,
    /// Streams that ended.
    pub ended: Vec<StreamId>,
}

/// The route for gateways in other processes, below `/internal`.
pub(crate) fn routes(store: Store) -> Router {
    Router::new().route("/streams", post(take)).with_state(store)
}

async fn take(
    State(store): State<Store>,
    Json(report): Json<StreamReport>,
) -> Result<Json<bool>, StatusCode> {
    report_streams(&store, &report).await.map(Json).map_err(|error| {
        tracing::warn!(%error, "a gateway's streams cannot be taken in");
        StatusCode::SERVICE_UNAVAILABLE
    })
}

/// Takes in a report; whether the gateway's earlier ones are known. If not, nothing was taken in, and it has to report anew.
pub async fn report_streams(store: &Store, report: &StreamReport) -> Result<bool, StoreError> {
    let StreamReport { gateway, anew, opened, ended } = report;
    let mut connection = store.system().await?;
    let gone = sqlx::query("DELETE FROM operations.gateways WHERE lease_until < now()");
    connection.execute("gateways.forget", gone).await?;
    let renew = sqlx::query(if *anew {
        "INSERT INTO operations.gateways (id, lease_until) VALUES ($1, now() + make_interval(secs => $2))
             ON CONFLICT (id) DO UPDATE SET lease_until = excluded.lease_until"
    } else {
        "UPDATE operations.gateways SET lease_until = now() + make_interval(secs => $2) WHERE id = $1"
    });
    let renew = renew.bind(gateway).bind(f64::from(LEASE_SECONDS));
    if connection.execute("gateways.renew", renew).await? == 0 {
        return Ok(false);
    }
    if *anew {
        let delete = sqlx::query("DELETE FROM operations.streams WHERE gateway = $1").bind(gateway);
        connection.execute("streams.void", delete).await?;
    }
    if !ended.is_empty() {
        let delete = sqlx::query("DELETE FROM operations.streams WHERE gateway = $1 AND id = ANY ($2)");
        connection.execute("streams.end", delete.bind(gateway).bind(ended)).await?;
    }
    insert(&mut connection, *gateway, opened).await?;
    connection.commit().await?;
    Ok(true)
}

async fn insert(
    connection: &mut Connection,
    gateway: Uuid,
    opened: &[OpenedStream],
) -> Result<(), StoreError> {
    if opened.is_empty() {
        return Ok(());
    }
    let kind = |stream: &OpenedStream| if stream.is_live_query { "LIVE_QUERY" } else { "SUBSCRIPTION" };
    let query = sqlx::query(INSERT)
        .bind(gateway)
        .bind(all(opened, |stream| stream.tenant))
        .bind(all(opened, |stream| stream.id))
        .bind(all(opened, |stream| stream.user))
        .bind(all(opened, |stream| stream.machine))
        .bind(all(opened, |stream| stream.session))
        .bind(all(opened, kind))
        .bind(all(opened, |stream| stream.transport.clone()))
        .bind(all(opened, |stream| stream.operation.clone()))
        .bind(all(opened, |stream| stream.hash.clone()))
        .bind(all(opened, |stream| stream.since));
    connection.execute("streams.report", query).await?;
    Ok(())
}

fn all<T>(opened: &[OpenedStream], of: impl Fn(&OpenedStream) -> T) -> Vec<T> {
    opened.iter().map(of).collect()
}
