//! kill -9 of gateway, worker, Redis, publisher or a subgraph's process at random points, while clients follow and writers write: each client
//! hears every event that it may hear exactly once and in order, and every job is done, by its key once.

mod client;
mod expected;
mod jobs;
mod processes;
mod tenant;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use chrono::{DateTime, Utc};
use futures::future::join_all;
use pulse_testkit::TestDatabase;
use pulse_types::Clock;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use client::Client;
use expected::Expected;
use processes::{Processes, Victim};
use tenant::Tenant;

/// How long clients and jobs have at the end, when nothing is killed any more.
const PATIENCE: Duration = Duration::from_mins(3);

/// No more rounds are begun after this, unless their number was asked for.
const TEST_TIME: Duration = Duration::from_secs(10);

/// Which randomness, and how much of it; more by `PULSE_SOAK_ROUNDS`, from another seed by `PULSE_SOAK_SEED`.
struct Extent {
    seed: u64,
    rounds: u64,
    clients: u64,
    /// For how long rounds are begun, unless their number was asked for.
    time: Option<Duration>,
}

impl Extent {
    fn of_environment() -> anyhow::Result<Self> {
        #[expect(
            clippy::disallowed_methods,
            reason = "a test is told by its environment how long it may take"
        )]
        let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>()).transpose();
        let seed = number("PULSE_SOAK_SEED")?.unwrap_or(1);
        let extent = match number("PULSE_SOAK_ROUNDS")? {
            Some(rounds) => Self { seed, rounds, clients: 100, time: None },
            None => Self { seed, rounds: 6, clients: 24, time: Some(TEST_TIME) },
        };
        eprintln!("seed {seed}, {} clients, up to {} rounds", extent.clients, extent.rounds);
        Ok(extent)
    }

    fn random(&self, stream: u64) -> StdRng {
        StdRng::seed_from_u64(self.seed.wrapping_mul(1_000_003).wrapping_add(stream))
    }
}

/// What was killed when.
pub(crate) struct Round {
    number: u64,
    victim: Victim,
    at: DateTime<Utc>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_killed_each_client_hears_each_event_once_and_each_job_is_done() -> anyhow::Result<()> {
    let extent = Extent::of_environment()?;
    let database = TestDatabase::new().await?;
    let tenants = [Tenant::found(&database, "alpha").await?, Tenant::found(&database, "beta").await?];
    let mut processes = Processes::start(&database).await?;
    for tenant in &tenants {
        tenant.sign_in(processes.gateway_url()).await?;
        tenant.make_types(processes.gateway_url()).await?;
    }
    let begin = expected::end_of_log(&database).await?;
    let stop = CancellationToken::new();
    let clients: Vec<_> = (0..extent.clients)
        .map(|number| {
            let tenant = &tenants[usize::try_from(number % 2).expect("0 or 1")];
            Arc::new(Client::new(number, tenant, begin.clone(), extent.random(100 + number)))
        })
        .collect();
    let mut following = JoinSet::new();
    for client in &clients {
        following.spawn(Arc::clone(client).follow(processes.gateway_url().to_owned(), stop.clone()));
    }
    let mut writing = JoinSet::new();
    let no_more = CancellationToken::new();
    for (number, tenant) in (0..).zip(&tenants) {
        let random = extent.random(10 + number);
        let url = processes.gateway_url().to_owned();
        writing.spawn(writer::write(tenant.clone(), url, random, no_more.clone()));
    }

    let rounds = run_rounds(&extent, &mut processes).await?;
    no_more.cancel();
    let mut deleted = Vec::new();
    for written in writing.join_all().await {
        deleted.extend(written?);
    }
    let jobs = jobs::all_done(&database, &deleted).await.with_context(|| told(&extent, &rounds));
    let outcome = judge(&database, &clients, (&begin, &rounds)).await.with_context(|| told(&extent, &rounds));
    stop.cancel();
    following.join_all().await;
    processes.stop().await?;
    jobs?;
    outcome
}

/// Kills and starts again, round after round.
async fn run_rounds(extent: &Extent, processes: &mut Processes) -> anyhow::Result<Vec<Round>> {
    let (mut random, mut rounds, began) = (extent.random(1), Vec::new(), Instant::now());
    for number in 1..=extent.rounds {
        if extent.time.is_some_and(|time| began.elapsed() > time) {
            break;
        }
        let victim = *Victim::ALL.choose(&mut random).expect("there are some");
        pass(Duration::from_millis(random.random_range(0..600))).await;
        rounds.push(Round { number, victim, at: Clock::system().now() });
        let away = Duration::from_millis(random.random_range(0..400));
        let killed = processes.kill_and_start(victim, away, random.random_range(0..6)).await;
        killed.with_context(|| told(extent, &rounds))?;
        if number % 20 == 0 {
            eprintln!("{number} rounds in {} s", began.elapsed().as_secs());
        }
    }
    eprintln!("{} rounds in {} s", rounds.len(), began.elapsed().as_secs());
    Ok(rounds)
}

/// Lets time pass: at which moment something is killed, and for how long it is away, is what this test is about.
async fn pass(time: Duration) {
    let nothing = timeout(time, std::future::pending::<()>()).await;
    nothing.expect_err("nothing comes");
}

fn told(extent: &Extent, rounds: &[Round]) -> String {
    let last = rounds.last().map_or("before the first round".to_owned(), |round| {
        format!("round {} ({:?} at {})", round.number, round.victim, round.at)
    });
    format!("seed {}, last {last}", extent.seed)
}

/// In which round something was written; 0 for before the first.
fn round_at(rounds: &[Round], at: DateTime<Utc>) -> u64 {
    rounds.iter().rev().find(|round| round.at <= at).map_or(0, |round| round.number)
}

/// Waits until each client has heard its last event, and compares what it heard with what the log says.
async fn judge(
    database: &TestDatabase,
    clients: &[Arc<Client>],
    (begin, rounds): (&str, &[Round]),
) -> anyhow::Result<()> {
    let expected = Expected::read(database, begin).await?;
    let heard = clients.iter().map(|client| async {
        let wanted = expected.of(client);
        let last = wanted.last().map_or(0, |event| event.position);
        // Whether it heard all of it is told below, with what is missing.
        drop(timeout(PATIENCE, client.hears(last)).await);
        client.compare(&wanted, rounds)
    });
    let problems: Vec<_> = join_all(heard).await.into_iter().filter_map(Result::err).collect();
    let (events, deliveries) = (expected.len(), clients.iter().map(|client| client.count()).sum::<usize>());
    let reconnects: u64 = clients.iter().map(|client| client.connects()).sum();
    eprintln!("{events} events, {deliveries} deliveries over {reconnects} connections");
    anyhow::ensure!(deliveries > 0, "nobody heard anything");
    anyhow::ensure!(problems.is_empty(), "{}", problems.join("\n"));
    Ok(())
}
