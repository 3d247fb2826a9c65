//! Privileged reads, as the audit keeps them: the first of a while as itself, further ones by how many they were.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use pulse_types::{Caller, OrgId, RequestId, Subject};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::{AuditFact, Store, StoreError};

/// How long further reads of the same by the same caller are only counted.
pub const WINDOW: TimeDelta = TimeDelta::minutes(10);

/// How often counts of what is over are written down.
const SWEEP: Duration = Duration::from_mins(1);

/// How many reads are remembered at most; with one more, the windows of all of them are over.
const MOST: usize = 100_000;

/// A kind of privileged read: what belongs to others, or to the whole organization, is shown to somebody by a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Reading {
    /// What it is called in the audit: `resource:read`.
    pub action: &'static str,
    /// What the number of further reads of the same is called there: `resource:read_again`.
    pub again: &'static str,
    /// What is read: `subgraph.type`.
    pub subject: &'static str,
}

/// One privileged read.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    reading: Reading,
    key: Option<Uuid>,
    items: usize,
}

impl Reading {
    /// Of one thing.
    pub const fn of(self, key: Uuid) -> Look {
        Look { reading: self, key: Some(key), items: 1 }
    }

    /// Of a list of so many, which are not named one by one.
    pub const fn of_list(self, items: usize) -> Look {
        Look { reading: self, key: None, items }
    }
}

/// What reads were written down a short while ago, and how often they were repeated since.
#[derive(Debug, Default)]
pub(crate) struct Looks {
    known: Mutex<Known>,
    /// Told when somebody should write counts down early; see [`Store::settle_looks`].
    full: Notify,
}

#[derive(Debug, Default)]
struct Known {
    windows: HashMap<Seen, Window>,
    /// Of windows that are over.
    counted: Vec<Counted>,
}

/// Who has read what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Seen {
    org: Option<OrgId>,
    who: Subject,
    reading: Reading,
    key: Option<Uuid>,
}

#[derive(Debug)]
struct Window {
    until: DateTime<Utc>,
    again: i32,
    /// Who has read last, by which request, and from where.
    last: Arc<Caller>,
}

#[derive(Debug)]
struct Counted {
    last: Arc<Caller>,
    /// When the first read was written down, as what.
    since: DateTime<Utc>,
    first: &'static str,
    fact: AuditFact,
}

/// What one request has to write down before it is answered.
pub(crate) struct Unwritten {
    /// To be remembered once the facts are committed.
    pub(crate) seen: Vec<Seen>,
    pub(crate) facts: Vec<AuditFact>,
}

impl Looks {
    /// Counts what was written down a short while ago; the rest is to be written down now.
    pub(crate) fn unwritten(&self, caller: &Arc<Caller>, looks: &[Look], now: DateTime<Utc>) -> Unwritten {
        let mut sets: HashMap<(Reading, Option<Uuid>), usize> = HashMap::new();
        let mut order = Vec::new();
        for Look { reading, key, items } in looks {
            let set = sets.entry((*reading, *key)).or_insert_with(|| {
                order.push((*reading, *key));
                0
            });
            *set = if key.is_some() { 1 } else { *set + items };
        }
        let mut unwritten = Unwritten { seen: Vec::new(), facts: Vec::new() };
        let mut known = self.known();
        for (reading, key) in order {
            let seen = Seen { org: caller.org, who: caller.subject, reading, key };
            match known.windows.get_mut(&seen) {
                Some(window) if now < window.until => {
                    window.again = window.again.saturating_add(1);
                    window.last = Arc::clone(caller);
                }
                _ => {
                    let items = i32::try_from(sets[&(reading, key)]).unwrap_or(i32::MAX);
                    let Reading { action, subject, again: _ } = reading;
                    unwritten.facts.push(AuditFact { action, subject, key, version: None, items });
                    unwritten.seen.push(seen);
                }
            }
        }
        unwritten
    }

    /// From now on these are only counted, for a while: they are written down.
    pub(crate) fn written(&self, caller: &Arc<Caller>, seen: Vec<Seen>, now: DateTime<Utc>) {
        let mut known = self.known();
        for seen in seen {
            if known.windows.len() >= MOST && !known.windows.contains_key(&seen) {
                let Known { windows, counted } = &mut *known;
                counted.extend(windows.drain().filter_map(|(seen, window)| window.counted(&seen)));
                self.full.notify_one();
            }
            let window = Window { until: now + WINDOW, again: 0, last: Arc::clone(caller) };
            if let Some(over) = known.windows.insert(seen, window) {
                known.counted.extend(over.counted(&seen));
            }
        }
    }

    /// Takes what was counted in windows that are over, or in all.
    fn take(&self, over_at: Option<DateTime<Utc>>) -> Vec<Counted> {
        let mut known = self.known();
        let Known { windows, counted } = &mut *known;
        windows.retain(|seen, window| {
            let goes_on = over_at.is_some_and(|now| now < window.until);
            if !goes_on {
                counted.extend(window.counted(seen));
            }
            goes_on
        });
        std::mem::take(counted)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Window {
    fn counted(&self, Seen { reading, key, .. }: &Seen) -> Option<Counted> {
        let Reading { again: action, subject, action: first } = *reading;
        let fact = AuditFact { action, subject, key: *key, version: None, items: self.again };
        let since = self.until - WINDOW;
        (self.again > 0).then(|| Counted { last: Arc::clone(&self.last), since, first, fact })
    }
}

impl Store {
    /// Writes down how often privileged reads were repeated in the windows that are over; `all` ends those that are not as well.
    /// What cannot be written now is kept for the next time.
    pub async fn settle_looks(&self, all: bool) {
        let counted = self.looks().take((!all).then(|| self.clock().now()));
        // Clients choose the ids of their requests, and may choose the same one for others.
        let mut requests: HashMap<(Option<OrgId>, Subject, RequestId), Vec<Counted>> = HashMap::new();
        for counted in counted {
            let Caller { org, subject, request, .. } = *counted.last;
            requests.entry((org, subject, request)).or_default().push(counted);
        }
        for (_, counted) in requests {
            if let Err(error) = self.write_counts(&counted).await {
                tracing::warn!(%error, "how often something was read is written down later");
                self.looks().known().counted.extend(counted);
            }
        }
    }

    /// Writes down what one caller has read again by one request. Where the first read cannot be found any more, one of the two was erased
    /// meanwhile, and no new fact shall name them.
    async fn write_counts(&self, counted: &[Counted]) -> Result<(), StoreError> {
        let Some(Counted { last, .. }) = counted.first() else { return Ok(()) };
        let session = self.session(Arc::clone(last));
        let mut write = session.write().await?;
        let since = counted.iter().map(|counted| counted.since).min().unwrap_or_default();
        let find = sqlx::query_as(
            "SELECT nth - 1 FROM unnest($1::text[], $2::uuid[]) WITH ORDINALITY AS counted (action, key, nth)
              WHERE EXISTS (SELECT FROM platform.audit a WHERE a.action = counted.action AND a.id >= $3
                               AND a.actor IS NOT DISTINCT FROM $4 AND a.key IS NOT DISTINCT FROM counted.key)",
        )
        .bind(counted.iter().map(|counted| counted.first).collect::<Vec<_>>())
        .bind(counted.iter().map(|counted| counted.fact.key).collect::<Vec<_>>())
        .bind(least(since))
        .bind(last.actor());
        let known: Vec<(i64,)> = write.fetch_all("audit.first_reads", find).await?;
        let known = known.iter().filter_map(|(nth,)| counted.get(usize::try_from(*nth).ok()?));
        let mut facts: Vec<_> = known.map(|counted| counted.fact.clone()).collect();
        let Some(fact) = facts.pop() else { return Ok(()) };
        for fact in facts {
            write.audit(fact);
        }
        write.commit(fact).await
    }

    /// Does that each minute, until it is dropped.
    pub async fn keep_looks_settled(self) {
        loop {
            // A wish to do it early is none that may not wait.
            drop(tokio::time::timeout(SWEEP, self.looks().full.notified()).await);
            self.settle_looks(false).await;
        }
    }
}

/// The least UUIDv7 of a time.
fn least(at: DateTime<Utc>) -> Uuid {
    let milliseconds = u128::try_from(at.timestamp_millis()).unwrap_or(0);
    Uuid::from_u128((milliseconds & 0xffff_ffff_ffff) << 80)
}
