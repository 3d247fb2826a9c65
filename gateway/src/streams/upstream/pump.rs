//! Reads a subgraph's stream for its followers, and takes it up again where it broke off.

use std::sync::Weak;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::BoxStream;

use super::hub::Hub;
use super::{Bounds, Cursor};
use crate::engine::Source;
use crate::ports::{SubgraphFault, SubgraphResponse};

/// How long the first pause before a stream is opened again is; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(200);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Works for a hub, and goes with it.
pub(super) struct Pump {
    hub: Weak<Hub>,
    source: Source,
    /// Behind which event to begin, or to go on.
    after: Option<Cursor>,
    attempts: u32,
    limit: u32,
    /// How it ends, unless it says otherwise.
    fault: Option<SubgraphFault>,
}

type Events = BoxStream<'static, Result<SubgraphResponse, SubgraphFault>>;

/// The stream is over, or nobody follows it.
struct Over;

impl Pump {
    pub(super) fn new(hub: Weak<Hub>, source: Source, after: Option<Cursor>, bounds: Bounds) -> Self {
        let fault = Some(SubgraphFault::Malformed("it panicked".to_owned()));
        Self { hub, source, after, attempts: 0, limit: bounds.attempts, fault }
    }

    /// Boxed, as is what it seldom does, since a task is as large as all that it holds at once.
    pub(super) async fn run(mut self: Box<Self>) {
        let mut events = match Box::pin(self.open()).await {
            Ok(events) => events,
            Err(fault) => return self.fault = Some(fault),
        };
        if let Some(hub) = self.hub.upgrade() {
            hub.tell_opened(Ok(()));
        }
        loop {
            let fault = match self.read(&mut events).await {
                Ok(fault) => fault,
                Err(Over) => return,
            };
            drop(events);
            events = match Box::pin(self.reopen(fault)).await {
                Ok(events) => events,
                Err(fault) => return self.fault = Some(fault),
            };
        }
    }

    /// Reads until the stream breaks off, and says why it did.
    async fn read(&mut self, events: &mut Events) -> Result<SubgraphFault, Over> {
        loop {
            match events.next().await {
                Some(Ok(response)) => {
                    self.attempts = 0;
                    if let Some(cursor) = response.cursor() {
                        self.after = Some(cursor.clone());
                    }
                    let Some(hub) = self.hub.upgrade() else { return Err(Over) };
                    hub.deliver(response).await;
                    drop(hub);
                    // A source with much to say at once lets those who read it have their turn.
                    tokio::task::yield_now().await;
                }
                Some(Err(fault)) => return Ok(fault),
                None => {
                    self.fault = None;
                    return Err(Over);
                }
            }
        }
    }

    /// Opens a stream once more that broke off, where it can go on without a gap.
    async fn reopen(&mut self, mut fault: SubgraphFault) -> Result<Events, SubgraphFault> {
        loop {
            let lost = matches!(fault, SubgraphFault::Unreachable(_) | SubgraphFault::TimedOut(_));
            let exact = self.after.is_some() && self.source.resumption.is_some();
            if !lost || !exact || self.attempts >= self.limit {
                return Err(fault);
            }
            let pause = PAUSE.saturating_mul(1 << self.attempts.min(10)).min(LONGEST_PAUSE);
            self.attempts += 1;
            // Streams that broke together must not all come back together.
            tokio::time::sleep(pause.mul_f64(0.5 + rand::random::<f64>() / 2.0)).await;
            fault = match self.open().await {
                Ok(events) => return Ok(events),
                Err(fault) => fault,
            };
        }
    }

    async fn open(&self) -> Result<Events, SubgraphFault> {
        let mut request = self.source.request_after(self.after.as_ref());
        let now = std::time::Instant::now();
        let left = request.deadline.saturating_duration_since(now);
        let patience = if left.is_zero() { LONGEST_PAUSE } else { left };
        request.deadline = now + patience;
        let opened = tokio::time::timeout(patience, self.source.subgraph.subscribe(request)).await;
        opened.unwrap_or(Err(SubgraphFault::TimedOut(patience)))
    }
}

/// Whatever happens, nobody waits for a stream that has no pump.
impl Drop for Pump {
    fn drop(&mut self) {
        if let Some(hub) = self.hub.upgrade() {
            let fault = self.fault.take();
            hub.end(fault.clone());
            hub.tell_opened(fault.map_or(Ok(()), Err));
        }
    }
}
