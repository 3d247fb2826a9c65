//! Subscribers of changes: how soon they hear, what they cost, and how many changes a second hold.

pub(crate) mod bare;
mod board;
mod client;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use futures::{StreamExt, TryStreamExt, stream};
use pulse_bench_harness::child::Server;
use pulse_bench_harness::table::{print, say};
use pulse_testkit::TestDatabase;
use pulse_types::{Clock, OrgId, Role};
use serde_json::json;

use crate::platform::{Person, access_token_of};
use board::{Board, Latency};
use client::{Client, Transport};
use writer::{Target, Writer};

/// What a subscriber asks.
const QUERY: &str = "subscription ($id: ID!) { entityChanged(filter: { ids: [$id] }) { id version cursor } }";

/// What a rate has to hold.
const P99_MS: f64 = 250.0;

/// How long everybody has to have heard of everything, once the last is written.
const PATIENCE: Duration = Duration::from_secs(15);

/// Subscribers over WebSocket and server-sent events in turns, each of one entity among many.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Subscribers.
    #[arg(long, default_value_t = 10_000)]
    subscribers: usize,
    /// Different people among them; those of one person who want the same share a stream.
    #[arg(long, default_value_t = 10_000)]
    people: usize,
    /// Entities that change in turns; each subscriber wants one.
    #[arg(long, default_value_t = 100)]
    entities: usize,
    /// Changes a second at first; doubled until it no longer holds.
    #[arg(long, default_value_t = 100)]
    rate: usize,
    /// Changes a second at most.
    #[arg(long, default_value_t = 6_400)]
    most: usize,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
}

/// What one rate did.
struct Step {
    rate: usize,
    latency: Latency,
    cores: f64,
    /// Statements a second.
    statements: Option<f64>,
    missing: u64,
    wrong: u64,
}

/// One server with its subscribers.
struct Stage<'a> {
    args: &'a Args,
    server: &'a Server,
    board: Arc<Board>,
    writer: Writer,
    /// What a subscriber takes, in KiB.
    kib: f64,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    check_open_files(args.subscribers)?;
    let database = TestDatabase::new().await?;
    let mut rows = Vec::new();
    let pulse = Server::start(&["live-server", &database.url()]).await?;
    let org = OrgId::new(Clock::system().now());
    let mut stage = pulse_stage(&args, &pulse, org).await?;
    let alone = idle(&stage).await?;
    let unheard = measure(&mut stage, args.rate).await?;
    fill(&mut stage, |number| pulse_client(&args, &pulse, org, number)).await?;
    let idle = idle(&stage).await?;
    climb(&mut stage, "Pulse", &mut rows).await?;
    drop(stage);
    pulse.stop().await?;

    let bare = Server::start(&["bare-live-server", &args.entities.to_string()]).await?;
    let follows = follows(&args);
    let board = Arc::new(Board::new(args.entities, follows));
    let writer = Writer::connect(Target::Bare { address: bare.address, entities: args.entities }).await?;
    let mut stage = Stage { args: &args, server: &bare, board, writer, kib: 0.0 };
    let bare_client = |number: usize| Client {
        number,
        address: bare.address,
        transport: Transport::Bare,
        token: String::new(),
        operation: format!("{}\n", number % args.entities),
    };
    fill(&mut stage, |number| Ok(bare_client(number))).await?;
    climb(&mut stage, "bare loop", &mut rows).await?;

    say(&format!(
        "\n{} subscribers ({} people), half WebSocket, half server-sent events; {} entities; {} s a rate; latency from before the write is sent",
        args.subscribers, args.people, args.entities, args.seconds
    ));
    let head = [
        "server",
        "changes/s",
        "deliveries/s",
        "p50 ms",
        "p99 ms",
        "most ms",
        "cores",
        "statements/s",
        "KiB/subscriber",
        "missing",
        "wrong",
    ];
    print(&head, &rows);
    say(&format!(
        "idle: {alone:.1} statements/s without subscribers, {idle:.1} with; {} changes/s that nobody follows: {:.0} statements/s",
        unheard.rate,
        unheard.statements.unwrap_or_default()
    ));
    Ok(())
}

fn follows(args: &Args) -> Vec<usize> {
    (0..args.subscribers).map(|number| number % args.entities).collect()
}

async fn pulse_stage<'a>(args: &'a Args, server: &'a Server, org: OrgId) -> anyhow::Result<Stage<'a>> {
    let token = access_token_of(&Person::new(), org, Role::Admin)?;
    let target = Target::Pulse { address: server.address, token, entities: args.entities };
    let writer = Writer::connect(target).await?;
    let board = Arc::new(Board::new(args.entities, follows(args)));
    // Its first version is the one with which it was made.
    for entity in 0..args.entities {
        board.sending(entity);
    }
    Ok(Stage { args, server, board, writer, kib: 0.0 })
}

fn pulse_client(args: &Args, server: &Server, org: OrgId, number: usize) -> anyhow::Result<Client> {
    // Both transports for each entity, whatever the number of entities.
    let transport =
        if (number / args.entities).is_multiple_of(2) { Transport::WebSocket } else { Transport::Events };
    Ok(Client {
        number,
        address: server.address,
        transport,
        token: access_token_of(&Person::numbered(number % args.people.max(1)), org, Role::Viewer)?,
        operation: String::new(),
    })
}

/// Connects all clients, and writes until each of them has heard of something.
async fn fill(stage: &mut Stage<'_>, client: impl Fn(usize) -> anyhow::Result<Client>) -> anyhow::Result<()> {
    let before = stage.server.rss_kib()?;
    let numbers = stream::iter(0..stage.args.subscribers);
    let (board, writer) = (&stage.board, &stage.writer);
    let opening = numbers.map(|number| {
        let client = client(number);
        async move {
            let mut client = client?;
            if client.operation.is_empty() {
                let id = writer.id(board.follows(number));
                client.operation = json!({ "query": QUERY, "variables": { "id": id } }).to_string();
            }
            client.open(Arc::clone(board)).await
        }
    });
    opening.buffer_unordered(64).try_collect::<Vec<()>>().await?;
    let started = std::time::Instant::now();
    loop {
        let all: Vec<usize> = (0..stage.args.entities).collect();
        stage.writer.write(&stage.board, &all).await?;
        stage.board.changes(Duration::from_millis(200)).await;
        let (present, gone) = stage.board.present();
        ensure!(gone == 0, "{gone} connections ended");
        if present == stage.args.subscribers {
            break;
        }
        ensure!(started.elapsed() < 8 * PATIENCE, "only {present} subscribers hear anything");
    }
    settle(&stage.board).await;
    stage.board.take_latency();
    let taken = stage.server.rss_kib()? - before;
    stage.kib = taken / f64::from(u32::try_from(stage.args.subscribers)?);
    Ok(())
}

/// Waits until everybody has heard of everything, or for as long as that may take; what is missing.
async fn settle(board: &Board) -> (u64, u64) {
    let until = tokio::time::Instant::now() + PATIENCE;
    loop {
        let (missing, wrong) = board.missing();
        if missing == 0 || tokio::time::Instant::now() > until {
            return (missing, wrong);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Statements a second while nothing is written.
async fn idle(stage: &Stage<'_>) -> anyhow::Result<f64> {
    let time = Duration::from_secs(10);
    let before = stage.writer.statements().await?.context("only Pulse counts statements")?;
    tokio::time::sleep(time).await;
    let after = stage.writer.statements().await?.context("only Pulse counts statements")?;
    Ok((after - before) as f64 / time.as_secs_f64())
}

/// Raises the rate until it does not hold.
async fn climb(stage: &mut Stage<'_>, name: &str, rows: &mut Vec<Vec<String>>) -> anyhow::Result<()> {
    let mut rate = stage.args.rate;
    let mut held = None;
    while rate <= stage.args.most {
        let step = measure(stage, rate).await?;
        let holds = step.missing == 0 && step.wrong == 0 && step.latency.p99 < P99_MS;
        rows.push(row(name, stage, &step));
        if !holds {
            break;
        }
        held = Some(rate);
        rate *= 2;
    }
    let deliveries = |rate: usize| rate * stage.args.subscribers / stage.args.entities;
    say(&match held {
        Some(rate) => format!("{name}: {rate} changes/s hold, which are {} deliveries/s", deliveries(rate)),
        None => format!("{name}: {} changes/s do not hold", stage.args.rate),
    });
    Ok(())
}

async fn measure(stage: &mut Stage<'_>, rate: usize) -> anyhow::Result<Step> {
    let seconds = stage.args.seconds;
    let (cpu, statements) = (stage.server.cpu_ms()?, stage.writer.statements().await?);
    let began = std::time::Instant::now();
    stage.writer.write_at(&stage.board, rate, Duration::from_secs(seconds)).await?;
    let took = began.elapsed().as_secs_f64();
    let cores = (stage.server.cpu_ms()? - cpu) / 1_000.0 / took;
    let after = stage.writer.statements().await?;
    let nobody = stage.board.present().0 == 0;
    let (missing, wrong) = if nobody { (0, 0) } else { settle(&stage.board).await };
    let statements = after.zip(statements).map(|(after, before)| (after - before) as f64 / took);
    Ok(Step { rate, latency: stage.board.take_latency(), cores, statements, missing, wrong })
}

fn row(name: &str, stage: &Stage<'_>, step: &Step) -> Vec<String> {
    let Step { rate, latency, cores, statements, missing, wrong } = step;
    vec![
        name.to_owned(),
        rate.to_string(),
        format!("{:.0}", latency.count as f64 / stage.args.seconds as f64),
        format!("{:.1}", latency.p50),
        format!("{:.1}", latency.p99),
        format!("{:.1}", latency.most),
        format!("{cores:.2}"),
        statements.map_or_else(String::new, |statements| format!("{statements:.0}")),
        format!("{:.1}", stage.kib),
        missing.to_string(),
        wrong.to_string(),
    ]
}

/// Each side of a connection is an open file, of this process or of the server, which inherits the limit.
fn check_open_files(subscribers: usize) -> anyhow::Result<()> {
    let limits = std::fs::read_to_string("/proc/self/limits").context("the limits of this process")?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).context("no limit")?;
    let limit = line.split_whitespace().next().unwrap_or_default();
    let limit = limit.parse::<usize>().unwrap_or(usize::MAX);
    let needed = subscribers + 500;
    ensure!(
        limit >= needed,
        "{limit} files may be open, and {needed} will be: run `ulimit -n {needed}` first"
    );
    Ok(())
}
