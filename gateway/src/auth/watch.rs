//! Those who wait for a credential's end: streams, which outlive the check with which they began.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::select_all;
use futures::{FutureExt, future};
use pulse_types::Caller;
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
    /// What had happened before anybody could wait for it.
    over: Option<Revocation>,
}

/// What can be revoked of a caller.
pub(super) fn revocable(caller: &Caller) -> impl Iterator<Item = Revocation> {
    let session = caller.session.map(Revocation::Session);
    // A program ends with the person who answers for it.
    let user = caller.answerable();
    let membership = user.zip(caller.org).map(|(user, org)| Revocation::Membership { user, org });
    let machine = caller.machine().map(|id| [Revocation::Machine(id), Revocation::MachineRights(id)]);
    session
        .into_iter()
        .chain(user.map(Revocation::User))
        .chain(membership)
        .chain(machine.into_iter().flatten())
}

impl Watchers {
    /// Waits for any revocation that concerns `caller`. `over` is asked once waiting has begun, so that no revocation falls
    /// between.
    pub(super) fn watch(
        self: &Arc<Self>,
        caller: &Caller,
        over: impl FnOnce() -> Option<Revocation>,
    ) -> Watch {
        let watched = {
            let mut senders = self.lock();
            let receiver = |revocation| {
                let sender = senders.entry(revocation).or_insert_with(|| watch::Sender::new(false));
                (revocation, Some(sender.subscribe()))
            };
            revocable(caller).map(receiver).collect()
        };
        Watch { watchers: Arc::clone(self), watched, over: over() }
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
    /// Returns what was revoked of the caller, once something is; never, when that does not happen.
    pub(crate) async fn revoked(&mut self) -> Revocation {
        if let Some(revocation) = self.over {
            return revocation;
        }
        let receivers =
            self.watched.iter_mut().filter_map(|(what, receiver)| Some((*what, receiver.as_mut()?)));
        // An error is a sender that is gone: nobody is left who could tell.
        let told = receivers.map(|(what, receiver)| {
            receiver.wait_for(|revoked| *revoked).map(move |told| told.is_ok().then_some(what)).boxed()
        });
        let told: Vec<_> = told.collect();
        let revoked = if told.is_empty() { None } else { select_all(told).await.0 };
        match revoked {
            Some(revocation) => revocation,
            None => future::pending().await,
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
