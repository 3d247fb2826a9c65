//! A client's subscription for as long as it lives: over one version of the supergraph after the other.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::stream::{self, StreamExt};
use tokio::sync::watch;

use super::upstream::{Bounds, Event, Follower, Happening, Move, Upstreams};
use super::{End, Place};
use crate::engine::{ErrorCode, ExecutionResult, RequestError, Subscription};
use crate::gateway::State;
use crate::pipeline::{Client, Refusal, Repeatable, Results, resubscribe};
use crate::ports::{SubgraphFault, SubgraphResponse};
use crate::value::Value;

/// The pause before a new source that could not be opened is tried again; each further one is twice as long.
const PAUSE: Duration = Duration::from_secs(1);

/// The longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// One subscription of one client.
pub(crate) struct Live {
    state: Arc<State>,
    client: Client,
    /// What the client asked for, to be prepared again.
    request: Repeatable,
    subscription: Subscription,
    follower: Follower,
    /// Tells of new supergraphs.
    supergraphs: watch::Receiver<u64>,
    /// The number of the last event that was taken from the stream.
    taken: u64,
    /// The cursor of the last event that was taken.
    cursor: Option<Value>,
    /// The stream that takes the place of the one that is followed.
    next: Option<Box<Next>>,
    /// Events of the new stream that the old one has sent already.
    repeated: u64,
    /// Whether events may be missing before the next one.
    gap: bool,
    retry: Option<(Instant, Duration)>,
    is_over: bool,
    _place: Place,
}

/// A stream that takes over as soon as it is open and the old one has come to the joint.
struct Next {
    follower: Follower,
    subscription: Subscription,
    is_open: bool,
    /// The old stream's last event before it; `None` where there is no cursor to go on from.
    joint: Option<u64>,
    /// Whether something may be missing between them.
    gap: bool,
    /// How long the last pause was, when it was tried before.
    waited: Option<Duration>,
}

/// What opens a subscription.
pub(crate) struct Begin {
    pub(crate) client: Client,
    pub(crate) request: Repeatable,
    pub(crate) subscription: Subscription,
    /// From before the supergraph was chosen over which the subscription is.
    pub(crate) supergraphs: watch::Receiver<u64>,
    pub(crate) place: Place,
}

impl Live {
    /// Opens the stream. The error is a whole response.
    pub(crate) async fn open(state: &Arc<State>, begin: Begin) -> Result<Results, ExecutionResult> {
        let Begin { client, request, subscription, supergraphs, place } = begin;
        let source = subscription.source();
        let bounds = Bounds::from(&state.config.subscriptions);
        let follower = state.streams.upstreams.follow(&source, bounds);
        follower.opened().await.map_err(|fault| subscription.failed(&fault))?;
        // Boxed, since a step of a stream holds it twice: as it came and as it goes on.
        let live = Box::new(Self {
            state: Arc::clone(state),
            client,
            request,
            subscription,
            follower,
            supergraphs,
            taken: 0,
            cursor: None,
            next: None,
            repeated: 0,
            gap: false,
            retry: None,
            is_over: false,
            _place: place,
        });
        let results = stream::unfold(live, async |mut live| live.result().await.map(|result| (result, live)));
        Ok(results.boxed())
    }

    async fn result(&mut self) -> Option<Result<ExecutionResult, Refusal>> {
        while !self.is_over {
            self.switch_at_joint();
            let settled = self.next.is_none();
            let retry = self.retry.map_or_else(Instant::now, |(at, _)| at);
            let changed = tokio::select! {
                biased;
                changed = self.supergraphs.changed(), if settled => changed.is_ok(),
                () = tokio::time::sleep_until(retry.into()), if settled && self.retry.is_some() => true,
                opened = opening(self.next.as_deref()) => {
                    self.opened(opened);
                    false
                }
                happening = self.follower.next() => {
                    // Boxed, as is all that a stream does when it does not wait.
                    if let Some(result) = Box::pin(self.take(happening)).await {
                        return Some(result);
                    }
                    false
                }
            };
            if changed && let Err(refusal) = Box::pin(self.follow_supergraph()).await {
                self.is_over = true;
                return Some(Err(refusal));
            }
        }
        None
    }

    async fn take(&mut self, happening: Happening) -> Option<Result<ExecutionResult, Refusal>> {
        let result = match happening {
            Happening::Event(event) => return self.answer(event).await.map(Ok),
            Happening::Complete | Happening::Broken(_) if self.is_replaced().await => {
                self.switch();
                return None;
            }
            Happening::Complete => None,
            Happening::Broken(fault) => Some(Ok(self.subscription.failed(&fault))),
            Happening::Slow => Some(Err(Refusal::errors(vec![End::Slow.error()]))),
        };
        self.is_over = true;
        result
    }

    /// Whether there is another stream to go on with.
    async fn is_replaced(&self) -> bool {
        match &self.next {
            Some(next) => next.is_open || next.follower.opened().await.is_ok(),
            None => false,
        }
    }

    async fn answer(&mut self, Event { number, told }: Event) -> Option<ExecutionResult> {
        self.taken = number;
        let cursor = told.response.cursor().cloned();
        if self.repeated > 0 {
            // The old stream sent all up to the last cursor.
            self.repeated = if cursor == self.cursor { 0 } else { self.repeated - 1 };
            return None;
        }
        self.cursor = cursor.or(self.cursor.take());
        let gap = std::mem::take(&mut self.gap);
        let asked = if gap { None } else { self.subscription.asked() };
        if let Some(answer) = asked.as_ref().and_then(|asked| told.answer(asked)) {
            return Some(answer);
        }
        let told = match Arc::try_unwrap(told) {
            // Nobody else is to answer it.
            Ok(told) => return Some(self.complete(told.response, gap).await),
            Err(told) => told,
        };
        let answer = self.complete(told.response.clone(), gap).await;
        if let Some(asked) = asked {
            told.answered(asked, &answer);
        }
        Some(answer)
    }

    /// Boxed, since a stream waits most of the time, and should not be as large as its largest step.
    async fn complete(&self, response: SubgraphResponse, gap: bool) -> ExecutionResult {
        Box::pin(self.subscription.complete(Ok::<SubgraphResponse, SubgraphFault>(response), gap)).await
    }

    /// Prepares the operation again, over the supergraph that is served now. The error is the stream's end.
    async fn follow_supergraph(&mut self) -> Result<(), Refusal> {
        self.supergraphs.mark_unchanged();
        let waited = self.retry.take().map(|(_, waited)| waited);
        let deadline = Instant::now() + self.state.config.request_timeout;
        let client = Client { deadline, ..self.client.clone() };
        let subscription = match resubscribe(&self.state, &client, &self.request).await {
            Ok(subscription) => subscription,
            Err(refusal) => return self.keep_or_end(refusal, waited),
        };
        let source = subscription.source();
        if Upstreams::is_same(&self.follower, &source) {
            self.subscription = subscription;
            return Ok(());
        }
        let bounds = Bounds::from(&self.state.config.subscriptions);
        let Move { follower, joint } = self.state.streams.upstreams.replace(&self.follower, &source, bounds);
        let joint = joint.filter(|_| source.resumption.is_some());
        let gap = joint.is_none();
        let next = Next { follower, subscription, is_open: false, joint, gap, waited };
        self.next = Some(Box::new(next));
        Ok(())
    }

    fn opened(&mut self, opened: Result<(), SubgraphFault>) {
        match (opened, &mut self.next) {
            (Ok(()), Some(next)) => {
                next.is_open = true;
                // Without a cursor there is nothing to wait for but what is there already.
                next.joint.get_or_insert_with(|| self.follower.newest());
            }
            (Err(fault), _) => {
                tracing::warn!(%fault, "the new source of a stream cannot be opened; keeping the old one");
                let waited = self.next.take().and_then(|next| next.waited);
                self.try_again_later(waited);
            }
            (Ok(()), None) => {}
        }
    }

    /// An operation that is no longer valid is the stream's end. What else stands in the way passes.
    fn keep_or_end(&mut self, refusal: Refusal, waited: Option<Duration>) -> Result<(), Refusal> {
        let passing = |error: &RequestError| {
            matches!(error.code, ErrorCode::Internal | ErrorCode::Timeout | ErrorCode::Unavailable)
        };
        if refusal.errors.iter().any(passing) {
            tracing::warn!(
                "a stream could not be prepared for the new supergraph; it goes on over the old one"
            );
            self.try_again_later(waited);
            return Ok(());
        }
        let mut errors = refusal.errors;
        for error in &mut errors {
            error.message =
                format!("the API has changed, and this subscription is no longer valid: {}", error.message);
            error.reason = Some("SUPERGRAPH_CHANGED");
        }
        Err(Refusal::errors(errors))
    }

    fn try_again_later(&mut self, waited: Option<Duration>) {
        let pause = waited.map_or(PAUSE, |waited| (waited * 2).min(LONGEST_PAUSE));
        self.retry = Some((Instant::now() + pause, pause));
    }

    fn switch_at_joint(&mut self) {
        let taken = self.taken;
        if self
            .next
            .as_ref()
            .is_some_and(|next| next.is_open && next.joint.is_some_and(|joint| taken >= joint))
        {
            self.switch();
        }
    }

    fn switch(&mut self) {
        let Some(next) = self.next.take() else { return };
        let Next { follower, subscription, joint, gap, .. } = *next;
        // What was still to be passed over of the old stream is so of the new one too.
        self.repeated += joint.map_or(0, |joint| self.taken.saturating_sub(joint));
        if gap {
            self.repeated = 0;
        }
        self.gap = gap;
        self.follower = follower;
        self.subscription = subscription;
        self.taken = 0;
    }
}

/// Returns when a stream that is to take over is open, or cannot be opened.
async fn opening(next: Option<&Next>) -> Result<(), SubgraphFault> {
    match next {
        Some(next) if !next.is_open => next.follower.opened().await,
        _ => std::future::pending().await,
    }
}
