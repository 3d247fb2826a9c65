//! The reads of one request.

use std::sync::{Arc, PoisonError};

use pulse_cache::{Cache, Freshness, Mark};
use pulse_types::{Caller, Subject, Tag};
use serde::Serialize;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::QueryAs;
use sqlx::{FromRow, Postgres};
use tokio::sync::Mutex;

use crate::looks::Unwritten;
use crate::{AuditFact, Begun, Connection, IdempotencyKey, Look, Store, StoreError, Tags, Write};

/// One request of one caller against one database.
///
/// Its reads are boxed: a driver's futures are several kilobytes large, and a GraphQL field's future, which is made and
/// moved for every value, is as large as the largest that its type may await.
///
/// The first read opens a read-only transaction; all reads up to the next write see that one snapshot. Cheap to clone:
/// clones are the same session.
#[derive(Debug, Clone)]
pub struct Session {
    inner: Arc<Inner>,
    tags: Option<Arc<Tags>>,
}

#[derive(Debug)]
struct Inner {
    store: Store,
    caller: Arc<Caller>,
    connection: Mutex<Option<Opened>>,
    /// Whether what is kept of former reads is as new as this caller has to have it, once that was asked.
    is_fresh: Mutex<Option<bool>>,
    /// Privileged reads that the audit does not know of yet.
    looks: std::sync::Mutex<Vec<Look>>,
}

/// A snapshot that is being read.
#[derive(Debug)]
struct Opened {
    connection: Connection,
    /// What was heard of changes before it was opened.
    mark: Mark,
}

impl Session {
    pub(crate) fn new(store: Store, caller: Arc<Caller>) -> Self {
        let (connection, is_fresh) = (Mutex::new(None), Mutex::new(None));
        let inner = Inner { store, caller, connection, is_fresh, looks: std::sync::Mutex::default() };
        Self { inner: Arc::new(inner), tags: None }
    }

    /// The same session, which also collects what it reads in `tags`.
    #[must_use]
    pub fn collecting(self, tags: Arc<Tags>) -> Self {
        Self { tags: Some(tags), ..self }
    }

    /// Says what an answer is made of. Who reads says so; where nobody collects it, it costs nothing.
    ///
    /// A row that was looked for by its id is tagged by it, found or not. What was looked for otherwise is tagged by those
    /// attributes of its condition that its events carry, which also covers the rows that were found.
    pub fn tag(&self, tag: impl FnOnce() -> Tag) {
        if let Some(tags) = &self.tags {
            tags.add([tag()]);
        }
    }

    /// The same for several.
    pub fn tag_all(&self, all: impl IntoIterator<Item = Tag>) {
        if let Some(tags) = &self.tags {
            tags.add(all);
        }
    }

    /// Says that the caller is shown what is not its own. What is shown leaves after the audit knows of it:
    /// [`Session::write_down_looks`].
    pub fn look(&self, look: Look) {
        self.inner.looks.lock().unwrap_or_else(PoisonError::into_inner).push(look);
    }

    /// Lets the audit know of the privileged reads until now, before anybody sees their answer. Waits for a write where the caller
    /// has not read the same within the last [`crate::LOOKS_WINDOW`], and counts it otherwise. What Pulse itself reads for
    /// nobody is not written down.
    pub async fn write_down_looks(&self) -> Result<(), StoreError> {
        let looks = std::mem::take(&mut *self.inner.looks.lock().unwrap_or_else(PoisonError::into_inner));
        if looks.is_empty() || self.caller().subject == Subject::System {
            return Ok(());
        }
        let (store, caller) = (&self.inner.store, &self.inner.caller);
        let now = store.clock().now();
        let Unwritten { seen, facts } = store.looks().unwritten(caller, &looks, now);
        if facts.is_empty() {
            return Ok(());
        }
        Box::pin(self.write_facts(facts)).await?;
        store.looks().written(caller, seen, now);
        Ok(())
    }

    /// A write of nothing but what was done.
    pub(crate) async fn write_facts(&self, mut facts: Vec<AuditFact>) -> Result<(), StoreError> {
        let Some(last) = facts.pop() else { return Ok(()) };
        let mut write = self.write().await?;
        for fact in facts {
            write.audit(fact);
        }
        write.commit(last).await
    }

    /// Who asks.
    pub fn caller(&self) -> &Caller {
        &self.inner.caller
    }

    /// The store that this session reads.
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// All rows.
    pub async fn fetch_all<O>(
        &self,
        statement: &'static str,
        query: QueryAs<'_, Postgres, O, PgArguments>,
    ) -> Result<Vec<O>, StoreError>
    where
        O: for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        Box::pin(async move {
            let mut slot = self.inner.connection.lock().await;
            let rows = self.opened(&mut slot).await?.fetch_all(statement, query).await;
            self.keep(&mut slot, rows)
        })
        .await
    }

    /// The one row, or none.
    pub async fn fetch_optional<O>(
        &self,
        statement: &'static str,
        query: QueryAs<'_, Postgres, O, PgArguments>,
    ) -> Result<Option<O>, StoreError>
    where
        O: for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        Box::pin(async move {
            let mut slot = self.inner.connection.lock().await;
            let row = self.opened(&mut slot).await?.fetch_optional(statement, query).await;
            self.keep(&mut slot, row)
        })
        .await
    }

    /// The one row that there must be.
    pub async fn fetch_one<O>(
        &self,
        statement: &'static str,
        query: QueryAs<'_, Postgres, O, PgArguments>,
    ) -> Result<O, StoreError>
    where
        O: for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        Box::pin(async move {
            let mut slot = self.inner.connection.lock().await;
            let row = self.opened(&mut slot).await?.fetch_one(statement, query).await;
            self.keep(&mut slot, row)
        })
        .await
    }

    /// Begins a write. Reads after it see what it committed.
    pub async fn write(&self) -> Result<Write, StoreError> {
        self.inner.connection.lock().await.take();
        let connection = self.inner.store.begin_write(&self.inner.caller).await?;
        Ok(Write::new(self.inner.store.clone(), Arc::clone(&self.inner.caller), connection))
    }

    /// Goes on with what `connection` has done, as the caller, a process: both are committed together, or neither is. For work of
    /// another role that ends with saying that it was done.
    pub async fn write_over(&self, mut connection: Connection) -> Result<Write, StoreError> {
        self.inner.connection.lock().await.take();
        let caller = self.caller();
        debug_assert!(!caller.is_narrowed(), "processes see all things");
        let go_on = sqlx::query(
            "SELECT set_config('role', 'pulse_app', true), set_config('pulse.org_id', $1, true),
                    set_config('pulse.user_id', $2, true)",
        )
        .bind(caller.org.map(|org| org.to_string()).unwrap_or_default())
        .bind(caller.user().map(|user| user.to_string()).unwrap_or_default());
        connection.execute("session.go_on", go_on).await?;
        Ok(Write::new(self.inner.store.clone(), Arc::clone(&self.inner.caller), connection))
    }

    /// Begins a write that is done once however often its request comes. `operation` names the write and `request` is
    /// all that it was asked for; the same key with another request is [`StoreError::KeyReused`]. Without a key, or
    /// without a tenant, it is an ordinary write.
    pub async fn write_once(
        &self,
        operation: &'static str,
        key: Option<&IdempotencyKey>,
        request: &(impl Serialize + Sync),
    ) -> Result<Begun, StoreError> {
        let write = self.write().await?;
        match key {
            Some(key) => write.claim(operation, key, request).await,
            None => Ok(Begun::New(write)),
        }
    }

    /// Ends the snapshot, if one is open: the next read sees what was committed until then. For those who stay, and must
    /// not keep a transaction while they wait.
    pub async fn forget(&self) {
        self.inner.connection.lock().await.take();
        self.inner.is_fresh.lock().await.take();
    }

    /// The same session, of which nobody collects what is read.
    pub(crate) fn silent(&self) -> Self {
        Self { inner: Arc::clone(&self.inner), tags: None }
    }

    /// A moment before what is read next.
    pub(crate) async fn mark(&self, cache: &Cache) -> Mark {
        self.inner.connection.lock().await.as_ref().map_or_else(|| cache.mark(), |opened| opened.mark)
    }

    /// How new what was kept has to be for this caller. They are asked about once.
    pub(crate) async fn freshness(&self, cache: &Cache) -> Freshness<'static> {
        let mut known = self.inner.is_fresh.lock().await;
        let is_fresh = match *known {
            Some(is_fresh) => is_fresh,
            None => *known.insert(cache.is_fresh(Freshness::OwnWrites(&self.inner.caller)).await),
        };
        if is_fresh { Freshness::AsHeard } else { Freshness::Behind }
    }

    pub(crate) fn shared_caller(&self) -> Arc<Caller> {
        Arc::clone(&self.inner.caller)
    }

    async fn opened<'a>(&self, slot: &'a mut Option<Opened>) -> Result<&'a mut Connection, StoreError> {
        if slot.is_none() {
            let mark = self.inner.store.cache().map_or(Mark::NEVER, Cache::mark);
            *slot = Some(Opened { connection: self.inner.store.read(&self.inner.caller).await?, mark });
        }
        Ok(&mut slot.as_mut().expect("was just opened").connection)
    }

    /// A failed statement leaves its transaction unusable: the next read opens another.
    #[expect(clippy::unused_self, reason = "reads as a step of the methods above")]
    fn keep<T>(&self, slot: &mut Option<Opened>, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if result.is_err() {
            slot.take();
        }
        result
    }
}
