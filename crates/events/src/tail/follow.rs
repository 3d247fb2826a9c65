//! One who follows a topic: first what was missed, then what comes, without a seam.

use std::collections::VecDeque;
use std::sync::Arc;

use futures::FutureExt;
use futures::stream::{self, Stream, StreamExt};
use pulse_store::StoreError;
use pulse_types::Change;

use super::listeners::Listener;
use super::{Shared, Topic};
use crate::LogCursor;

/// Changes read at once by one who comes back.
const PAGE: i64 = 500;

/// Why a topic cannot be followed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum FollowError {
    /// The cursor is of another log: of another database, or of this one before it was made anew.
    #[error(
        "this cursor belongs to another event log: read what you show again by a query, then subscribe without `after`"
    )]
    OtherLog,
    /// The cursor's place was never given out.
    #[error(
        "this cursor lies ahead of the event log: read what you show again by a query, then subscribe without `after`"
    )]
    Ahead,
    /// Retention has taken away what comes behind the cursor.
    #[error(
        "this cursor is older than what the event log keeps: read what you show again by a query, then subscribe without `after`"
    )]
    Expired,
    /// The log cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Changes of a topic, each once and in order.
pub struct Follow {
    shared: Arc<Shared>,
    topic: Topic,
    /// From where to begin, until it has.
    after: Option<Start>,
    /// Everything wanted up to here was handed out, or waits.
    position: i64,
    /// Read, but not handed out yet.
    waiting: VecDeque<Arc<Change>>,
    listener: Option<Listener>,
}

enum Start {
    Now,
    Behind(LogCursor),
}

impl Follow {
    pub(super) fn new(shared: Arc<Shared>, topic: Topic, after: Option<LogCursor>) -> Self {
        let after = Some(after.map_or(Start::Now, Start::Behind));
        Self { shared, topic, after, position: 0, waiting: VecDeque::new(), listener: None }
    }

    /// Begins. Everything that is committed after this has returned will be handed out; so will everything behind the
    /// cursor, if there is one. Given up before it has returned, it begins anew when it is called again, as does
    /// [`Follow::next`].
    pub async fn start(&mut self) -> Result<(), FollowError> {
        let Some(start) = &self.after else { return Ok(()) };
        let mut told = self.shared.told.subscribe();
        // The sender lives as long as `self`.
        let end = told.wait_for(|position| *position >= 0).await.map_or(0, |position| *position);
        let Start::Behind(cursor) = start else {
            let mut state = self.shared.lock();
            self.position = state.position;
            self.listener = Some(state.listen(&self.topic));
            self.after = None;
            return Ok(());
        };
        if self.shared.name.get().is_none_or(|name| **name != *cursor.log) {
            return Err(FollowError::OtherLog);
        }
        if cursor.position > end {
            // Another process may have seen more of the log than this one has.
            let head = self.shared.log.head().await?;
            if cursor.position > head.position {
                return Err(FollowError::Ahead);
            }
            let _ = told.wait_for(|position| *position >= cursor.position).await;
        }
        self.position = cursor.position;
        self.after = None;
        self.catch_up().await
    }

    /// The next change.
    pub async fn next(&mut self) -> Result<Arc<Change>, FollowError> {
        // What is seldom done is boxed: one who waits should not take the room for it.
        if self.after.is_some() {
            Box::pin(self.start()).await?;
        }
        loop {
            if let Some(change) = self.waiting.pop_front() {
                return Ok(change);
            }
            match &mut self.listener {
                Some(listener) => match listener.next().await {
                    // What was read from the log already is told once more when it comes in while this one joins.
                    Some(change) if change.position <= self.position => {}
                    Some(change) => {
                        self.position = change.position;
                        return Ok(change);
                    }
                    None => self.listener = None,
                },
                None => Box::pin(self.catch_up()).await?,
            }
        }
    }

    /// The next change, if it waits here already.
    pub fn ready(&mut self) -> Option<Arc<Change>> {
        loop {
            if let Some(change) = self.waiting.pop_front() {
                return Some(change);
            }
            let Some(change) = self.listener.as_mut()?.next().now_or_never()? else {
                self.listener = None;
                return None;
            };
            if change.position > self.position {
                self.position = change.position;
                return Some(change);
            }
        }
    }

    /// The changes as a stream, which ends behind its first error.
    pub fn into_stream(self) -> impl Stream<Item = Result<Arc<Change>, FollowError>> + Send {
        stream::unfold(Some(self), async |follow| {
            let mut follow = follow?;
            match follow.next().await {
                Ok(change) => Some((Ok(change), Some(follow))),
                Err(error) => Some((Err(error), None)),
            }
        })
    }

    /// Reads what is missing: from memory, and then it is being told; or a page from the log.
    async fn catch_up(&mut self) -> Result<(), FollowError> {
        if self.join() {
            return Ok(());
        }
        let upto = self.shared.lock().position;
        let range = self.shared.log.range(&self.topic, (self.position, upto), PAGE).await?;
        if range.oldest > self.position + 1 {
            return Err(FollowError::Expired);
        }
        metrics::counter!("pulse_events_catch_ups_total", "from" => "log").increment(1);
        self.position = range.upto;
        let wanted = range.changes.into_iter().filter(|change| (self.topic.wanted)(change));
        self.waiting.extend(wanted.map(Arc::new));
        Ok(())
    }

    /// Takes what is missing from memory and joins those who are told, in one step; whether all of it was there.
    fn join(&mut self) -> bool {
        let mut state = self.shared.lock();
        let Some(missed) = state.remembered_after(self.position) else { return false };
        let topic = &self.topic;
        let wanted = missed.filter(|change| {
            change.tenant == topic.tenant && change.is_of(topic.subjects) && (topic.wanted)(change)
        });
        self.waiting.extend(wanted.cloned());
        self.position = state.position;
        self.listener = Some(state.listen(topic));
        true
    }
}
