//! The bare statement by PostgreSQL's own load generator.

use std::time::Duration;

use anyhow::{Context, ensure};
use pulse_postgres::{Distribution, FetchOptions};
use tokio::process::Command;
use uuid::Uuid;

use crate::bare::STATEMENT;

/// Transactions a second and their mean latency in milliseconds, with `connections` for `time`.
pub(crate) async fn run(
    database: &str,
    org: Uuid,
    connections: usize,
    time: Duration,
) -> anyhow::Result<(f64, f64)> {
    let distribution = Distribution::ensure(&FetchOptions::from_env()).await?;
    let script = tempfile::NamedTempFile::new()?;
    let statement = STATEMENT.replace('\n', " ");
    let lines = format!(
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;\nSET LOCAL ROLE pulse_app;\nSET LOCAL pulse.org_id = '{org}';\n{statement};\nROLLBACK;\n"
    );
    std::fs::write(script.path(), lines)?;
    let output = Command::new(distribution.program("pgbench"))
        .args(["--no-vacuum", "--protocol=prepared", "--jobs=2"])
        .arg(format!("--client={connections}"))
        .arg(format!("--time={}", time.as_secs().max(1)))
        .arg("--file")
        .arg(script.path())
        .arg(database)
        .output()
        .await?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "pgbench failed: {}", String::from_utf8_lossy(&output.stderr));
    let number = |label: &str| -> anyhow::Result<f64> {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(label))
            .context("pgbench printed something else")?;
        Ok(line.split_whitespace().next().context("no number")?.parse()?)
    };
    Ok((number("tps = ")?, number("latency average = ")?))
}
