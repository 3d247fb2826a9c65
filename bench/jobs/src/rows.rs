//! Runs each row of the table.

use std::time::{Duration, Instant};

use anyhow::Context;
use pulse_bench_harness::child::Server;
use pulse_bench_harness::table::{print, say};
use pulse_events::Waker;
use pulse_store::{PoolOptions, Store};
use pulse_testkit::TestDatabase;
use pulse_types::{Clock, OrgId};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::worker::{Report, reports};
use crate::{Args, bare, queue};

pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let mut rows = Vec::new();
    let database = TestDatabase::new().await?;
    let bare = f64::from(args.jobs) / bare::run(&database.url(), &args).await?.as_secs_f64();
    let dash = || "-".to_owned();
    rows.push(vec![
        "bare SQL".to_owned(),
        format!("{bare:.0}"),
        "1.00".to_owned(),
        dash(),
        dash(),
        dash(),
        dash(),
        dash(),
        dash(),
    ]);
    drop(database);
    for (name, of_tenant) in [("jobs of nobody", false), ("jobs of a tenant, told as events", true)] {
        let row = pulse(&args, of_tenant).await?;
        let latency = |per_mille: usize| {
            let sorted = &row.latencies;
            let at = sorted.get(sorted.len() * per_mille / 1000).copied().unwrap_or_default();
            format!("{:.1}", Duration::from_micros(at).as_secs_f64() * 1000.0)
        };
        rows.push(vec![
            name.to_owned(),
            format!("{:.0}", row.per_second),
            format!("{:.2}", row.per_second / bare),
            format!("{:.2}", row.statements_per_job),
            latency(500),
            latency(990),
            mib(row.before),
            mib(row.greatest),
            mib(row.after),
        ]);
    }
    say(&format!(
        "\n{} jobs, {} worker processes of {} at once, {}",
        args.jobs,
        args.workers,
        args.concurrency,
        if args.backlog { "all enqueued before the workers start" } else { "enqueued while they run" }
    ));
    let head = [
        "queue",
        "jobs/s",
        "of bare",
        "statements/job",
        "p50 ms",
        "p99 ms",
        "MiB before",
        "MiB most",
        "MiB after",
    ];
    print(&head, &rows);
    Ok(())
}

fn mib(bytes: i64) -> String {
    format!("{}.{}", bytes >> 20, ((bytes & 0xf_ffff) * 10) >> 20)
}

struct Row {
    per_second: f64,
    statements_per_job: f64,
    /// In microseconds, sorted.
    latencies: Vec<u64>,
    before: i64,
    greatest: i64,
    after: i64,
}

async fn pulse(args: &Args, of_tenant: bool) -> anyhow::Result<Row> {
    let database = TestDatabase::new().await?;
    let url = database.url();
    let mut connection = database.connect().await?;
    let clock = Clock::system();
    let tenant = of_tenant.then(|| OrgId::new(clock.now()));
    let store = Store::new(database.options(), &PoolOptions::default(), clock);
    let stop = CancellationToken::new();
    let waker = tokio::spawn(Waker::new(store.clone(), database.options()).run(stop.clone()));
    let before = queue::size(&mut connection, "platform.jobs").await?;
    let watch = queue::Watch::start(&url).await?;
    let mut started = Instant::now();
    if args.backlog {
        queue::enqueue_all(&store, tenant, args.jobs).await?;
        started = Instant::now();
    }
    let mut workers = Vec::new();
    for _ in 0..args.workers {
        workers.push(Server::start(&["worker", &url, &args.concurrency.to_string()]).await?);
    }
    if !args.backlog {
        started = Instant::now();
        queue::enqueue_all(&store, tenant, args.jobs).await?;
    }
    queue::emptied(&mut connection).await?;
    let took = started.elapsed();
    let tenths = watch.tenths();
    let done = reports(&workers).await?;
    let latencies = latencies(&store, tenant, args, &workers).await?;
    // The queue has been empty for a while: what vacuum leaves behind is what there is to say about bloat.
    let after = queue::size(&mut connection, "platform.jobs").await?;
    let ended = queue::size(&mut connection, "platform.jobs_ended").await?;
    say(&format!(
        "{} jobs in {:.1} s; platform.jobs_ended has {} MiB; platform.jobs at each tenth of the time, in MiB: {}",
        done.done,
        took.as_secs_f64(),
        ended >> 20,
        tenths.into_iter().map(mib).collect::<Vec<_>>().join(" ")
    ));
    stop.cancel();
    waker.await?;
    store.close().await;
    Ok(Row {
        per_second: f64::from(args.jobs) / took.as_secs_f64(),
        statements_per_job: ratio(&done, args.jobs),
        latencies,
        before,
        greatest: watch.greatest(),
        after,
    })
}

#[expect(clippy::cast_precision_loss, reason = "far fewer statements than 2^52")]
fn ratio(done: &Report, jobs: u32) -> f64 {
    done.statements as f64 / f64::from(jobs)
}

/// How long single jobs wait that come one by one.
async fn latencies(
    store: &Store,
    tenant: Option<OrgId>,
    args: &Args,
    workers: &[Server],
) -> anyhow::Result<Vec<u64>> {
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / args.rate);
    for _ in 0..args.rate * args.seconds {
        ticks.tick().await;
        let payload = json!({ "at": store.clock().now().timestamp_micros() });
        queue::enqueue(store, tenant, 1, &payload).await?;
    }
    let wanted = (args.rate * args.seconds) as usize;
    for _ in 0..500 {
        let mut latencies = reports(workers).await?.latencies;
        if latencies.len() >= wanted {
            latencies.sort_unstable();
            return Ok(latencies);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    None.context("some jobs were not run within ten seconds")
}
