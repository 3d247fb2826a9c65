//! An archive through the write path.

use std::io::{BufWriter, Write};
use std::time::{Duration, Instant};

use pulse_entities::import::{Format, ImportOptions, Source, import};
use pulse_store::{PoolOptions, Store};
use pulse_telemetry::Metrics;
use pulse_testkit::TestDatabase;
use pulse_types::{Clock, OrgId};

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
        let (reader, writer) = std::io::pipe()?;
        let (entities, relationships) = (args.entities, args.relationships);
        let made = std::thread::spawn(move || {
            let mut writer = BufWriter::new(writer);
            for line in archive::lines(entities, relationships, 7) {
                writer.write_all(line.as_bytes())?;
                writer.write_all(b"\n")?;
            }
            writer.flush()
        });
        let archive = Source::stream(reader, Format::JsonLines);
        let report = import(&store, org, archive, &ImportOptions::default(), |_| {}).await?;
        made.join().map_err(|_| anyhow::anyhow!("the archive was not made"))??;
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
