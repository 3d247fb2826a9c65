//! One server with its database, its writers and those who listen.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pulse_bench_harness::child::Server;
use pulse_bench_harness::table::say;
use pulse_events::Waker;
use pulse_store::{PoolOptions, Store};
use pulse_testkit::TestDatabase;
use pulse_types::{Clock, OrgId};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::Args;
use super::board::Board;
use super::row::Row;
use super::server::{self, Watched};
use super::subscribers::{Audience, Dialect, Subscriber};
use super::writers::{Way, Writers};
use crate::platform::access_token;

/// How long a server has to come to rest.
const REST: Duration = Duration::from_secs(3);

/// How long nothing may be heard before what is missing counts as lost.
const SILENCE: Duration = Duration::from_secs(2);

/// How many events one topic may have.
const EVENTS: usize = 10_000;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Kind {
    /// axum, a listener and a broadcast.
    Bare,
    /// Pulse, all subscribers the same caller: those with the same filter share a stream.
    Shared,
    /// Pulse, each subscriber another caller: nobody shares anything.
    Distinct,
    /// Pulse as with one caller, the gateway in a process of its own: what is measured is that process.
    Apart,
}

impl Kind {
    pub(crate) const fn is_pulse(self) -> bool {
        !matches!(self, Self::Bare)
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Bare => "LISTEN and a broadcast",
            Self::Shared => "Pulse, one caller",
            Self::Distinct => "Pulse, each another caller",
            Self::Apart => "Pulse, one caller, gateway apart",
        }
    }
}

pub(crate) struct Stage<'a> {
    kind: Kind,
    args: &'a Args,
    server: Watched,
    board: Arc<Board>,
    writers: Writers,
    org: OrgId,
    /// Without subscribers, in KiB.
    memory: f64,
    audience: Option<Audience>,
    /// The processes behind the server, where there are some.
    _behind: Vec<Server>,
    _waker: Option<AbortOnDropHandle<()>>,
    _database: TestDatabase,
}

impl<'a> Stage<'a> {
    pub(crate) async fn start(kind: Kind, args: &'a Args) -> anyhow::Result<Self> {
        let database = TestDatabase::new().await?;
        let (clock, url) = (Clock::system(), database.url());
        let org = OrgId::new(clock.now());
        let board = Arc::new(Board::new(args.topics(), EVENTS));
        let (way, waker) = if kind.is_pulse() {
            let store = Store::new(database.options(), &PoolOptions::default(), clock);
            let waker = Waker::new(store.clone(), database.options()).run(CancellationToken::new());
            (Way::Pulse(store, org), Some(AbortOnDropHandle::new(tokio::spawn(waker))))
        } else {
            (Way::Bare(database.pool(4)), None)
        };
        let writers = Writers::new(way, Arc::clone(&board), args.topics()).await?;
        let (server, behind) = match kind {
            Kind::Bare => {
                let topics = args.topics().to_string();
                (server::start(&["live-bare-server", &url, &topics], false).await?, Vec::new())
            }
            Kind::Shared | Kind::Distinct => {
                let subscribers = args.subscribers.to_string();
                (server::start(&["live-server", &url, &subscribers], true).await?, Vec::new())
            }
            Kind::Apart => server::start_apart(&url, args.subscribers).await?,
        };
        sleep(REST).await;
        let (memory, audience) = (0.0, None);
        Ok(Self {
            kind,
            args,
            server,
            board,
            writers,
            org,
            memory,
            audience,
            _behind: behind,
            _waker: waker,
            _database: database,
        })
    }

    pub(crate) const fn kind(&self) -> Kind {
        self.kind
    }

    /// What the server does for nothing.
    pub(crate) async fn idle(&self) -> anyhow::Result<Row> {
        let before = self.server.by_name().await?;
        let (started, cpu) = (Instant::now(), self.server.server.cpu_ms()?);
        sleep(Duration::from_secs(self.args.idle)).await;
        let (took, cpu) = (started.elapsed().as_secs_f64(), self.server.server.cpu_ms()? - cpu);
        let mut most = self.server.by_name().await?;
        for (name, count) in &mut most {
            *count -= before.iter().find(|(other, _)| other == name).map_or(0.0, |(_, count)| *count);
        }
        let all: f64 = most.iter().map(|(_, count)| count).sum();
        most.retain(|(_, count)| *count > 0.0);
        most.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        say(&format!("statements in {took:.0} s of rest: {most:?}"));
        Ok(Row { cpu: cpu / took / 10.0, statements: Some(all / took), ..self.row("at rest", 0.0) })
    }

    /// Events that nobody listens to.
    pub(crate) async fn nobody(&mut self) -> anyhow::Result<Row> {
        let row = self.measure(self.args.rate).await?;
        sleep(REST).await;
        self.memory = self.server.server.resident_kib()?;
        Ok(Row { seen: None, ..row })
    }

    /// Connects all subscribers; those that there were leave before.
    pub(crate) async fn fill(&mut self) -> anyhow::Result<Row> {
        if let Some(audience) = self.audience.take() {
            audience.leave().await;
            sleep(REST).await;
            self.board.take();
        }
        let (started, cpu) = (Instant::now(), self.server.server.cpu_ms()?);
        let before = self.server.statements().await?.unwrap_or(0.0);
        let one = access_token(self.org)?;
        let topics = self.args.topics();
        let mut subscribers = Vec::new();
        for number in 0..self.args.subscribers {
            let dialect = match self.kind {
                Kind::Bare => Dialect::Bare,
                Kind::Shared | Kind::Apart => Dialect::Graphql(one.clone()),
                Kind::Distinct => Dialect::Graphql(access_token(self.org)?),
            };
            // A topic has as many of one kind as of the other.
            let by_socket = (number / topics).is_multiple_of(2);
            let (topic, first) = (number % topics, self.writers.next_of(number % topics));
            subscribers.push(Subscriber { topic, first, by_socket, dialect });
        }
        let address = self.server.server.address;
        self.audience = Some(Audience::connect(address, &self.board, subscribers).await?);
        self.server.streams(self.args.subscribers).await?;
        let (took, cpu) = (started.elapsed().as_secs_f64(), self.server.server.cpu_ms()? - cpu);
        let statements = self.server.statements().await?.map(|after| (after - before) / took);
        say(&format!("{}: {} subscribers came in {took:.1} s", self.kind.name(), self.args.subscribers));
        sleep(REST).await;
        Ok(Row { cpu: cpu / took / 10.0, statements, ..self.row("while they come", 0.0) })
    }

    /// So many events a second for a while.
    pub(crate) async fn measure(&mut self, rate: u32) -> anyhow::Result<Row> {
        let before = self.server.statements().await?.unwrap_or(0.0);
        let (started, cpu) = (Instant::now(), self.server.server.cpu_ms()?);
        let written = self.writers.write(rate, self.args.time()).await?;
        let listeners = if self.audience.is_some() { self.args.subscribers / self.args.topics() } else { 0 };
        let expected = written.events * u64::try_from(listeners)?;
        self.heard(expected).await;
        let (took, cpu) = (started.elapsed().as_secs_f64(), self.server.server.cpu_ms()? - cpu);
        let statements = self.server.statements().await?.map(|after| (after - before) / took);
        let seen = self.board.take();
        #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52")]
        let per_second = |count: u64| count as f64 / written.took.as_secs_f64();
        Ok(Row {
            rate: (f64::from(rate), per_second(written.events)),
            deliveries: per_second(seen.received),
            seen: Some(seen),
            lost: expected.saturating_sub(seen.received),
            cpu: cpu / took / 10.0,
            statements,
            ..self.row("", f64::from(rate))
        })
    }

    /// Waits until all of it was heard, or nothing more comes.
    async fn heard(&self, expected: u64) {
        let (mut last, mut since) = (self.board.deliveries(), Instant::now());
        while last < expected && since.elapsed() < SILENCE {
            sleep(Duration::from_millis(10)).await;
            let now = self.board.deliveries();
            if now > last {
                (last, since) = (now, Instant::now());
            }
        }
    }

    fn row(&self, what: &str, rate: f64) -> Row {
        let name = if what.is_empty() { String::new() } else { format!(", {what}") };
        let subscribers = if self.audience.is_some() { self.args.subscribers } else { 0 };
        #[expect(clippy::cast_precision_loss, reason = "there are far fewer")]
        let kib = |now: f64| (subscribers > 0).then(|| (now - self.memory) / subscribers as f64);
        Row {
            name: format!("{}{name}", self.kind.name()),
            subscribers,
            rate: (rate, rate),
            deliveries: 0.0,
            seen: None,
            lost: 0,
            kib: self.server.server.resident_kib().ok().and_then(kib),
            cpu: 0.0,
            statements: None,
        }
    }

    /// Ends it all.
    pub(crate) async fn end(self) -> anyhow::Result<()> {
        if let Some(audience) = self.audience {
            audience.leave().await;
        }
        self.server.server.stop().await
    }
}
