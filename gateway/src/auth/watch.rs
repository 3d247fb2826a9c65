//! Those who wait for a credential's end: streams, which outlive the check with which they began.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::select_all;
use futures::{FutureExt, future};
use pulse_types::{Caller, Subject};
use tokio::sync::watch;

use crate::ports::Revocation;

/// Who waits for what.
#[derive(Debug, Default)]
pub(super) struct Watchers(Mutex<HashMap<Revocation, watch::Sender<bool>>>);

/// Resolves when a caller is revoked.
#[derive(Debug)]
pub(crate) struct Watch {
    watchers: Arc<Watchers>,
    watched: Vec<(Revocation, Option<watch::Receiver<bool>>)>,
    /// Whether it had happened before anybody could wait for it.
    over: bool,
}

/// What can be revoked of a caller.
pub(super) fn revocable(caller: &Caller) -> impl Iterator<Item = Revocation> {
    let session = caller.session.map(Revocation::Session);
    let user = match caller.subject {
        Subject::User(user) => Some(Revocation::User(user)),
        Subject::Anonymous | Subject::External | Subject::System => None,
    };
    session.into_iter().chain(user)
}

impl Watchers {
    /// Waits for any revocation that concerns `caller`. `is_over` is asked once waiting has begun, so that no revocation
    /// falls between.
    pub(super) fn watch(self: &Arc<Self>, caller: &Caller, is_over: impl FnOnce() -> bool) -> Watch {
        let watched = {
            let mut senders = self.lock();
            let receiver = |revocation| {
                let sender = senders.entry(revocation).or_insert_with(|| watch::Sender::new(false));
                (revocation, Some(sender.subscribe()))
            };
            revocable(caller).map(receiver).collect()
        };
        Watch { watchers: Arc::clone(self), watched, over: is_over() }
    }

    /// Tells those who wait for it.
    pub(super) fn tell(&self, revocation: &Revocation) {
        if let Some(sender) = self.lock().remove(revocation) {
            sender.send_replace(true);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Revocation, watch::Sender<bool>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch {
    /// Returns when the caller is revoked; never, when that does not happen.
    pub(crate) async fn revoked(&mut self) {
        if self.over {
            return;
        }
        let receivers = self.watched.iter_mut().filter_map(|(_, receiver)| receiver.as_mut());
        // An error is a sender that is gone: nobody is left who could tell.
        let told =
            receivers.map(|receiver| receiver.wait_for(|revoked| *revoked).map(|told| told.is_ok()).boxed());
        let told: Vec<_> = told.collect();
        let revoked = !told.is_empty() && select_all(told).await.0;
        if !revoked {
            future::pending::<()>().await;
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut senders = self.watchers.lock();
        for (revocation, receiver) in &mut self.watched {
            drop(receiver.take());
            if senders.get(revocation).is_some_and(|sender| sender.receiver_count() == 0) {
                senders.remove(revocation);
            }
        }
    }
}
