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

/// Each rate that is tried after one that held is so many per cent of it.
const STEP: u32 = 130;

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
    for kind in [Kind::Bare, Kind::Shared, Kind::Distinct] {
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
    let mut highest = first.clone();
    rows.push(first);
    while !args.no_raise && highest.holds() {
        let (asked, _) = highest.rate;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rates are small")]
        let rate = (asked as u32).saturating_mul(STEP).div_ceil(100);
        let next = stage.measure(rate).await?;
        if !next.holds() {
            say(&format!("{} does not hold {rate} events a second: {:?}", kind.name(), next.seen));
            break;
        }
        highest = next;
    }
    if highest.rate.0 > f64::from(args.rate) {
        rows.push(Row { name: format!("{}, the highest that holds", kind.name()), ..highest });
    }
    stage.end().await?;
    Ok(rows)
}
