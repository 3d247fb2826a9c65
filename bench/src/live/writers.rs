//! Those who write: so many events a second, to one topic after the other.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pulse_store::{AuditFact, Event, EventKind, Store};
use pulse_types::{Caller, Clock, EntityId, OrgId, RequestId};
use serde_json::json;
use sqlx::PgPool;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use uuid::Uuid;

use super::board::Board;
use super::subscribers::topic_name;

/// Writers at once. Each has topics of its own, so that versions are committed in order.
const WRITERS: usize = 4;

/// Commits of one writer a second at most; beyond that each has more events.
const COMMITS: u32 = 25;

/// The channel and the table of the home-made way.
pub(crate) const BARE_CHANNEL: &str = "bench_live";
const BARE_TABLE: &str = "CREATE TABLE public.bench_live (topic int PRIMARY KEY, version bigint NOT NULL)";
const BARE_WRITE: &str =
    "WITH new AS (SELECT * FROM unnest($1::int[], $2::bigint[], $3::text[]) AS new (topic, version, event)),
     kept AS (INSERT INTO public.bench_live SELECT topic, version FROM new
              ON CONFLICT (topic) DO UPDATE SET version = excluded.version)
SELECT count(pg_notify('bench_live', event)) FROM new";

/// How events get into the database.
#[derive(Clone)]
pub(crate) enum Way {
    /// By a `Write`, as mutations write them.
    Pulse(Store, OrgId),
    /// By a statement that keeps the row and notifies.
    Bare(PgPool),
}

/// All writers, and what they have written so far.
pub(crate) struct Writers {
    way: Way,
    board: Arc<Board>,
    /// The last version of each topic.
    versions: Vec<u64>,
    keys: Arc<[Uuid]>,
}

/// What was written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Written {
    pub(crate) events: u64,
    pub(crate) took: Duration,
}

/// An event to be written.
#[derive(Debug, Clone, Copy)]
struct New {
    topic: usize,
    version: u64,
}

impl Writers {
    pub(crate) async fn new(way: Way, board: Arc<Board>, topics: usize) -> anyhow::Result<Self> {
        if let Way::Bare(pool) = &way {
            sqlx::raw_sql(BARE_TABLE).execute(pool).await?;
        }
        let clock = Clock::system();
        let keys = std::iter::repeat_with(|| EntityId::new(clock.now()).uuid()).take(topics).collect();
        Ok(Self { way, board, versions: vec![0; topics], keys })
    }

    /// What those who come now hear first of a topic.
    pub(crate) fn next_of(&self, topic: usize) -> u64 {
        self.versions[topic] + 1
    }

    /// Writes so many events a second for a while, as far as the database takes them.
    pub(crate) async fn write(&mut self, rate: u32, time: Duration) -> anyhow::Result<Written> {
        let started = Instant::now();
        let (until, mut tasks) = (started + time, JoinSet::new());
        for writer in 0..WRITERS {
            let topics = (writer..self.versions.len()).step_by(WRITERS).collect::<Vec<_>>();
            let share = rate.div_ceil(u32::try_from(WRITERS)?);
            let one = One {
                way: self.way.clone(),
                board: Arc::clone(&self.board),
                versions: topics.iter().map(|topic| (*topic, self.versions[*topic])).collect(),
                keys: Arc::clone(&self.keys),
            };
            tasks.spawn(one.write(share, until));
        }
        let mut events = 0;
        while let Some(done) = tasks.join_next().await {
            for (topic, version) in done?? {
                events += version - self.versions[topic];
                self.versions[topic] = version;
            }
        }
        Ok(Written { events, took: started.elapsed() })
    }
}

/// One writer.
struct One {
    way: Way,
    board: Arc<Board>,
    /// Its topics, each with its last version.
    versions: Vec<(usize, u64)>,
    keys: Arc<[Uuid]>,
}

impl One {
    /// Returns its topics and their last versions.
    async fn write(mut self, rate: u32, until: Instant) -> anyhow::Result<Vec<(usize, u64)>> {
        let each = rate.div_ceil(COMMITS).max(1);
        let mut ticks = interval(Duration::from_secs(1) * each / rate.max(1));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut turn = 0;
        loop {
            ticks.tick().await;
            if Instant::now() >= until {
                return Ok(self.versions);
            }
            let mut batch = Vec::new();
            for _ in 0..each {
                let count = self.versions.len();
                let (topic, version) = &mut self.versions[turn % count];
                turn += 1;
                if self.board.has_room(*version + 1) {
                    *version += 1;
                    batch.push(New { topic: *topic, version: *version });
                }
            }
            self.commit(&batch).await?;
            for New { topic, version } in batch {
                self.board.committed(topic, version);
            }
        }
    }

    async fn commit(&self, batch: &[New]) -> anyhow::Result<()> {
        match &self.way {
            Way::Pulse(store, org) => by_write(store, *org, batch, &self.keys).await,
            Way::Bare(pool) => by_notifying(pool, batch, &self.keys).await,
        }
    }
}

async fn by_write(store: &Store, org: OrgId, batch: &[New], keys: &[Uuid]) -> anyhow::Result<()> {
    let caller = Caller::system(org, RequestId::new(store.clock().now()));
    let mut write = store.session(Arc::new(caller)).write().await?;
    for New { topic, version } in batch {
        write.event(Event {
            kind: EventKind::Updated,
            subject: "entities.entity",
            key: keys[*topic],
            version: i64::try_from(*version)?,
            changed: vec!["name"],
            attributes: json!({ "type": topic_name(*topic) }),
            before: json!(null),
        });
    }
    let fact =
        AuditFact { action: "bench:live", subject: "entities.entity", key: None, version: None, items: 1 };
    Ok(write.commit(fact).await?)
}

async fn by_notifying(pool: &PgPool, batch: &[New], keys: &[Uuid]) -> anyhow::Result<()> {
    let topics = batch.iter().map(|new| i32::try_from(new.topic)).collect::<Result<Vec<_>, _>>()?;
    let versions = batch.iter().map(|new| i64::try_from(new.version)).collect::<Result<Vec<_>, _>>()?;
    let now = Clock::system().now();
    let event = |new: &New| {
        let change = json!({
            "id": keys[new.topic], "kind": "UPDATED", "version": new.version, "changedFields": ["name"],
            "at": now, "cursor": format!("{}:{}", keys[0].simple(), new.version),
        });
        json!({ "topic": new.topic, "data": { "entityChanged": change } }).to_string()
    };
    let events: Vec<_> = batch.iter().map(event).collect();
    sqlx::query(BARE_WRITE).bind(topics).bind(versions).bind(events).execute(pool).await?;
    Ok(())
}
