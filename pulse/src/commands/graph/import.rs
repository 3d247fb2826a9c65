//! `pulse graph import`, and `pulse import`.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use pulse_entities::import::{Format, ImportError, ImportOptions, Mapping, Progress, Report, Source, import};
use pulse_events::Waker;
use pulse_store::Store;
use tokio_util::sync::CancellationToken;

use crate::commands::stop;
use crate::exit::Failure;
use crate::graph_args::ImportArgs;
use crate::platform::Database;
use crate::settings::Settings;
use crate::terminal::{complain, say};

pub(super) async fn run(args: ImportArgs, settings: &Settings) -> anyhow::Result<()> {
    let source = source(&args)?;
    let database = Database::open_or_join(&settings.database, &args.database.data_dir).await?;
    let imported = tokio::select! {
        imported = import_into(&database, &args, settings, source) => imported,
        stopped = stop::requested() => match stopped {
            Ok(()) => Err(anyhow::anyhow!("stopped; what was committed stays, and the same command goes on")),
            Err(error) => Err(error),
        },
    };
    database.close().await;
    report(&args, &imported?)
}

/// What is to be read, as far as can be said before there is a database.
fn source(args: &ImportArgs) -> anyhow::Result<Source> {
    let mapping = match &args.mapping {
        Some(path) => {
            let text =
                std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
            Mapping::try_new(&text).with_context(|| format!("{} cannot be used", path.display()))?
        }
        None => Mapping::default(),
    };
    let given = args.format.map(Format::from);
    let is_input = |path: &PathBuf| path == Path::new("-");
    if args.files.iter().any(is_input) {
        ensure!(args.files.len() == 1, "`-` is standard input, which is imported alone");
        return Ok(Source::stream(std::io::stdin(), given.unwrap_or(Format::JsonLines)).mapped(mapping));
    }
    let mut files = Vec::with_capacity(args.files.len());
    for path in &args.files {
        let metadata = path.metadata().with_context(|| format!("cannot read {}", path.display()))?;
        ensure!(metadata.is_file(), "{} is not a file", path.display());
        let format = given.or_else(|| Format::of(path)).unwrap_or(Format::JsonLines);
        files.push((path.clone(), format));
    }
    Ok(Source::files(files).mapped(mapping))
}

async fn import_into(
    database: &Database,
    args: &ImportArgs,
    settings: &Settings,
    source: Source,
) -> anyhow::Result<Report> {
    database.migrate().await?;
    let store: Store = database.store(settings);
    let org = pulse_accounts::organization_by_slug(&store, &args.org).await?;
    let org = org.ok_or_else(|| Failure::NoOrganization(args.org.clone()))?;
    // Files are read twice.
    let bar = bar(2 * source.size())?;
    let options = ImportOptions {
        batch_size: args.batch as usize,
        on_conflict: args.on_conflict.into(),
        is_dry_run: args.dry_run,
        from_start: args.from_start,
        ..ImportOptions::default()
    };
    let progress = |progress: Progress| {
        bar.set_position(progress.bytes);
        bar.set_message(format!("{} lines, {} left out", progress.lines, progress.bad_lines));
    };
    // Those who serve the same database meanwhile hear of each batch at once.
    let stop = CancellationToken::new();
    let waker = tokio::spawn(Waker::new(store.clone(), database.direct().clone()).run(stop.clone()));
    let imported = import(&store, org, source, &options, progress).await;
    stop.cancel();
    waker.await.context("waking the event log failed")?;
    bar.finish_and_clear();
    store.close().await;
    imported.map_err(failure)
}

/// The error with the code that scripts tell it by.
fn failure(error: ImportError) -> anyhow::Error {
    match error {
        ImportError::Read { name, source } => {
            let text = format!("{name}, {source}; what comes before is imported");
            Failure::UnreadableGraph(text).into()
        }
        ImportError::Conflict { .. } => {
            let text = format!("{error}, with --on-conflict; the batches before it are imported");
            Failure::Conflict(text).into()
        }
        error => error.into(),
    }
}

/// A bar on standard error; it hides itself where that is no terminal.
fn bar(length: u64) -> anyhow::Result<ProgressBar> {
    let is_known = length > 0;
    let bar = if is_known { ProgressBar::new(length) } else { ProgressBar::new_spinner() };
    let style = if is_known {
        "{bar:40} {bytes}/{total_bytes} {eta} {msg}"
    } else {
        "{spinner} {bytes} {elapsed} {msg}"
    };
    Ok(bar.with_style(ProgressStyle::with_template(style)?))
}

fn report(args: &ImportArgs, report: &Report) -> anyhow::Result<()> {
    if report.has_gone_on {
        complain("went on where the same import had broken off, and counts what it had done");
    }
    if args.dry_run {
        say(&format!("nothing was changed; it would be {report}"));
    } else {
        say(&report.to_string());
    }
    for bad in &report.bad_lines {
        match args.files.get(bad.file) {
            Some(file) if args.files.len() > 1 => {
                complain(&format!("{}, line {}: {}", file.display(), bad.line, bad.reason));
            }
            _ => complain(&format!("line {}: {}", bad.line, bad.reason)),
        }
    }
    let hidden = report.bad_line_count - report.bad_lines.len() as u64;
    if hidden > 0 {
        complain(&format!("… and {hidden} more"));
    }
    if report.bad_line_count == 0 { Ok(()) } else { Err(Failure::BadLines(report.bad_line_count).into()) }
}
