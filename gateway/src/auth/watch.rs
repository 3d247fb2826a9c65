//! Those who wait for a credential's end: streams, which outlive the check with which they began.

use std::collections::HashMap;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use pulse_types::Caller;
use tokio::sync::SetOnce;

use crate::ports::Revocation;

/// Who waits for what.
#[derive(Debug, Default)]
pub(super) struct Watchers(Mutex<HashMap<Revocation, Weak<Told>>>);

/// Whether it was revoked.
type Told = SetOnce<()>;

/// Resolves when a caller is revoked.
#[derive(Debug)]
pub(crate) struct Watch {
    watchers: Arc<Watchers>,
    watched: [Option<(Revocation, Arc<Told>)>; REVOCABLE],
    /// What had happened before anybody could wait for it.
    over: Option<Revocation>,
}

/// How many things can be revoked of a caller at most.
const REVOCABLE: usize = 4;

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

/// What has to be verified anew of a caller, be it that nothing has to end.
pub(super) fn outdated(caller: &Caller) -> impl Iterator<Item = Revocation> {
    let rights = caller.answerable().zip(caller.org).map(|(user, org)| Revocation::Rights { user, org });
    revocable(caller).chain(rights)
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
            let mut known = self.lock();
            let mut waiting = revocable(caller).map(|revocation| {
                let told = known.get(&revocation).and_then(Weak::upgrade).unwrap_or_else(|| {
                    let told = Arc::<Told>::default();
                    known.insert(revocation, Arc::downgrade(&told));
                    told
                });
                (revocation, told)
            });
            std::array::from_fn(|_| waiting.next())
        };
        Watch { watchers: Arc::clone(self), watched, over: over() }
    }

    /// Tells those who wait for it.
    pub(super) fn tell(&self, revocation: &Revocation) {
        if let Some(told) = self.lock().remove(revocation).and_then(|told| told.upgrade()) {
            // Nothing is told twice: who waits for the same later waits for something new.
            let _ = told.set(());
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Revocation, Weak<Told>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch {
    /// Returns what was revoked of the caller, once something is; never, when that does not happen.
    pub(crate) async fn revoked(&self) -> Revocation {
        if let Some(revocation) = self.over {
            return revocation;
        }
        let [first, second, third, fourth] = &self.watched;
        tokio::select! {
            revocation = told(first.as_ref()) => revocation,
            revocation = told(second.as_ref()) => revocation,
            revocation = told(third.as_ref()) => revocation,
            revocation = told(fourth.as_ref()) => revocation,
        }
    }
}

async fn told(watched: Option<&(Revocation, Arc<Told>)>) -> Revocation {
    let Some((revocation, told)) = watched else { return pending().await };
    told.wait().await;
    *revocation
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut known = self.watchers.lock();
        for watched in &mut self.watched {
            let Some((revocation, told)) = watched.take() else { continue };
            drop(told);
            if known.get(&revocation).is_some_and(|told| told.strong_count() == 0) {
                known.remove(&revocation);
            }
        }
    }
}
