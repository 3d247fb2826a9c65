//! A worker at work: one task that takes each of its steps when it is due, and never two at once.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use pulse_store::StoreError;
use pulse_types::{JobId, OrgId};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::Worker;
use super::claim::{Place, Wanted};
use super::listen::Listener;
use crate::attempt::{self, Ended, Outcome};
use crate::measure::Depth;
use crate::{Job, JobContext};

/// How long to wait after a step that failed, such as while the database is away.
const PAUSE: Duration = Duration::from_secs(1);

/// How often what waits is counted.
const COUNT: Duration = Duration::from_secs(15);

/// Other processes are told at most once in this time that there is more than this one can do.
const TELL: Duration = Duration::from_millis(100);

/// For how long slots stay lent to a tenant beyond its share while jobs of others wait and no slot gets free.
const LENT: Duration = Duration::from_secs(1);

/// A job that runs here.
struct Running {
    tenant: Option<OrgId>,
    since: Instant,
    claims: i32,
    context: Arc<JobContext>,
    verdict: Option<oneshot::Sender<Outcome>>,
}

pub(super) struct Shift {
    worker: Worker,
    attempts: JoinSet<Ended>,
    running: HashMap<JobId, Running>,
    /// Has ended and is not recorded yet.
    ended: Vec<Ended>,
    stopping: CancellationToken,
    place: Place,
    /// Whether there may be something to claim.
    look: bool,
    /// Whether a job that runs may have been cancelled.
    ask: bool,
    next_due: Option<DateTime<Utc>>,
    next_run: Option<DateTime<Utc>>,
    /// Whether the fixed schedules are in the database.
    scheduled: bool,
    renewed: Instant,
    swept: Instant,
    counted: Option<Instant>,
    told: Instant,
    /// When jobs were last looked for.
    claimed: Instant,
    depth: Depth,
}

impl Shift {
    pub(super) fn new(worker: Worker) -> Self {
        let now = Instant::now();
        let swept = now.checked_sub(worker.options.idle).unwrap_or(now);
        Self {
            scheduled: worker.schedules.is_empty(),
            worker,
            attempts: JoinSet::new(),
            running: HashMap::new(),
            ended: Vec::new(),
            stopping: CancellationToken::new(),
            place: Place::default(),
            look: true,
            ask: false,
            next_due: None,
            next_run: None,
            renewed: now,
            swept,
            counted: None,
            told: now,
            claimed: now,
            depth: Depth::default(),
        }
    }

    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut listener = Listener::new(self.worker.direct.clone());
        let signals = self.worker.store.clone();
        while !stop.is_cancelled() {
            listener.ensure().await;
            let pause = self.turn_or_log().await;
            tokio::select! {
                () = stop.cancelled() => break,
                Some(Ok(ended)) = self.attempts.join_next() => self.ended(ended),
                () = signals.enqueued().notified() => self.look = true,
                () = signals.cancelled().notified() => self.cancelled().await,
                () = listener.told() => (self.look, self.ask) = (true, true),
                () = sleep(pause) => {}
            }
        }
        self.close().await;
    }

    /// One turn, and how long until the next is due by the clock.
    async fn turn_or_log(&mut self) -> Duration {
        // A database that takes a connection and says nothing must not cost all leases.
        match timeout(self.worker.options.lease / 2, self.turn()).await {
            Ok(Ok(())) => return self.until_next(),
            Ok(Err(error)) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "jobs cannot be worked on");
            }
            Err(_) => tracing::warn!("the database does not answer; jobs cannot be worked on"),
        }
        if self.renewed.elapsed() >= self.worker.options.lease {
            self.lose(|_| true);
        }
        PAUSE
    }

    /// Does whatever is due now.
    async fn turn(&mut self) -> Result<(), StoreError> {
        // Short jobs that were claimed together are recorded together: whatever else is ready runs first.
        tokio::task::yield_now().await;
        while let Some(Ok(ended)) = self.attempts.try_join_next() {
            self.ended(ended);
        }
        self.look |= !self.ended.is_empty();
        if self.ask || self.renewed.elapsed() >= self.worker.options.lease / 3 {
            self.renew().await?;
        }
        if !self.scheduled {
            self.worker.keep_schedules().await?;
            self.scheduled = true;
        }
        let now = self.worker.store.clock().now();
        let sweep = self.swept.elapsed() >= self.worker.options.idle;
        if sweep || self.next_due.is_some_and(|due| due <= now) {
            let tended = self.worker.tend().await?;
            self.look |= tended.waiting;
            // Where something waits, the claim says when the next is due.
            self.next_due = tended.next_due.filter(|_| !tended.waiting);
            self.next_run = tended.next_run;
            self.swept = Instant::now();
        }
        // Where no slot gets free to claim for, schedules are looked at with every sweep.
        if self.next_run.is_some_and(|run| run <= now) || sweep && self.is_full() {
            self.worker.fire_schedules().await?;
            (self.look, self.next_run) = (true, None);
        }
        if self.look && !self.is_full() {
            let free = self.worker.options.concurrency - self.running.len();
            self.exchange(free, true).await?;
        } else if self.look && self.claimed.elapsed() >= LENT && self.has_lent() {
            self.claim_back().await?;
        } else if !self.ended.is_empty() {
            self.worker.finish(&self.ended).await?;
            self.ended.clear();
        }
        if self.counted.is_none_or(|counted| counted.elapsed() >= COUNT) {
            self.depth.measure(&self.worker.store).await?;
            self.counted = Some(Instant::now());
        }
        Ok(())
    }

    /// Records what has ended and takes what is next, together: at a thousand jobs a second each round trip counts.
    /// Returns how many were taken.
    async fn exchange(&mut self, limit: usize, lend: bool) -> Result<usize, StoreError> {
        let wanted = Wanted { limit, after: &self.place, lend };
        let claimed = self.worker.exchange(&self.ended, wanted).await?;
        self.ended.clear();
        self.claimed = Instant::now();
        let found = claimed.jobs.len();
        (self.next_due, self.next_run) = (claimed.next_due, claimed.next_run);
        (self.look, self.place) = (claimed.more, claimed.next);
        for job in claimed.jobs {
            self.start(job);
        }
        if found == limit && self.told.elapsed() >= TELL {
            self.told = Instant::now();
            self.worker.tell_others().await?;
        }
        Ok(found)
    }

    /// Takes what others have waiting although no slot is free, and gives back as many jobs of those who have more than
    /// their share: the newest, which have done the least. Nothing is given back for what could not run anyway.
    async fn claim_back(&mut self) -> Result<(), StoreError> {
        let lent = self.lent();
        let found = self.exchange(lent.len(), false).await?;
        for id in &lent[..found] {
            if let Some(verdict) = self.running.get_mut(id).and_then(|running| running.verdict.take()) {
                // It may have ended by itself at this moment.
                let _ended = verdict.send(Outcome::Returned);
            }
        }
        Ok(())
    }

    /// The jobs beyond their tenants' shares, the newest first.
    fn lent(&self) -> Vec<JobId> {
        let mut oldest: Vec<_> =
            self.running.iter().filter(|(_, running)| running.verdict.is_some()).collect();
        oldest.sort_unstable_by_key(|(id, running)| (running.since, **id));
        let mut of_tenant = HashMap::<OrgId, usize>::new();
        let mut lent = Vec::new();
        for (id, running) in oldest {
            let Some(tenant) = running.tenant else { continue };
            let count = of_tenant.entry(tenant).or_default();
            *count += 1;
            if *count > self.worker.options.tenant_slots {
                lent.push(*id);
            }
        }
        lent.reverse();
        lent
    }

    fn has_lent(&self) -> bool {
        !self.lent().is_empty()
    }

    fn start(&mut self, job: Job) {
        let Some(kind) = self.worker.kinds.get(&job.kind).cloned() else { return };
        let context = Arc::new(JobContext::new(self.worker.store.clone(), &job, self.stopping.clone()));
        let (give, verdict) = oneshot::channel();
        if self.running.is_empty() {
            self.renewed = Instant::now();
        }
        let running = Running {
            tenant: job.tenant,
            since: Instant::now(),
            claims: job.claims,
            context: Arc::clone(&context),
            verdict: Some(give),
        };
        self.running.insert(job.id, running);
        self.attempts.spawn(attempt::run(kind, job, context, verdict, self.worker.options.cancel_grace));
    }

    fn ended(&mut self, ended: Ended) {
        // A job that was lost may have come back to this worker, as another claim.
        if self.running.get(&ended.id).is_some_and(|running| running.claims == ended.claims) {
            self.running.remove(&ended.id);
        }
        self.ended.push(ended);
    }

    async fn renew(&mut self) -> Result<(), StoreError> {
        if !self.running.is_empty() {
            let mine: Vec<_> = self.running.iter().map(|(id, running)| (*id, running.claims)).collect();
            let kept: HashMap<JobId, bool> = self.worker.renew(&mine).await?.into_iter().collect();
            self.lose(|id| !kept.contains_key(id));
            for (id, running) in &self.running {
                if kept.get(id).is_some_and(|cancelled| *cancelled) {
                    running.context.cancelled().cancel();
                }
            }
        }
        self.ask = false;
        self.renewed = Instant::now();
        Ok(())
    }

    /// Ends what other workers have taken.
    fn lose(&mut self, lost: impl Fn(&JobId) -> bool) {
        for (_, running) in self.running.iter_mut().filter(|(id, _)| lost(id)) {
            if let Some(verdict) = running.verdict.take() {
                // It may have ended by itself at this moment.
                let _ended = verdict.send(Outcome::Lost);
            }
        }
    }

    /// Looks after what runs here, and has the other workers do so.
    async fn cancelled(&mut self) {
        self.ask = true;
        if let Err(error) = self.worker.tell_others().await {
            tracing::debug!(%error, "others find what was cancelled when they renew their leases");
        }
    }

    fn is_full(&self) -> bool {
        self.running.len() >= self.worker.options.concurrency
    }

    fn until_next(&self) -> Duration {
        if self.look && !self.is_full() {
            return Duration::ZERO;
        }
        let now = self.worker.store.clock().now();
        let until = |at: DateTime<Utc>| (at - now).to_std().unwrap_or_default();
        let left = |since: Instant, all: Duration| all.saturating_sub(since.elapsed());
        let renew = (!self.running.is_empty()).then(|| left(self.renewed, self.worker.options.lease / 3));
        let count = self.counted.map(|counted| left(counted, COUNT));
        let take_back = (self.look && self.has_lent()).then(|| left(self.claimed, LENT));
        let clocks = [renew, count, take_back, self.next_due.map(until), self.next_run.map(until)];
        let sweep = left(self.swept, self.worker.options.idle);
        clocks.into_iter().flatten().fold(sweep, Duration::min)
    }

    /// Takes no more jobs, lets those that run end, and gives back what has not ended in time.
    async fn close(mut self) {
        self.stopping.cancel();
        let until = Instant::now() + self.worker.options.drain;
        while !self.attempts.is_empty() {
            let renew = self.renewed + self.worker.options.lease / 3;
            tokio::select! {
                Some(Ok(ended)) = self.attempts.join_next() => self.ended(ended),
                () = sleep_until(until) => break,
                () = sleep_until(renew) => if let Err(error) = self.renew().await {
                    tracing::warn!(%error, "leases cannot be renewed");
                    self.renewed = Instant::now();
                }
            }
            self.record().await;
        }
        for running in self.running.values_mut() {
            if let Some(verdict) = running.verdict.take() {
                let _ended = verdict.send(Outcome::Returned);
            }
        }
        let mut returned = false;
        while let Some(ended) = self.attempts.join_next().await {
            if let Ok(ended) = ended {
                returned |= matches!(ended.outcome, Outcome::Returned);
                self.ended(ended);
            }
        }
        self.record().await;
        if returned && let Err(error) = self.worker.tell_others().await {
            tracing::debug!(%error, "others find what was given back at their next sweep");
        }
    }

    async fn record(&mut self) {
        if self.ended.is_empty() {
            return;
        }
        match self.worker.finish(&self.ended).await {
            Ok(()) => self.ended.clear(),
            Err(error) => tracing::warn!(%error, "how jobs ended cannot be recorded; they will run again"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use async_trait::async_trait;
    use pulse_store::{PoolOptions, Store};
    use pulse_testkit::TestDatabase;
    use pulse_types::Clock;

    use super::*;
    use crate::{JobError, JobHandler, WorkerOptions};

    struct Nothing;

    #[async_trait]
    impl JobHandler for Nothing {
        fn kind(&self) -> &'static str {
            "test.job"
        }

        async fn run(&self, _: &Job, _: &JobContext) -> Result<(), JobError> {
            Ok(())
        }
    }

    /// A shift that sweeps with each turn and has just begun.
    async fn begun(database: &TestDatabase) -> (Shift, Store) {
        let store = Store::new(database.options(), &PoolOptions::default(), Clock::system());
        let options = WorkerOptions { idle: Duration::ZERO, ..WorkerOptions::default() };
        let handler: Arc<dyn JobHandler> = Arc::new(Nothing);
        let mut shift = Shift::new(Worker::new(store.clone(), [handler], options));
        shift.turn().await.unwrap();
        (shift, store)
    }

    #[tokio::test]
    async fn a_sweep_that_finds_nothing_is_one_statement() {
        let database = TestDatabase::new().await.unwrap();
        let (mut shift, store) = begun(&database).await;
        let before = store.statistics().statements();
        for _ in 0..5 {
            shift.turn().await.unwrap();
        }
        assert_eq!(store.statistics().statements() - before, 5);
    }

    #[tokio::test]
    async fn a_sweep_finds_what_nobody_told_of() {
        let database = TestDatabase::new().await.unwrap();
        let (mut shift, store) = begun(&database).await;
        let enqueue =
            "INSERT INTO platform.jobs (id, kind, payload, priority, max_attempts, run_at, ready, created_at)
                       SELECT gen_random_uuid(), 'test.job', '{}', 0, 3, now() + delay, delay = '0', now()
                         FROM unnest('{0, 1 hour}'::interval[]) AS delay";
        sqlx::query(enqueue).execute(&mut database.connect().await.unwrap()).await.unwrap();
        shift.turn().await.unwrap();
        assert_eq!(shift.running.len(), 1);
        // It ends, and the next sweep says when the other one is due.
        let ended = shift.attempts.join_next().await.unwrap().unwrap();
        shift.ended(ended);
        shift.turn().await.unwrap();
        shift.turn().await.unwrap();
        assert!(shift.running.is_empty() && !shift.look);
        assert!(shift.next_due.is_some_and(|due| due > store.clock().now()));
    }
}
