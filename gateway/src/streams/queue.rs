//! A bounded queue between two tasks.
//!
//! It takes no room for what is not in it. That of the runtime has room for 32 messages from its beginning, which for each of
//! thousands of streams that are silent most of the time is more than anything else that they keep.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// The side where messages go in; cheap to clone.
#[derive(Debug)]
pub(crate) struct Sender<T>(Arc<Mutex<State<T>>>);

/// The side where they come out.
#[derive(Debug)]
pub(crate) struct Receiver<T>(Arc<Mutex<State<T>>>);

/// Why a message was not taken. It is given back.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused<T> {
    /// As many wait as may.
    Full(T),
    /// The receiver is gone.
    Closed,
}

#[derive(Debug)]
struct State<T> {
    waiting: VecDeque<T>,
    limit: usize,
    senders: usize,
    has_receiver: bool,
    /// Who waits for a message.
    receiver: Option<Waker>,
    /// Who wait for room, or for the receiver to go.
    others: Vec<Waker>,
}

/// A queue in which so many messages wait at most.
pub(crate) fn queue<T>(limit: usize) -> (Sender<T>, Receiver<T>) {
    let state = State {
        waiting: VecDeque::new(),
        limit,
        senders: 1,
        has_receiver: true,
        receiver: None,
        others: Vec::new(),
    };
    let state = Arc::new(Mutex::new(state));
    (Sender(Arc::clone(&state)), Receiver(state))
}

impl<T> Sender<T> {
    /// Sends a message if there is room for it.
    pub(crate) fn try_send(&self, message: T) -> Result<(), Refused<T>> {
        let mut state = lock(&self.0);
        if !state.has_receiver {
            return Err(Refused::Closed);
        }
        if state.waiting.len() >= state.limit {
            return Err(Refused::Full(message));
        }
        state.waiting.push_back(message);
        let receiver = state.receiver.take();
        drop(state);
        receiver.into_iter().for_each(Waker::wake);
        Ok(())
    }

    /// Sends a message once there is room for it. False when the receiver is gone.
    pub(crate) async fn send(&self, message: T) -> bool {
        let mut message = Some(message);
        poll_fn(|cx| {
            let Some(given) = message.take() else { return Poll::Ready(false) };
            let mut refused = self.try_send(given);
            if let Err(Refused::Full(given)) = refused {
                lock(&self.0).wait(cx);
                // There may be room since it was looked for.
                refused = self.try_send(given);
            }
            match refused {
                Ok(()) => Poll::Ready(true),
                Err(Refused::Closed) => Poll::Ready(false),
                Err(Refused::Full(given)) => {
                    message = Some(given);
                    Poll::Pending
                }
            }
        })
        .await
    }

    /// Returns when the receiver is gone.
    pub(crate) async fn closed(&self) {
        poll_fn(|cx| {
            let mut state = lock(&self.0);
            if !state.has_receiver {
                return Poll::Ready(());
            }
            state.wait(cx);
            Poll::Pending
        })
        .await;
    }
}

impl<T> Receiver<T> {
    /// The next message. `None` when there is none and nobody is left to send one.
    pub(crate) async fn recv(&mut self) -> Option<T> {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    pub(crate) fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let mut state = lock(&self.0);
        let message = state.take();
        if message.is_none() && state.senders > 0 {
            state.receiver = Some(cx.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(message)
    }

    /// A message that waits already.
    pub(crate) fn try_recv(&mut self) -> Option<T> {
        lock(&self.0).take()
    }
}

impl<T> State<T> {
    fn take(&mut self) -> Option<T> {
        let was_full = self.waiting.len() >= self.limit;
        let message = self.waiting.pop_front();
        if self.waiting.is_empty() {
            self.waiting = VecDeque::new();
        }
        if was_full {
            self.wake_others();
        }
        message
    }

    fn wait(&mut self, cx: &Context<'_>) {
        if !self.others.iter().any(|other| other.will_wake(cx.waker())) {
            self.others.push(cx.waker().clone());
        }
    }

    fn wake_others(&mut self) {
        std::mem::take(&mut self.others).into_iter().for_each(Waker::wake);
    }
}

fn lock<T>(state: &Mutex<State<T>>) -> MutexGuard<'_, State<T>> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        lock(&self.0).senders += 1;
        Self(Arc::clone(&self.0))
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let mut state = lock(&self.0);
        state.senders -= 1;
        let receiver = if state.senders == 0 { state.receiver.take() } else { None };
        drop(state);
        receiver.into_iter().for_each(Waker::wake);
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut state = lock(&self.0);
        state.has_receiver = false;
        let waiting = std::mem::take(&mut state.waiting);
        let others = std::mem::take(&mut state.others);
        drop(state);
        others.into_iter().for_each(Waker::wake);
        // Last, since what a message lets go of may do anything.
        drop(waiting);
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn messages_come_out_in_their_order_until_nobody_sends() {
        let (sender, mut receiver) = queue(2);
        let other = sender.clone();
        assert_eq!(sender.try_send(1), Ok(()));
        assert_eq!(other.try_send(2), Ok(()));
        assert_eq!(sender.try_send(3), Err(Refused::Full(3)));
        assert_eq!(
            (receiver.recv().await, receiver.try_recv(), receiver.try_recv()),
            (Some(1), Some(2), None)
        );
        drop(sender);
        assert_eq!(receiver.recv().now_or_never(), None);
        assert!(other.send(4).await);
        drop(other);
        assert_eq!((receiver.recv().await, receiver.recv().await), (Some(4), None));
    }

    #[tokio::test]
    async fn whoever_waits_for_room_goes_on_when_there_is_some() {
        let (sender, mut receiver) = queue(1);
        let writers: Vec<_> = (0..3)
            .map(|writer| {
                let sender = sender.clone();
                tokio::spawn(async move {
                    for number in 0..100 {
                        assert!(sender.send((writer, number)).await);
                    }
                })
            })
            .collect();
        drop(sender);
        let mut next = [0; 3];
        while let Some((writer, number)) = receiver.recv().await {
            assert_eq!(number, next[writer]);
            next[writer] += 1;
        }
        assert_eq!(next, [100; 3]);
        for writer in writers {
            writer.await.unwrap();
        }
    }

    #[tokio::test]
    async fn senders_hear_that_the_receiver_is_gone() {
        let (sender, receiver) = queue(1);
        assert!(sender.send(1).await);
        let (waiting, closed) = (sender.clone(), sender.clone());
        let waiting = tokio::spawn(async move { waiting.send(2).await });
        let closed = tokio::spawn(async move { closed.closed().await });
        tokio::task::yield_now().await;
        drop(receiver);
        assert!(!waiting.await.unwrap());
        closed.await.unwrap();
        assert_eq!(sender.try_send(3), Err(Refused::Closed));
    }
}
