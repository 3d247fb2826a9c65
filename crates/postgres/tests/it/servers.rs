//! What the tests start.

use std::path::Path;

use pulse_postgres::{Cluster, ClusterError, ClusterOptions};
use sqlx::{AssertSqlSafe, ConnectOptions};

/// Small, and without waiting for the disk.
pub(crate) fn options(folder: &Path) -> ClusterOptions {
    ClusterOptions { durable: false, shared_buffers_mb: 16, ..ClusterOptions::new(folder) }
}

/// A start that is expected to fail.
pub(crate) async fn refusal(options: ClusterOptions) -> ClusterError {
    Cluster::start(options).await.expect_err("this start is refused")
}

/// One text from one statement in the database `postgres`.
pub(crate) async fn ask(cluster: &Cluster, sql: &str) -> anyhow::Result<String> {
    let mut conn = cluster.options("postgres").connect().await?;
    Ok(sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut conn).await?)
}

/// Statements in the database `postgres`.
pub(crate) async fn execute(cluster: &Cluster, sql: &str) -> anyhow::Result<()> {
    let mut conn = cluster.options("postgres").connect().await?;
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut conn).await?;
    Ok(())
}
