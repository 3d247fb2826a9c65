//! Subscribers by the thousand, beside what one would make at home of LISTEN and a broadcast.

pub(crate) mod bare;
mod board;
mod limits;
mod row;
pub(crate) mod server;
mod stage;
mod subscribers;
mod wire;
mod writers;

use std::time::Duration;

use pulse_bench_harness::table::{print, say};

use row::{HEAD, Row};
use stage::{Kind, Stage};

/// Each rate that is tried after one that held is so many per cent of it: first in great steps, then from there in small ones.
const STEPS: [u32; 2] = [150, 110];

/// How often a rate is tried before it counts as one that does not hold.
const TRIES: usize = 2;

/// Subscribers by the thousand, and the way from a commit to them.
#[derive(clap::Args, Debug, Clone)]
pub(crate) struct Args {
    /// Subscribers, half of them over WebSocket and half of them by server-sent events.
    #[arg(long, default_value_t = 10_000)]
    pub(crate) subscribers: usize,
    /// Different filters; each subscriber wants one event in so many.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(4..=1000))]
    pub(crate) filters: u16,
    /// Events a second.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) rate: u32,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 10)]
    pub(crate) seconds: u64,
    /// Seconds for which the statements of an idle server are counted.
    #[arg(long, default_value_t = 30)]
    pub(crate) idle: u64,
    /// Do not raise the rate until it no longer holds.
    #[arg(long)]
    pub(crate) no_raise: bool,
    /// Only this server.
    #[arg(long, value_enum)]
    pub(crate) only: Option<Kind>,
}

impl Args {
    pub(crate) fn topics(&self) -> usize {
        usize::from(self.filters)
    }

    pub(crate) const fn time(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }
}

pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let subscribers = args.subscribers.next_multiple_of(args.topics());
    let args = Args { subscribers, ..args };
    limits::check(subscribers)?;
    let mut rows = Vec::new();
    for kind in [Kind::Bare, Kind::Shared, Kind::Distinct, Kind::Apart] {
        if args.only.is_none_or(|only| only == kind) {
            rows.extend(of_kind(kind, &args).await?);
        }
    }
    say(&format!(
        "\n{} filters, half of the subscribers over WebSocket, half of them by server-sent events; {} s a row; \
         KiB are those of the server's process, over what it had without them",
        args.filters, args.seconds
    ));
    print(&HEAD, &rows.iter().map(Row::cells).collect::<Vec<_>>());
    Ok(())
}

/// All rows of one server.
async fn of_kind(kind: Kind, args: &Args) -> anyhow::Result<Vec<Row>> {
    let (mut stage, mut rows) = (Stage::start(kind, args).await?, Vec::new());
    if kind.is_pulse() {
        rows.push(stage.idle().await?);
    }
    rows.push(stage.nobody().await?);
    let connecting = stage.fill().await?;
    if kind.is_pulse() {
        rows.push(connecting);
        rows.push(stage.idle().await?);
    }
    let first = stage.measure(args.rate).await?;
    rows.push(first.clone());
    if !args.no_raise {
        let name = format!("{}, the highest that holds", kind.name());
        rows.extend(highest(&mut stage, first).await?.map(|row| Row { name, ..row }));
    }
    stage.end().await?;
    Ok(rows)
}

/// The measurement of the highest rate that holds; `None` where the first one does not.
async fn highest(stage: &mut Stage<'_>, first: Row) -> anyhow::Result<Option<Row>> {
    if !first.holds() {
        return Ok(None);
    }
    let mut highest = first;
    for step in STEPS {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rates are small")]
        while let Some(row) = tried(stage, (highest.rate.0 as u32 * step).div_ceil(100)).await? {
            highest = row;
        }
    }
    Ok(Some(highest))
}

/// A measurement at which this rate holds, if one of a few does.
async fn tried(stage: &mut Stage<'_>, rate: u32) -> anyhow::Result<Option<Row>> {
    for _ in 0..TRIES {
        let row = stage.measure(rate).await?;
        if row.holds() {
            return Ok(Some(row));
        }
        say(&format!("{} does not hold {rate} events a second: {row:?}", stage.kind().name()));
        // Some were cut off, or have still to hear of it: the next measurement begins with new ones.
        stage.fill().await?;
    }
    Ok(None)
}
