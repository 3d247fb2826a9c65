//! The one unit of writing.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use pulse_cache::{Cache, Certainty};
pub use pulse_types::ChangeKind as EventKind;
use pulse_types::{Caller, Change, JobId, OrgId, UserId};
use serde::Serialize;
use sha2::{Digest, Sha256};
use uuid::{NoContext, Timestamp, Uuid};

use crate::{Connection, Store, StoreError};

/// One change that others may want to know of. Never carries personal values: readers fetch as themselves.
#[derive(Debug, Clone)]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// To what: `subgraph.type`.
    pub subject: &'static str,
    /// To which one.
    pub key: Uuid,
    /// Its version after the change.
    pub version: i64,
    /// Names of the fields that changed, without commas.
    pub changed: Vec<&'static str>,
    /// What subscribers route by; an object.
    pub attributes: serde_json::Value,
    /// Those attributes that were different before, as they were: an object, or null when none was.
    pub before: serde_json::Value,
}

/// What was done, for the audit. Values stand in the owner's history under `key` and `version`.
#[derive(Debug, Clone)]
pub struct AuditFact {
    /// What was done: `resource:action`.
    pub action: &'static str,
    /// To what: `subgraph.type`.
    pub subject: &'static str,
    /// To which one; `None` for a batch.
    pub key: Option<Uuid>,
    /// Its version after.
    pub version: Option<i64>,
    /// How many things: 1, or the size of the batch.
    pub items: i32,
}

/// Work to be done after the commit.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// Names the handler: `subgraph.what`.
    pub kind: &'static str,
    /// The handler's arguments: ids, never values of persons.
    pub payload: serde_json::Value,
    /// Higher runs first; 0 is usual.
    pub priority: i16,
    /// How often it may be started; 3 is usual.
    pub max_attempts: i32,
    /// How long to wait before the first attempt.
    pub delay: Duration,
    /// While a job of this kind and tenant with this key waits or runs, this one is not enqueued.
    pub unique_key: Option<String>,
}

/// A key by which a client makes a write safe to repeat: 1 to 255 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

/// A key of the wrong length.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an idempotency key has 1 to 255 characters, this one has {0}")]
pub struct InvalidIdempotencyKey(pub usize);

impl IdempotencyKey {
    /// Checks the length.
    pub fn try_new(key: String) -> Result<Self, InvalidIdempotencyKey> {
        match key.chars().count() {
            1..=255 => Ok(Self(key)),
            length => Err(InvalidIdempotencyKey(length)),
        }
    }
}

/// How a write that may be repeated begins.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "taken apart where it is made")]
pub enum Begun {
    /// For the first time: do it, and commit with [`Write::commit_with`].
    New(Write),
    /// It was done before, and this was its response.
    Repeated(serde_json::Value),
}

/// One transaction of changed rows, events, audit facts, the idempotency record and jobs: all or none.
///
/// Rows are written through the [`Connection`] that it derefs to. Dropped without a commit, nothing has happened.
#[derive(Debug)]
pub struct Write {
    connection: Connection,
    store: Store,
    caller: Arc<Caller>,
    org: Option<OrgId>,
    now: DateTime<Utc>,
    /// Each with whether it is told in no tenant.
    events: Vec<(Event, bool)>,
    facts: Vec<AuditFact>,
    jobs: Vec<NewJob>,
    claimed: Option<(&'static str, IdempotencyKey)>,
}

const WRITE_ALONG: &str = include_str!("queries/write_along.sql");

impl Write {
    pub(crate) fn new(store: Store, caller: Arc<Caller>, connection: Connection) -> Self {
        let (org, now) = (caller.org, store.clock().now());
        Self {
            connection,
            store,
            caller,
            org,
            now,
            events: vec![],
            facts: vec![],
            jobs: vec![],
            claimed: None,
        }
    }

    /// The time of this write: one for all that it does.
    pub const fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// Goes on inside `org`, which this write has just made or which was found before a tenant was known.
    pub async fn act_in(&mut self, org: OrgId) -> Result<(), StoreError> {
        self.org = Some(org);
        let set = sqlx::query("SELECT set_config('pulse.org_id', $1, true)").bind(org.to_string());
        self.connection.execute("session.act_in", set).await.map(drop)
    }

    /// Goes on as `user`, whom this write has just made or whose credential was just checked.
    pub async fn act_as(&mut self, user: UserId) -> Result<(), StoreError> {
        let set = sqlx::query("SELECT set_config('pulse.user_id', $1, true)").bind(user.to_string());
        self.connection.execute("session.act_as", set).await.map(drop)
    }

    /// Tells of a change, after the row is written.
    pub fn event(&mut self, event: Event) {
        self.events.push((event, false));
    }

    /// Tells everybody of a change, whatever tenant they act in: for what belongs to people, who are in several.
    pub fn event_of_no_tenant(&mut self, event: Event) {
        self.events.push((event, true));
    }

    /// Records something done beside what [`Write::commit`] records.
    pub fn audit(&mut self, fact: AuditFact) {
        self.facts.push(fact);
    }

    /// Enqueues a job.
    pub fn enqueue(&mut self, job: NewJob) {
        self.jobs.push(job);
    }

    /// Commits everything, with what was done.
    pub async fn commit(self, fact: AuditFact) -> Result<(), StoreError> {
        self.commit_with(fact, &serde_json::Value::Null).await
    }

    /// Commits everything; a repeated request gets `response`, which holds ids and versions, never values.
    pub async fn commit_with(
        mut self,
        fact: AuditFact,
        response: &serde_json::Value,
    ) -> Result<(), StoreError> {
        self.facts.push(fact);
        if let Some((operation, key)) = self.claimed.take() {
            let record = sqlx::query(
                "UPDATE platform.idempotency SET response = $1 WHERE actor = $2 AND operation = $3 AND key = $4",
            )
            .bind(response)
            .bind(self.actor().unwrap_or_default())
            .bind(operation)
            .bind(key.0);
            self.connection.execute("idempotency.answer", record).await?;
        }
        // Leaving the tenant, below, takes them away.
        let has_jobs = !self.jobs.is_empty();
        let events = std::mem::take(&mut self.events);
        // Without a tenant there is nothing to leave.
        let in_tenant = self.org.is_some();
        let (of_no_tenant, of_tenant): (Vec<_>, Vec<_>) =
            events.into_iter().partition(|(_, apart)| *apart && in_tenant);
        let mut told = Told::new(&self, &of_tenant, &of_no_tenant);
        self.write_along(&of_tenant).await?;
        if !of_no_tenant.is_empty() {
            self.write_of_no_tenant(&of_no_tenant).await?;
        }
        told.certainty = Some(Certainty::Unknown);
        self.connection.commit().await?;
        told.certainty = Some(Certainty::Committed);
        drop(told);
        self.store.committed().notify_one();
        if has_jobs {
            self.store.enqueued().notify_one();
        }
        Ok(())
    }

    /// Takes the key for this request, or finds what it answered. A request with the same key that is still running is
    /// waited for.
    pub(crate) async fn claim(
        mut self,
        operation: &'static str,
        key: &IdempotencyKey,
        request: &(impl Serialize + Sync),
    ) -> Result<Begun, StoreError> {
        let Some(org) = self.org else { return Ok(Begun::New(self)) };
        let actor = self.actor().unwrap_or_default();
        let digest = Sha256::digest(serde_json::to_vec(request).unwrap_or_default()).to_vec();
        let claim = sqlx::query(
            "INSERT INTO platform.idempotency (org_id, actor, operation, key, request, at)
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
        )
        .bind(org)
        .bind(actor)
        .bind(operation)
        .bind(&key.0)
        .bind(&digest)
        .bind(self.now);
        if self.connection.execute("idempotency.claim", claim).await? == 1 {
            self.claimed = Some((operation, key.clone()));
            return Ok(Begun::New(self));
        }
        let find = sqlx::query_as::<_, (Vec<u8>, Option<serde_json::Value>)>(
            "SELECT request, response FROM platform.idempotency
              WHERE org_id = $1 AND actor = $2 AND operation = $3 AND key = $4",
        )
        .bind(org)
        .bind(actor)
        .bind(operation)
        .bind(&key.0);
        let (request, response) = self.connection.fetch_one("idempotency.find", find).await?;
        if request == digest {
            Ok(Begun::Repeated(response.unwrap_or_default()))
        } else {
            Err(StoreError::KeyReused)
        }
    }

    /// Where the request came from, as the audit keeps it.
    fn address(&self) -> Option<String> {
        let address = self.caller.origin.as_ref().and_then(|origin| origin.address)?;
        self.store.kept_address().of(address)
    }

    fn actor(&self) -> Option<Uuid> {
        self.caller.actor().map(UserId::uuid)
    }

    /// The event as the log will tell of it; it has no position yet.
    fn change(&self, event: &Event, tenant: Option<OrgId>) -> Change {
        let map = |value: &serde_json::Value| value.as_object().cloned().unwrap_or_default();
        Change {
            position: 0,
            tenant,
            kind: event.kind,
            subject: event.subject.into(),
            key: event.key,
            version: event.version,
            changed: event.changed.iter().map(|field| (*field).to_owned()).collect(),
            attributes: map(&event.attributes),
            before: map(&event.before),
            actor: self.caller.actor(),
            request: Some(self.caller.request.uuid()),
            at: self.now,
            facts: Vec::new(),
        }
    }

    /// The events that belong to no tenant. The database lets a transaction write events of the tenant that it acts in
    /// alone, so this one leaves it first.
    async fn write_of_no_tenant(&mut self, events: &[(Event, bool)]) -> Result<(), StoreError> {
        (self.facts, self.jobs, self.org) = (vec![], vec![], None);
        let leave = sqlx::query("SELECT set_config('pulse.org_id', '', true)");
        self.connection.execute("session.leave", leave).await?;
        self.write_along(events).await
    }

    /// Events, audit facts and jobs in one statement.
    async fn write_along(&mut self, events: &[(Event, bool)]) -> Result<(), StoreError> {
        let Self { facts, jobs, now, .. } = &*self;
        let stamp = Timestamp::from_unix(
            NoContext,
            u64::try_from(now.timestamp()).unwrap_or(0),
            now.timestamp_subsec_nanos(),
        );
        let seconds = |delay: Duration| delay.as_secs_f64();
        let events = || events.iter().map(|(event, _)| event);
        let query = sqlx::query(WRITE_ALONG)
            .bind(self.org)
            .bind(self.actor())
            .bind(*now)
            .bind(self.caller.request)
            .bind(events().map(|event| event.kind.as_str()).collect::<Vec<_>>())
            .bind(events().map(|event| event.subject).collect::<Vec<_>>())
            .bind(events().map(|event| event.key).collect::<Vec<_>>())
            .bind(events().map(|event| event.version).collect::<Vec<_>>())
            .bind(events().map(|event| event.changed.join(",")).collect::<Vec<_>>())
            .bind(events().map(|event| event.attributes.clone()).collect::<Vec<_>>())
            .bind(events().map(|event| object(&event.before)).collect::<Vec<_>>())
            .bind(facts.iter().map(|_| Uuid::new_v7(stamp)).collect::<Vec<_>>())
            .bind(facts.iter().map(|fact| fact.action).collect::<Vec<_>>())
            .bind(facts.iter().map(|fact| fact.subject).collect::<Vec<_>>())
            .bind(facts.iter().map(|fact| fact.key).collect::<Vec<_>>())
            .bind(facts.iter().map(|fact| fact.version).collect::<Vec<_>>())
            .bind(facts.iter().map(|fact| fact.items).collect::<Vec<_>>())
            .bind(jobs.iter().map(|_| JobId::new(*now)).collect::<Vec<_>>())
            .bind(jobs.iter().map(|job| job.kind).collect::<Vec<_>>())
            .bind(jobs.iter().map(|job| job.payload.clone()).collect::<Vec<_>>())
            .bind(jobs.iter().map(|job| job.priority).collect::<Vec<_>>())
            .bind(jobs.iter().map(|job| job.max_attempts).collect::<Vec<_>>())
            .bind(jobs.iter().map(|job| seconds(job.delay)).collect::<Vec<_>>())
            .bind(jobs.iter().map(|job| job.unique_key.as_deref()).collect::<Vec<_>>())
            .bind(self.address());
        self.connection.execute("write.along", query).await.map(drop)
    }
}

/// Tells the cache of this process what was changed, however the commit ends: also when nobody waits for its answer.
struct Told {
    cache: Option<Cache>,
    changes: Vec<Change>,
    /// `None` as long as nothing can have been committed.
    certainty: Option<Certainty>,
}

impl Told {
    fn new(write: &Write, of_tenant: &[(Event, bool)], of_no_tenant: &[(Event, bool)]) -> Self {
        let cache = write.store.cache().cloned();
        let changes = if cache.is_some() {
            let here = of_tenant.iter().map(|(event, _)| write.change(event, write.org));
            here.chain(of_no_tenant.iter().map(|(event, _)| write.change(event, None))).collect()
        } else {
            Vec::new()
        };
        Self { cache, changes, certainty: None }
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        if let (Some(cache), Some(certainty)) = (&self.cache, self.certainty) {
            cache.invalidate(std::mem::take(&mut self.changes), certainty);
        }
    }
}

/// An attribute that was different makes an object; without one there is nothing to keep.
fn object(before: &serde_json::Value) -> Option<&serde_json::Value> {
    before.as_object().filter(|attributes| !attributes.is_empty()).map(|_| before)
}

impl Deref for Write {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl DerefMut for Write {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }
}
