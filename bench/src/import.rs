//! An archive through the write path.

use std::time::{Duration, Instant};

use pulse_entities::import::{ImportOptions, import};
use pulse_store::{PoolOptions, Store};
use pulse_telemetry::Metrics;
use pulse_testkit::TestDatabase;
use pulse_types::{Clock, OrgId};
use tokio::io::AsyncWriteExt;

use crate::archive;
use pulse_bench_harness::table::{print, say};

/// An archive through the write path.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Entities in the archive.
    #[arg(long, default_value_t = 63_724)]
    entities: u32,
    /// Relationships in the archive.
    #[arg(long, default_value_t = 364_184)]
    relationships: u32,
    /// Import it once more, when nothing changes.
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set)]
    again: bool,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let metrics = Metrics::install()?;
    let database = TestDatabase::new().await?;
    let clock = Clock::system();
    let org = OrgId::new(clock.now());
    let store = Store::new(database.options(), &PoolOptions::default(), clock);
    let mut rows = Vec::new();
    for what in ["first time", "again"].iter().take(if args.again { 2 } else { 1 }) {
        let before = resident_mib();
        let started = Instant::now();
        // The archive is made while it is read, through a pipe of a fixed size, so that memory is the import's own.
        let (mut writer, reader) = tokio::io::duplex(1 << 20);
        let lines = archive::lines(args.entities, args.relationships, 7);
        let made = tokio::spawn(async move {
            for line in lines {
                writer.write_all(line.as_bytes()).await?;
                writer.write_all(b"\n").await?;
            }
            writer.shutdown().await
        });
        let report =
            import(&store, org, tokio::io::BufReader::new(reader), &ImportOptions::default(), |_| {}).await?;
        made.await??;
        let took = started.elapsed();
        say(&format!("{what}: {report}"));
        rows.push(row(what, args.entities + args.relationships, took, before));
    }
    print(&["statement", "seconds in all"], &statements(&metrics));
    print(&["import", "lines", "seconds", "lines/s", "MiB before", "MiB at most"], &rows);
    Ok(())
}

fn row(what: &str, lines: u32, took: Duration, before: String) -> Vec<String> {
    let seconds = took.as_secs_f64();
    vec![
        what.to_owned(),
        lines.to_string(),
        format!("{seconds:.1}"),
        format!("{:.0}", f64::from(lines) / seconds),
        before,
        status("VmHWM:"),
    ]
}

/// How long each kind of statement took in all, the longest first.
fn statements(metrics: &Metrics) -> Vec<Vec<String>> {
    let text = metrics.render();
    let sums =
        text.lines().filter_map(|line| line.strip_prefix("pulse_db_statement_seconds_sum{statement=\""));
    let mut sums: Vec<(f64, &str)> = sums
        .filter_map(|line| line.split_once("\"} "))
        .filter_map(|(name, sum)| Some((sum.parse().ok()?, name)))
        .collect();
    sums.sort_by(|a, b| b.0.total_cmp(&a.0));
    sums.into_iter().map(|(sum, name)| vec![name.to_owned(), format!("{sum:.1}")]).collect()
}

fn resident_mib() -> String {
    status("VmRSS:")
}

/// A line of this process's status, in MiB.
fn status(label: &str) -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kib = status
        .lines()
        .find_map(|line| line.strip_prefix(label))
        .and_then(|rest| rest.split_whitespace().next());
    kib.and_then(|kib| kib.parse::<u64>().ok()).map_or_else(|| "?".to_owned(), |kib| (kib / 1024).to_string())
}
