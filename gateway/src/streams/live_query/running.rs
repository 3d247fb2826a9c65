//! One live query for all who follow it: it runs, tells the answer, and waits for something that concerns it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Instant;

use metrics::counter;
use pulse_types::{Caller, RequestId};
use tokio::sync::{Notify, watch};
use tokio_util::task::AbortOnDropHandle;

use super::snapshot::Snapshot;
use super::{Asked, Key, LiveQueries};
use crate::changes::{Changes, Reads, Watcher, Why};
use crate::engine::{ErrorCode, ExecutionContext, ExecutionResult, RequestError};

/// The newest answer, or why there will be no more; nothing before the first.
pub(super) type Newest = Option<Result<Arc<Snapshot>, Arc<[RequestError]>>>;

/// A live query that runs for as long as somebody holds it.
pub(super) struct Running {
    shared: Option<(Key, Weak<LiveQueries>)>,
    newest: watch::Receiver<Newest>,
    _task: AbortOnDropHandle<()>,
}

impl Running {
    pub(super) fn begin(asked: Asked, shared: Option<(Key, Weak<LiveQueries>)>) -> Arc<Self> {
        let (sender, newest) = watch::channel(None);
        let task = AbortOnDropHandle::new(tokio::spawn(Work { asked, sender, last: None }.run()));
        Arc::new(Self { shared, newest, _task: task })
    }

    /// Whether it is what is asked for, and goes on.
    pub(super) fn is_for(&self, key: &Key) -> bool {
        let goes_on = !matches!(*self.newest.borrow(), Some(Err(_))) && self.newest.has_changed().is_ok();
        goes_on && self.shared.as_ref().is_some_and(|(own, _)| own.is_like(key))
    }

    pub(super) fn newest(&self) -> watch::Receiver<Newest> {
        self.newest.clone()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some((key, queries)) = &self.shared
            && let Some(queries) = queries.upgrade()
        {
            queries.forget(key.hash());
        }
    }
}

/// Runs it.
struct Work {
    asked: Asked,
    sender: watch::Sender<Newest>,
    /// What the last answer was made of.
    last: Option<Arc<Reads>>,
}

/// Wakes whoever waits for it.
#[derive(Default)]
struct Signal {
    notify: Notify,
    is_deaf: AtomicBool,
}

impl Watcher for Signal {
    fn concerned(&self, why: Why) {
        self.is_deaf.fetch_or(why == Why::Deaf, Ordering::AcqRel);
        self.notify.notify_one();
    }
}

impl Work {
    async fn run(mut self) {
        // Nothing is live without a feed: the directive is not there.
        let Some(changes) = self.asked.state.changes.clone() else { return };
        if let Err(error) = self.answer_on(&changes).await {
            self.sender.send_replace(Some(Err(Arc::new([error]))));
        }
    }

    /// Answers again and again. The error is its end.
    async fn answer_on(&mut self, changes: &Arc<Changes>) -> Result<(), RequestError> {
        loop {
            let since = changes.position();
            let result = self.execute().await;
            let reads = self.reads(&result)?;
            self.tell(result);
            let not_before = tokio::time::Instant::now() + self.asked.throttle;
            let signal = Arc::<Signal>::default();
            let org = self.asked.context.caller.org;
            let watcher = Arc::clone(&signal) as Arc<dyn Watcher>;
            let why = match changes.watch(since, (org, reads), watcher) {
                Ok(_watch) => {
                    signal.notify.notified().await;
                    if signal.is_deaf.load(Ordering::Acquire) { Why::Deaf } else { Why::Changed }
                }
                Err(why) => why,
            };
            if why == Why::Deaf {
                let text =
                    "nothing is heard of changes any more; send the query again, without `@live` if need be";
                return Err(RequestError::new(ErrorCode::Unavailable, text).because("LIVE_QUERY_DEAF"));
            }
            // Whatever else changes meanwhile is in the next answer.
            tokio::time::sleep_until(not_before).await;
        }
    }

    async fn execute(&self) -> ExecutionResult {
        let Asked { state, served, operation, variables, context, .. } = &self.asked;
        counter!("pulse_gateway_live_query_runs_total").increment(1);
        let request = RequestId::new(state.clock.now());
        let caller = Arc::new(Caller { request, ..Caller::clone(&context.caller) });
        let deadline = Instant::now() + state.config.request_timeout;
        let context = ExecutionContext { caller, deadline, ..context.clone() };
        served.engine.execute(operation, variables.clone(), context).await
    }

    /// What the answer was made of. Of one with errors it may be less than of a good one, so that what the answer before
    /// was made of counts as well. The error says who does not say it.
    fn reads(&mut self, result: &ExecutionResult) -> Result<Arc<Reads>, RequestError> {
        let limit = self.asked.context.tag_limit.unwrap_or_default();
        let mut reads = result.reads.clone().unwrap_or_else(|| Arc::new(Reads::new(limit)));
        if let Some(subgraph) = reads.untracked().first() {
            let named = self.asked.state.config.limits.name_subgraphs_in_errors;
            let who = if named { format!("the subgraph `{subgraph}`") } else { "a subgraph".to_owned() };
            let text = format!(
                "{who} does not say what it reads, so that nobody knows when to answer again: ask for its fields by a query \
                 without `@live`"
            );
            return Err(RequestError::new(ErrorCode::BadUserInput, text).because("LIVE_QUERY_UNTRACKED"));
        }
        if let Some(last) = self.last.take().filter(|_| result.errors > 0) {
            Arc::make_mut(&mut reads).merge(&last);
        }
        self.last = Some(Arc::clone(&reads));
        Ok(reads)
    }

    fn tell(&self, result: ExecutionResult) {
        self.sender.send_if_modified(|newest| {
            let snapshot = match newest {
                Some(Ok(last)) if last.is_like(&result) => return false,
                Some(Ok(last)) => last.after(result),
                Some(Err(_)) | None => Snapshot::first(result),
            };
            *newest = Some(Ok(Arc::new(snapshot)));
            true
        });
    }
}
