//! How many live queries there may be at once.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use metrics::gauge;
use pulse_types::{Identity, OrgId, SessionId, Subject};

use crate::engine::{ErrorCode, RequestError};
use crate::pipeline::{Client, Refusal};

/// Those that are taken.
pub(super) struct Places {
    limit: usize,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    count: usize,
    by_caller: HashMap<Who, usize>,
}

/// Who counts as one caller. Nobody is known by an address alone but those who are not known otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Who {
    subject: Subject,
    identity: Option<Arc<Identity>>,
    session: Option<SessionId>,
    org: Option<OrgId>,
    address: Option<IpAddr>,
}

/// Taken for as long as it is held.
pub(super) struct Place {
    places: Arc<Places>,
    who: Who,
}

impl Places {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, taken: Mutex::default() }
    }

    pub(super) fn take(self: &Arc<Self>, client: &Client, limit_per_caller: usize) -> Result<Place, Refusal> {
        let who = Who::of(client);
        let mut taken = self.lock();
        let own = taken.by_caller.get(&who).copied().unwrap_or_default();
        if own >= limit_per_caller {
            let text = format!(
                "you follow {own} live queries, which is the limit: end one, or ask for more in one query"
            );
            return Err(refused(ErrorCode::RateLimited, text));
        }
        if taken.count >= self.limit {
            let text = "there are too many live queries just now; try again later, or ask without `@live`";
            return Err(refused(ErrorCode::Unavailable, text.to_owned()));
        }
        taken.count += 1;
        taken.by_caller.insert(who.clone(), own + 1);
        drop(taken);
        gauge!("pulse_gateway_live_queries").increment(1.0);
        Ok(Place { places: Arc::clone(self), who })
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn refused(code: ErrorCode, text: String) -> Refusal {
    Refusal::errors(vec![RequestError::new(code, text).because("TOO_MANY_LIVE_QUERIES")])
}

impl Who {
    fn of(client: &Client) -> Self {
        let caller = &client.caller;
        Self {
            subject: caller.subject,
            identity: caller.identity.clone(),
            session: caller.session,
            org: caller.org,
            address: client.address.filter(|_| caller.subject == Subject::Anonymous),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        taken.count -= 1;
        if let Some(own) = taken.by_caller.get_mut(&self.who) {
            *own -= 1;
            if *own == 0 {
                taken.by_caller.remove(&self.who);
            }
        }
        drop(taken);
        gauge!("pulse_gateway_live_queries").decrement(1.0);
    }
}
