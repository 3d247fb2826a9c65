//! The comparison: one table, one statement that claims and deletes, nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sqlx::{Connection, PgConnection};
use tokio::task::JoinSet;

use crate::Args;
use crate::queue::{BATCH, WRITERS};

const TABLE: &str = "CREATE TABLE public.bare_jobs (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, payload jsonb NOT NULL)";

const INSERT: &str = "INSERT INTO public.bare_jobs (payload) SELECT '{}' FROM generate_series(1, $1)";

const CLAIM: &str = "DELETE FROM public.bare_jobs WHERE id = ANY (ARRAY(
    SELECT id FROM public.bare_jobs ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED))";

/// How long it takes to enqueue and take them all.
pub(crate) async fn run(database: &str, args: &Args) -> anyhow::Result<Duration> {
    sqlx::query(TABLE).execute(&mut PgConnection::connect(database).await?).await?;
    let started = Instant::now();
    let enqueued = Arc::new(AtomicBool::new(args.backlog));
    let mut writers = writers(database, args);
    if args.backlog {
        while let Some(done) = writers.join_next().await {
            done??;
        }
    }
    enqueued.store(false, Ordering::SeqCst);
    let mut claimers = JoinSet::new();
    for _ in 0..args.workers {
        let (database, enqueued, batch) =
            (database.to_owned(), Arc::clone(&enqueued), i64::from(args.concurrency));
        claimers.spawn(async move {
            let mut connection = PgConnection::connect(&database).await?;
            loop {
                let last = enqueued.load(Ordering::SeqCst);
                let taken = sqlx::query(CLAIM).bind(batch).execute(&mut connection).await?.rows_affected();
                if taken == 0 && last {
                    return anyhow::Ok(());
                }
            }
        });
    }
    while let Some(done) = writers.join_next().await {
        done??;
    }
    enqueued.store(true, Ordering::SeqCst);
    while let Some(done) = claimers.join_next().await {
        done??;
    }
    Ok(started.elapsed())
}

fn writers(database: &str, args: &Args) -> JoinSet<anyhow::Result<()>> {
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let (database, jobs) = (database.to_owned(), args.jobs);
        writers.spawn(async move {
            let mut connection = PgConnection::connect(&database).await?;
            for _ in (writer * BATCH..jobs).step_by((WRITERS * BATCH) as usize) {
                sqlx::query(INSERT).bind(i64::from(BATCH)).execute(&mut connection).await?;
            }
            anyhow::Ok(())
        });
    }
    writers
}
