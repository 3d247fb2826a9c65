//! A client that follows a live query, over one version of the supergraph after the other.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::stream;
use tokio::sync::watch;

use super::running::{Newest, Running};
use super::snapshot::Snapshot;
use super::{Asked, Place};
use crate::engine::{ErrorCode, ExecutionResult, RequestError};
use crate::gateway::State;
use crate::pipeline::{Client, Refusal, Repeatable, Results, ask_again};
use crate::streams::Place as StreamPlace;

/// The pause before a query that could not be prepared for a new supergraph is tried again; each further one is twice as
/// long.
const PAUSE: Duration = Duration::from_secs(1);

/// The longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What a client begins with.
pub(crate) struct BeginLive {
    pub(crate) client: Client,
    /// What the client asked for, to be prepared again.
    pub(crate) request: Repeatable,
    pub(crate) asked: Asked,
    /// Whether the client wants to hear only what differs.
    pub(crate) delta: bool,
    /// From before the supergraph was chosen.
    pub(crate) supergraphs: watch::Receiver<u64>,
    pub(crate) place: StreamPlace,
}

/// One client.
pub(crate) struct Follower {
    state: Arc<State>,
    client: Client,
    request: Repeatable,
    delta: bool,
    supergraphs: watch::Receiver<u64>,
    /// Runs for as long as it is held.
    running: Arc<Running>,
    newest: watch::Receiver<Newest>,
    /// What the client has.
    sent: Option<Arc<Snapshot>>,
    /// Whether the next answer is of another run than the one that the client has.
    moved: bool,
    /// When to prepare it again, and how long the pause is.
    retry: Option<(Instant, Duration)>,
    is_over: bool,
    _places: (StreamPlace, Place),
}

impl Follower {
    /// Runs the query, or joins an equal one that runs. The error says why it cannot be followed.
    pub(crate) async fn open(state: &Arc<State>, begin: BeginLive) -> Result<Results, Refusal> {
        let BeginLive { client, request, asked, delta, supergraphs, place } = begin;
        let live_queries = &state.streams.live_queries;
        let own = live_queries.place(&client, state.config.live_queries.limit_per_caller)?;
        let running = live_queries.join(asked);
        let mut newest = running.newest();
        let first = newest.wait_for(Option::is_some).await.map(|newest| newest.clone());
        match first {
            Ok(Some(Ok(_))) => {}
            Ok(Some(Err(errors))) => return Err(Refusal::errors(errors.to_vec())),
            Ok(None) | Err(_) => return Err(broken()),
        }
        // It is told like every later one.
        newest.mark_changed();
        let follower = Self {
            state: Arc::clone(state),
            client,
            request,
            delta,
            supergraphs,
            running,
            newest,
            sent: None,
            moved: false,
            retry: None,
            is_over: false,
            _places: (place, own),
        };
        let results =
            stream::unfold(follower, async |mut follower| follower.next().await.map(|next| (next, follower)));
        Ok(results.boxed())
    }

    async fn next(&mut self) -> Option<Result<ExecutionResult, Refusal>> {
        while !self.is_over {
            let retry = self.retry.map_or_else(Instant::now, |(at, _)| at);
            let again = tokio::select! {
                biased;
                changed = self.supergraphs.changed() => changed.is_ok(),
                () = tokio::time::sleep_until(retry.into()), if self.retry.is_some() => true,
                changed = self.newest.changed() => {
                    match self.take(changed.is_ok()) {
                        Some(Ok(result)) => return Some(Ok(result)),
                        Some(Err(refusal)) => return Some(Err(self.end(refusal))),
                        None => false,
                    }
                }
            };
            if again && let Err(refusal) = self.follow_supergraph().await {
                return Some(Err(self.end(refusal)));
            }
        }
        None
    }

    const fn end(&mut self, refusal: Refusal) -> Refusal {
        self.is_over = true;
        refusal
    }

    /// The newest answer, whatever came between it and the one that the client has; nothing when that is the same.
    fn take(&mut self, is_open: bool) -> Option<Result<ExecutionResult, Refusal>> {
        if !is_open {
            return Some(Err(broken()));
        }
        let snapshot = match self.newest.borrow_and_update().clone()? {
            Ok(snapshot) => snapshot,
            Err(errors) => return Some(Err(Refusal::errors(errors.to_vec()))),
        };
        let moved = std::mem::take(&mut self.moved);
        let sent = self.sent.replace(Arc::clone(&snapshot));
        if sent.as_ref().is_some_and(|sent| sent.is_like(&snapshot.result)) {
            return None;
        }
        let has_last = !moved && sent.is_some_and(|sent| sent.number + 1 == snapshot.number);
        let delta = (self.delta && has_last).then(|| snapshot.delta()).flatten();
        Some(Ok(delta.unwrap_or_else(|| snapshot.result.clone())))
    }

    /// Prepares the query again, over the supergraph that is served now. The error is the end.
    async fn follow_supergraph(&mut self) -> Result<(), Refusal> {
        self.supergraphs.mark_unchanged();
        let waited = self.retry.take().map(|(_, waited)| waited);
        let deadline = Instant::now() + self.state.config.request_timeout;
        let client = Client { deadline, ..self.client.clone() };
        match ask_again(&self.state, &client, &self.request).await {
            Ok((asked, options)) => {
                self.running = self.state.streams.live_queries.join(asked);
                self.newest = self.running.newest();
                self.newest.mark_changed();
                self.moved = true;
                self.delta = options.delta;
                Ok(())
            }
            Err(refusal) => self.keep_or_end(refusal, waited),
        }
    }

    /// A query that is no longer valid ends. What else stands in the way passes.
    fn keep_or_end(&mut self, refusal: Refusal, waited: Option<Duration>) -> Result<(), Refusal> {
        let passing = |error: &RequestError| {
            matches!(error.code, ErrorCode::Internal | ErrorCode::Timeout | ErrorCode::Unavailable)
        };
        if refusal.errors.iter().any(passing) {
            tracing::warn!(
                "a live query could not be prepared for the new supergraph; it goes on over the old one"
            );
            let pause = waited.map_or(PAUSE, |waited| (waited * 2).min(LONGEST_PAUSE));
            self.retry = Some((Instant::now() + pause, pause));
            return Ok(());
        }
        let mut errors = refusal.errors;
        for error in &mut errors {
            error.message =
                format!("the API has changed, and this query is no longer valid: {}", error.message);
            error.reason = Some("SUPERGRAPH_CHANGED");
        }
        Err(Refusal::errors(errors))
    }
}

fn broken() -> Refusal {
    Refusal::error(ErrorCode::Internal, "internal server error")
}
