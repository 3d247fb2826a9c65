//! The comparison: axum and SQLx, one statement, the same role and policies, nothing else.

use std::str::FromStr;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, PgPool};
use uuid::Uuid;

use pulse_bench_harness::child::announce;

/// The data of `read::QUERY` as one JSON text.
pub(crate) const STATEMENT: &str = include_str!("read.sql");

/// The connections of either server.
pub(crate) const CONNECTIONS: u32 = 16;

pub(crate) async fn serve(database: &str, org: Uuid) -> anyhow::Result<()> {
    let pool = PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .test_before_acquire(false)
        .connect_with(PgConnectOptions::from_str(database)?)
        .await?;
    let begin = format!(
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL ROLE pulse_app; SET LOCAL pulse.org_id = '{org}'"
    );
    let router = Router::new().route("/", post(answer)).with_state((pool, begin));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    announce(listener.local_addr()?);
    Ok(axum::serve(listener, router).await?)
}

async fn answer(State((pool, begin)): State<(PgPool, String)>) -> Response {
    match read(&pool, begin).await {
        Ok(json) => ([(header::CONTENT_TYPE, "application/json")], json).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// The transaction ends off the response's path, as Pulse's does.
async fn read(pool: &PgPool, begin: String) -> Result<String, sqlx::Error> {
    let mut transaction = pool.begin_with(AssertSqlSafe(begin)).await?;
    sqlx::query_scalar(STATEMENT).fetch_one(&mut *transaction).await
}
