//! Enqueues through the write path, and watches the table.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use pulse_store::{AuditFact, NewJob, Store};
use pulse_types::{Caller, OrgId, RequestId};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use tokio::task::JoinSet;

pub(crate) const KIND: &str = "bench.nothing";

/// Jobs in one write.
pub(crate) const BATCH: u32 = 100;

/// Writes under way at once.
pub(crate) const WRITERS: u32 = 2;

pub(crate) async fn enqueue(
    store: &Store,
    tenant: Option<OrgId>,
    count: u32,
    payload: &Value,
) -> anyhow::Result<()> {
    let request = RequestId::new(store.clock().now());
    let caller = tenant.map_or_else(|| Caller::anonymous(request), |org| Caller::system(org, request));
    let mut write = store.session(Arc::new(caller)).write().await?;
    for _ in 0..count {
        let payload = payload.clone();
        write.enqueue(NewJob {
            kind: KIND,
            payload,
            priority: 0,
            max_attempts: 3,
            delay: Duration::ZERO,
            unique_key: None,
        });
    }
    let fact =
        AuditFact { action: "bench:enqueue", subject: "bench.jobs", key: None, version: None, items: 1 };
    Ok(write.commit(fact).await?)
}

/// Enqueues `jobs`, a batch a write, a few writes at once.
pub(crate) async fn enqueue_all(store: &Store, tenant: Option<OrgId>, jobs: u32) -> anyhow::Result<()> {
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let store = store.clone();
        writers.spawn(async move {
            for _ in (writer * BATCH..jobs).step_by((WRITERS * BATCH) as usize) {
                enqueue(&store, tenant, BATCH, &json!({})).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(done) = writers.join_next().await {
        done??;
    }
    Ok(())
}

/// Waits until the table is empty.
pub(crate) async fn emptied(connection: &mut PgConnection) -> anyhow::Result<()> {
    loop {
        let left: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM platform.jobs)")
            .fetch_one(&mut *connection)
            .await?;
        if !left {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The size of the table with its indexes, in bytes.
pub(crate) async fn size(connection: &mut PgConnection, table: &'static str) -> anyhow::Result<i64> {
    let query = sqlx::query_scalar("SELECT pg_total_relation_size($1::regclass)").bind(table);
    Ok(query.fetch_one(connection).await?)
}

/// Looks at the size of the table of jobs every now and then, until it is dropped.
pub(crate) struct Watch {
    sizes: Arc<Mutex<Vec<i64>>>,
    _task: JoinSet<()>,
}

impl Watch {
    pub(crate) async fn start(database: &str) -> anyhow::Result<Self> {
        let mut connection = PgConnection::connect(database).await?;
        let sizes = Arc::<Mutex<Vec<i64>>>::default();
        let told = Arc::clone(&sizes);
        let mut task = JoinSet::new();
        task.spawn(async move {
            while let Ok(size) = size(&mut connection, "platform.jobs").await {
                told.lock().expect("nobody panics with it").push(size);
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        });
        Ok(Self { sizes, _task: task })
    }

    /// The greatest so far.
    pub(crate) fn greatest(&self) -> i64 {
        self.sizes.lock().expect("nobody panics with it").iter().copied().max().unwrap_or(0)
    }

    /// How large it was at each tenth of the time until now: a table that bloats grows from one to the next.
    pub(crate) fn tenths(&self) -> Vec<i64> {
        let sizes = self.sizes.lock().expect("nobody panics with it");
        (1..=10).filter_map(|tenth| sizes.get((sizes.len() * tenth / 10).checked_sub(1)?).copied()).collect()
    }
}
