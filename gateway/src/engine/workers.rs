//! Threads with a large stack, kept for the next piece of work: starting one costs as much as planning a small operation.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

type Job = Box<dyn FnOnce() + Send>;

/// How much a thread does before it is replaced, so that the stack which a deep operation took is given back.
const JOBS_OF_A_THREAD: usize = 64;

/// The threads. They end when this does.
pub(super) struct Workers {
    stack: usize,
    idle: Arc<Idle>,
}

/// Those that wait for work.
type Idle = Mutex<Vec<Worker>>;

struct Worker {
    jobs: Sender<Job>,
    left: usize,
}

impl Workers {
    /// None yet; each will have a stack of this size.
    pub(super) fn new(stack: usize) -> Self {
        Self { stack, idle: Arc::default() }
    }

    /// Does the work on a thread that waits, or on a new one. There are as many as there was work at once.
    pub(super) fn run(&self, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let idle = lock(&self.idle).pop();
        let worker = match idle {
            Some(worker) => worker,
            None => self.start()?,
        };
        let Worker { jobs, left } = worker;
        let idle = Arc::downgrade(&self.idle);
        let again = (left > 1).then(|| Worker { jobs: jobs.clone(), left: left - 1 });
        let job = move || {
            // The panic's own message has been logged; whoever waits for the work sees that it ended.
            let _panicked = catch_unwind(AssertUnwindSafe(work));
            if let Some((worker, idle)) = again.zip(Weak::upgrade(&idle)) {
                lock(&idle).push(worker);
            }
        };
        jobs.send(Box::new(job)).map_err(|_| io::Error::other("the thread has ended"))
    }

    fn start(&self) -> io::Result<Worker> {
        let (jobs, receiver): (_, Receiver<Job>) = channel();
        let thread = std::thread::Builder::new().name("planning".into()).stack_size(self.stack);
        // Ends when no sender is left: neither among those that wait nor in a job.
        thread.spawn(move || receiver.into_iter().for_each(|job| job()))?;
        Ok(Worker { jobs, left: JOBS_OF_A_THREAD })
    }
}

fn lock(idle: &Idle) -> MutexGuard<'_, Vec<Worker>> {
    idle.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::thread::ThreadId;

    use super::*;

    fn thread_of(workers: &Workers) -> ThreadId {
        let (answer, answered) = channel();
        workers.run(move || answer.send(std::thread::current().id()).unwrap()).unwrap();
        let id = answered.recv().unwrap();
        // It has answered before it waits again.
        while lock(&workers.idle).is_empty() {
            std::thread::yield_now();
        }
        id
    }

    #[test]
    fn a_thread_that_waits_is_used_again_also_after_a_panic() {
        let workers = Workers::new(1 << 20);
        let first = thread_of(&workers);
        let (gone, over) = channel::<()>();
        workers
            .run(move || {
                let _gone = gone;
                panic!("on purpose");
            })
            .unwrap();
        assert!(over.recv().is_err());
        while lock(&workers.idle).is_empty() {
            std::thread::yield_now();
        }
        assert_eq!(thread_of(&workers), first);
    }

    #[test]
    fn a_thread_is_replaced_when_it_has_done_much() {
        let workers = Workers::new(1 << 20);
        for left in (1..=JOBS_OF_A_THREAD).rev() {
            let (answer, answered) = channel();
            workers.run(move || answer.send(()).unwrap()).unwrap();
            answered.recv().unwrap();
            while left > 1 && lock(&workers.idle).is_empty() {
                std::thread::yield_now();
            }
        }
        assert!(lock(&workers.idle).is_empty());
        thread_of(&workers);
    }
}
