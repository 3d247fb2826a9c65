//! Planning beside the threads that serve requests: it takes its time and recurses deeply, it may even panic.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use metrics::counter;
use tokio::sync::{Semaphore, oneshot};

use super::operation::{self, Operation, Preparer};
use super::usage::Usage;
use super::variant::PlanKeyRef;
use super::workers::Workers;
use super::{ErrorCode, RequestError};

/// Parsing and planning recurse with the nesting of the document; this is enough for what the limits let through.
const STACK: usize = 32 << 20;

/// Prepares operations on threads of its own.
pub(super) struct Planning {
    /// As many at a time as there are cores.
    permits: Arc<Semaphore>,
    workers: Workers,
    waiting: AtomicUsize,
}

/// A place in the queue, free again when dropped.
struct Place<'a>(&'a AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Planning {
    pub(super) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            permits: Arc::new(Semaphore::new(cores)),
            workers: Workers::new(STACK),
            waiting: AtomicUsize::new(0),
        }
    }

    /// Prepares one operation within the time limit, waiting included.
    pub(super) async fn prepare(
        &self,
        preparer: &Arc<Preparer>,
        key: PlanKeyRef<'_>,
    ) -> Result<Arc<Operation>, Vec<RequestError>> {
        let config = &preparer.config;
        let place = Place(&self.waiting);
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= config.planning_queue {
            drop(place);
            counter!("pulse_gateway_planning_refused_total").increment(1);
            let text = "too many new operations wait to be planned just now, try again";
            return Err(vec![RequestError::new(ErrorCode::Unavailable, text).because("PLANNING_QUEUE_FULL")]);
        }
        let planned = tokio::time::timeout(config.planning_timeout, self.on_a_thread(preparer, key));
        planned.await.unwrap_or_else(|_| Err(vec![operation::planning_timed_out(config)]))
    }

    async fn on_a_thread(
        &self,
        preparer: &Arc<Preparer>,
        key: PlanKeyRef<'_>,
    ) -> Result<Arc<Operation>, Vec<RequestError>> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.expect("the semaphore is never closed");
        let (answer, answered) = oneshot::channel();
        let preparer = Arc::clone(preparer);
        let key = key.to_key();
        let work = move || {
            if answer.is_closed() {
                return;
            }
            let started = Instant::now();
            let planned = preparer.prepare(key.as_ref());
            drop(permit);
            let planned = planned.map(|mut operation| {
                operation.usage = Usage::of(&operation, key.as_ref().document, started.elapsed());
                Arc::new(operation)
            });
            // Whoever asked may have given up.
            let _ = answer.send(planned);
        };
        if let Err(error) = self.workers.run(work) {
            tracing::error!(error = &error as &dyn std::error::Error, "no thread for planning");
            let text = "there is too much to do just now, try again";
            return Err(vec![RequestError::new(ErrorCode::Unavailable, text).because("PLANNING_FAILED")]);
        }
        answered.await.unwrap_or_else(|_| {
            // It dropped its end without an answer; the panic's own message has been logged.
            let text = "the operation could not be planned";
            Err(vec![RequestError::new(ErrorCode::Internal, text).because("PLANNING_FAILED")])
        })
    }
}
