//! Event streams that clients have reserved, and those that are open.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use metrics::gauge;
use pulse_types::Caller;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use crate::engine::{ErrorCode, RequestError};
use crate::gateway::State;
use crate::pipeline::Refusal;
use crate::streams::outlet::{Cut, Outlet};
use crate::streams::{End, Ending, event_stream};

/// How many events of all operations together wait for the connection.
const WAITING: usize = 32;

/// All of them, by token.
#[derive(Default)]
pub(crate) struct Reservations {
    limit: usize,
    streams: Mutex<HashMap<String, Arc<Reserved>>>,
}

/// One.
pub(super) struct Reserved {
    token: String,
    /// Whose it is: nobody else may use it, whatever token they know.
    caller: Arc<Caller>,
    pub(super) sender: mpsc::Sender<Bytes>,
    /// Taken when it is opened.
    waiting: Mutex<Option<mpsc::Receiver<Bytes>>>,
    operations: Mutex<Operations>,
}

#[derive(Default)]
struct Operations {
    /// How many there were so far.
    count: u64,
    running: HashMap<String, (u64, Option<AbortOnDropHandle<()>>)>,
}

impl Reservations {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, streams: Mutex::default() }
    }

    /// The token of a new one.
    pub(super) fn reserve(&self, caller: Arc<Caller>) -> Result<String, Refusal> {
        let mut streams = lock(&self.streams);
        if streams.len() >= self.limit {
            let message = "there are too many event streams just now; try again later";
            let error = RequestError::new(ErrorCode::Unavailable, message).because("TOO_MANY_CONNECTIONS");
            return Err(Refusal::errors(vec![error]));
        }
        let token = format!("{:032x}", rand::random::<u128>());
        let (sender, waiting) = mpsc::channel(WAITING);
        let waiting = Mutex::new(Some(waiting));
        let reserved =
            Reserved { token: token.clone(), caller, sender, waiting, operations: Mutex::default() };
        streams.insert(token.clone(), Arc::new(reserved));
        Ok(token)
    }

    pub(super) fn knows(&self, token: &str) -> bool {
        lock(&self.streams).contains_key(token)
    }

    pub(super) fn find(&self, token: &str, caller: &Caller) -> Option<Arc<Reserved>> {
        lock(&self.streams).get(token).filter(|reserved| *reserved.caller == *caller).cloned()
    }

    /// Forgets one that was not opened in time.
    pub(super) fn expire(&self, token: &str) {
        let mut streams = lock(&self.streams);
        if streams.get(token).is_some_and(|reserved| lock(&reserved.waiting).is_some()) {
            streams.remove(token);
        }
    }

    fn remove(&self, token: &str) {
        lock(&self.streams).remove(token);
    }
}

impl Reserved {
    /// What it is to carry; `None` when it is open already.
    pub(super) fn open(&self) -> Option<mpsc::Receiver<Bytes>> {
        lock(&self.waiting).take()
    }

    /// Takes an operation's id for it, and numbers the operation.
    pub(super) fn begin(&self, id: &str, limit: usize) -> Result<u64, Refusal> {
        let mut operations = lock(&self.operations);
        if operations.running.contains_key(id) {
            let message = format!("an operation with the id {id:?} is under way already");
            return Err(Refusal::malformed(http::StatusCode::CONFLICT, "OPERATION_EXISTS", message));
        }
        if operations.running.len() >= limit {
            let text = format!("this connection has {limit} operations under way, which is the limit");
            let error = RequestError::new(ErrorCode::RateLimited, text).because("TOO_MANY_OPERATIONS");
            return Err(Refusal::errors(vec![error]));
        }
        operations.count += 1;
        let number = operations.count;
        operations.running.insert(id.to_owned(), (number, None));
        Ok(number)
    }

    /// Keeps an operation running for as long as its id is taken.
    pub(super) fn keep(&self, id: &str, number: u64, task: AbortOnDropHandle<()>) {
        if let Some((current, running)) = lock(&self.operations).running.get_mut(id)
            && *current == number
        {
            *running = Some(task);
        }
    }

    /// Frees the id of an operation that came to its end.
    pub(super) fn finish(&self, id: &str, number: u64) {
        let mut operations = lock(&self.operations);
        if operations.running.get(id).is_some_and(|(current, _)| *current == number) {
            operations.running.remove(id);
        }
    }

    /// Ends an operation; one that is not there has ended already.
    pub(super) fn end(&self, id: &str) {
        lock(&self.operations).running.remove(id);
    }
}

/// An open event stream.
pub(super) struct Opened {
    pub(super) state: Arc<State>,
    pub(super) reserved: Arc<Reserved>,
    pub(super) waiting: mpsc::Receiver<Bytes>,
    pub(super) outlet: Outlet,
}

impl Opened {
    /// Carries what waits to the client, until either is gone.
    pub(super) async fn run(mut self, ending: Ending) {
        gauge!("pulse_gateway_sockets").increment(1.0);
        if self.carry(ending).await == Err(Cut::Slow) {
            self.outlet.end_with(self.farewell(End::Slow));
        }
        gauge!("pulse_gateway_sockets").decrement(1.0);
        self.state.streams.reservations.remove(&self.reserved.token);
        lock(&self.reserved.operations).running.clear();
    }

    async fn carry(&mut self, ending: Ending) -> Result<(), Cut> {
        self.outlet.send(event_stream::comment()).await?;
        let keep_alive = self.state.config.subscriptions.keep_alive;
        loop {
            let piece = tokio::select! {
                () = self.outlet.closed() => return Err(Cut::Left),
                end = ending.come() => return self.outlet.send(self.farewell(end)).await,
                Some(piece) = self.waiting.recv() => piece,
                () = tokio::time::sleep(keep_alive) => event_stream::comment(),
            };
            self.outlet.send(piece).await?;
        }
    }

    /// Tells each operation why it ends.
    fn farewell(&self, end: End) -> Bytes {
        let errors = crate::http::errors_body(&[end.error()]);
        let operations = lock(&self.reserved.operations);
        let told = operations.running.keys().flat_map(|id| [next(id, &errors), complete(id)]);
        told.collect::<Vec<_>>().concat().into()
    }
}

/// An operation's answer.
pub(super) fn next(id: &str, body: &[u8]) -> Bytes {
    event_stream::event("next", &[b"{\"id\":", quoted(id).as_bytes(), b",\"payload\":", body, b"}"])
}

/// An operation's end.
pub(super) fn complete(id: &str) -> Bytes {
    event_stream::event("complete", &[b"{\"id\":", quoted(id).as_bytes(), b"}"])
}

fn quoted(id: &str) -> String {
    serde_json::Value::from(id).to_string()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
