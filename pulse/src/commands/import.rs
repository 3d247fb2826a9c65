//! `pulse import`.

use std::path::Path;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use pulse_entities::import::{ImportOptions, Progress, Report, import};
use pulse_events::Waker;
use pulse_store::Store;
use pulse_telemetry::init_logs;
use tokio::io::{AsyncRead, BufReader};
use tokio_util::sync::CancellationToken;

use crate::cli::ImportArgs;
use crate::exit::Failure;
use crate::platform::Database;
use crate::settings::Settings;
use crate::terminal::{complain, say};

pub(super) async fn run(args: ImportArgs, settings: &Settings) -> anyhow::Result<()> {
    init_logs(&settings.telemetry)?;
    let (reader, length) = open(&args.file).await?;
    let database = Database::open_or_join(&settings.database, &args.database.data_dir).await?;
    let imported = tokio::select! {
        imported = import_into(&database, &args, settings, reader, length) => imported,
        stopped = super::stop::requested() => match stopped {
            Ok(()) => Err(anyhow::anyhow!("stopped; what was committed stays, and the same command goes on")),
            Err(error) => Err(error),
        },
    };
    database.close().await;
    report(&imported?)
}

async fn import_into(
    database: &Database,
    args: &ImportArgs,
    settings: &Settings,
    reader: Box<dyn AsyncRead + Send + Unpin>,
    length: Option<u64>,
) -> anyhow::Result<Report> {
    database.migrate().await?;
    let store: Store = database.store(settings);
    let org = pulse_accounts::organization_by_slug(&store, &args.org).await?;
    let org = org.ok_or_else(|| Failure::NoOrganization(args.org.clone()))?;
    let bar = bar(length)?;
    let options = ImportOptions { batch_size: args.batch as usize, ..ImportOptions::default() };
    let progress = |progress: Progress| {
        bar.set_position(progress.bytes);
        bar.set_message(format!("{} lines, {} left out", progress.lines, progress.bad_lines));
    };
    // Those who serve the same database meanwhile hear of each batch at once.
    let stop = CancellationToken::new();
    let waker = tokio::spawn(Waker::new(store.clone(), database.direct().clone()).run(stop.clone()));
    let imported = import(&store, org, BufReader::with_capacity(1 << 18, reader), &options, progress).await;
    stop.cancel();
    waker.await.context("waking the event log failed")?;
    bar.finish_and_clear();
    store.close().await;
    Ok(imported?)
}

async fn open(file: &Path) -> anyhow::Result<(Box<dyn AsyncRead + Send + Unpin>, Option<u64>)> {
    if file == Path::new("-") {
        return Ok((Box::new(tokio::fs::File::open("/dev/stdin").await?), None));
    }
    let opened =
        tokio::fs::File::open(file).await.with_context(|| format!("cannot read {}", file.display()))?;
    let metadata = opened.metadata().await?;
    anyhow::ensure!(metadata.is_file(), "{} is not a file", file.display());
    Ok((Box::new(opened), Some(metadata.len())))
}

/// A bar on standard error; it hides itself where that is no terminal.
fn bar(length: Option<u64>) -> anyhow::Result<ProgressBar> {
    let bar = length.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
    let style = if length.is_some() {
        "{bar:40} {bytes}/{total_bytes} {eta} {msg}"
    } else {
        "{spinner} {bytes} {elapsed} {msg}"
    };
    Ok(bar.with_style(ProgressStyle::with_template(style)?))
}

fn report(report: &Report) -> anyhow::Result<()> {
    say(&report.to_string());
    for bad in &report.bad_lines {
        complain(&format!("line {}: {}", bad.line, bad.reason));
    }
    let hidden = report.bad_line_count - report.bad_lines.len() as u64;
    if hidden > 0 {
        complain(&format!("… and {hidden} more"));
    }
    if report.bad_line_count == 0 { Ok(()) } else { Err(Failure::BadLines(report.bad_line_count).into()) }
}
