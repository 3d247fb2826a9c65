//! Gateways in turns over the same subgraphs.

use std::time::Duration;

use anyhow::Context;
use pulse_bench_harness::child::Server;
use pulse_bench_harness::load::Measured;
use pulse_bench_harness::table::{print, say};

use crate::case::{CASES, Case};
use crate::peer::Peer;
use crate::serve::write_supergraph;

/// What is compared, and for how long.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Another gateway, as NAME=COMMAND with {port}, {supergraph} and, where it can, {dedup}.
    #[arg(long, value_parser = Peer::parse)]
    against: Vec<Peer>,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 8)]
    seconds: u64,
    /// Rounds: each measures all gateways, in turns.
    #[arg(long, default_value_t = 2)]
    rounds: u32,
    /// Only the cases whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
}

/// What a gateway showed in a case.
#[derive(Debug, Clone, Copy)]
struct Outcome {
    measured: Measured,
    /// The CPU time for each request, in milliseconds.
    cpu_ms: f64,
    peak_mib: f64,
}

const HEAD: [&str; 11] = [
    "case",
    "gateway",
    "connections",
    "requests/s",
    "p50 ms",
    "p99 ms",
    "p99.9 ms",
    "CPU-ms/request",
    "of first",
    "peak MiB",
    "errors",
];

pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    // The first peer is what the others are compared with.
    let mut gateways = args.against.clone();
    gateways.push(Peer::Pulse);
    let subgraphs = Server::start(&["subgraphs"]).await?;
    let folder = tempfile::tempdir()?;
    let supergraph = folder.path().join("supergraph.graphql");
    write_supergraph(&format!("http://{}", subgraphs.address), &supergraph)?;

    let mut rows = Vec::new();
    for case in CASES.iter().filter(|case| case.name.contains(&args.only)) {
        let mut outcomes = vec![Vec::new(); gateways.len()];
        for _ in 0..args.rounds {
            for (gateway, outcomes) in gateways.iter().zip(&mut outcomes) {
                let server = gateway.start(case, &supergraph).await?;
                let subgraphs = case.in_process.then_some(&subgraphs);
                outcomes.push(measure(&server, subgraphs, case, Duration::from_secs(args.seconds)).await?);
                server.stop().await?;
            }
        }
        let first = least(&outcomes[0])?;
        for (gateway, outcomes) in gateways.iter().zip(&outcomes) {
            rows.push(row(case, gateway, least(outcomes)?, first));
        }
        say(&format!("{}, {} connections: done", case.name, case.connections));
    }
    say(&format!(
        "\nof {} rounds of {} s the one with the least CPU time a request",
        args.rounds, args.seconds
    ));
    print(&HEAD, &rows);
    Ok(())
}

async fn measure(
    server: &Server,
    subgraphs: Option<&Server>,
    case: &Case,
    time: Duration,
) -> anyhow::Result<Outcome> {
    let call = case.call(server.address);
    let cpu = || -> anyhow::Result<f64> {
        Ok(server.cpu_ms()? + subgraphs.map(Server::cpu_ms).transpose()?.unwrap_or_default())
    };
    call.load(case.connections, time / 4).await?;
    let before = cpu()?;
    let measured = call.load(case.connections, time).await?;
    #[expect(clippy::cast_precision_loss, reason = "far fewer requests than 2^52")]
    let cpu_ms = (cpu()? - before) / measured.answered as f64;
    Ok(Outcome { measured, cpu_ms, peak_mib: server.peak_mib()? })
}

/// Other work on the machine only ever adds.
fn least(outcomes: &[Outcome]) -> anyhow::Result<Outcome> {
    outcomes.iter().min_by(|a, b| a.cpu_ms.total_cmp(&b.cpu_ms)).copied().context("no round")
}

fn row(case: &Case, gateway: &Peer, outcome: Outcome, first: Outcome) -> Vec<String> {
    let ms = |time: Duration| format!("{:.2}", time.as_secs_f64() * 1000.0);
    let Outcome { measured, cpu_ms, peak_mib } = outcome;
    vec![
        case.name.to_owned(),
        gateway.name().to_owned(),
        case.connections.to_string(),
        format!("{:.0}", measured.per_second),
        ms(measured.p50),
        ms(measured.p99),
        ms(measured.p999),
        format!("{cpu_ms:.3}"),
        format!("{:.2}", cpu_ms / first.cpu_ms),
        format!("{peak_mib:.0}"),
        measured.errors.to_string(),
    ]
}
