//! Verified credentials, remembered by hash until they expire or are revoked.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::StreamExt;
use http::HeaderMap;
use http::header::HeaderName;
use moka::sync::Cache;
use pulse_types::{Caller, Clock, Origin, RequestId};
use sha2::{Digest, Sha256};

use super::watch::{Watch, Watchers, outdated};
use crate::ports::{Authenticated, AuthenticationError, Authenticator, Revocation, RevocationFeed, Terms};

/// How long a credential is remembered at most. It is also how long revocations are kept.
const REMEMBERED_FOR: Duration = Duration::from_mins(15);

type CredentialHash = [u8; 32];

#[derive(Clone)]
struct Remembered {
    authenticated: Authenticated,
    /// The count of revocations when the verification began.
    verified_at: u64,
}

/// An authenticator with a memory.
pub(crate) struct RememberedCallers {
    authenticator: Arc<dyn Authenticator>,
    /// The headers that may carry a credential. The authenticator is shown no others, so that what it decides depends on
    /// nothing that the hash leaves out.
    headers: Vec<HeaderName>,
    clock: Clock,
    callers: Cache<CredentialHash, Remembered>,
    revocations: Arc<Revocations>,
}

/// What was revoked, in order. A credential verified before a revocation that concerns it must be verified again;
/// counting instead of deleting leaves no moment at which a verification under way could slip through.
pub(crate) struct Revocations {
    count: AtomicU64,
    revoked: Cache<Revocation, u64>,
    /// Set when the feed ends: without news of revocations nothing may be remembered.
    deaf: AtomicBool,
    /// Who tells, once that is followed; it may have no news either.
    feed: OnceLock<Arc<dyn RevocationFeed>>,
    watchers: Arc<Watchers>,
}

/// A caller, as part of one request, and how long that stays true.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) caller: Arc<Caller>,
    /// When the credential ends, when it does.
    pub(crate) expires_at: Option<DateTime<Utc>>,
    /// What the credential is for, when that is less than all that the caller may do.
    pub(crate) terms: Option<Arc<Terms>>,
    verified_at: u64,
}

impl RememberedCallers {
    pub(crate) fn new(authenticator: Arc<dyn Authenticator>, clock: Clock, capacity: u64) -> Self {
        let callers = Cache::builder().max_capacity(capacity).time_to_live(REMEMBERED_FOR).build();
        // Longer than a credential is remembered, so that no revocation is forgotten before what it revokes.
        let revoked = Cache::builder().time_to_live(REMEMBERED_FOR * 2).build();
        let revocations = Revocations {
            count: AtomicU64::new(0),
            revoked,
            deaf: AtomicBool::new(false),
            feed: OnceLock::new(),
            watchers: Arc::default(),
        };
        let headers = authenticator.credential_headers();
        Self { authenticator, headers, clock, callers, revocations: Arc::new(revocations) }
    }

    pub(crate) fn revocations(&self) -> Arc<Revocations> {
        Arc::clone(&self.revocations)
    }

    /// The caller that the headers prove, as part of the request `request`.
    pub(crate) async fn authenticate(
        &self,
        headers: &HeaderMap,
        request: RequestId,
    ) -> Result<Known, AuthenticationError> {
        let credentials = self.credentials(headers);
        if credentials.is_empty() {
            return self.verify(&credentials).await.map(|known| known.of_request(request));
        }
        let hash = self.hash(&credentials);
        if let Some(known) = self.callers.get(&hash) {
            if self.is_good(&known) {
                return Ok(known.of_request(request));
            }
            self.callers.invalidate(&hash);
        }
        let remembered = self.verify(&credentials).await?;
        let known = remembered.of_request(request);
        if remembered.good_until().is_some() && !self.revocations.is_without_news() {
            self.callers.insert(hash, remembered);
        }
        Ok(known)
    }

    async fn verify(&self, credentials: &HeaderMap) -> Result<Remembered, AuthenticationError> {
        let verified_at = self.revocations.count.load(Ordering::Acquire);
        let authenticated = self.authenticator.authenticate(credentials).await?;
        Ok(Remembered { authenticated, verified_at })
    }

    /// Waits for the end of what was verified, for those who go on for longer than a request.
    pub(crate) fn watch(&self, known: &Known) -> Watch {
        let revocations = &self.revocations;
        let over = || revocations.revoked_since(&known.caller, known.verified_at);
        revocations.watchers.watch(&known.caller, over)
    }

    fn credentials(&self, headers: &HeaderMap) -> HeaderMap {
        let mut credentials = HeaderMap::new();
        for name in &self.headers {
            for value in headers.get_all(name) {
                credentials.append(name.clone(), value.clone());
            }
        }
        credentials
    }

    /// The lengths are hashed too, so that no two lists of headers run into the same bytes.
    fn hash(&self, credentials: &HeaderMap) -> CredentialHash {
        let mut hasher = Sha256::new();
        for name in &self.headers {
            for value in credentials.get_all(name) {
                hasher.update(name.as_str().len().to_le_bytes());
                hasher.update(name.as_str());
                hasher.update(value.len().to_le_bytes());
                hasher.update(value.as_bytes());
            }
        }
        hasher.finalize().into()
    }

    fn is_good(&self, known: &Remembered) -> bool {
        known.good_until().is_some_and(|end| end > self.clock.now())
            && !self.revocations.concern(&known.authenticated.caller, known.verified_at)
    }
}

impl Revocations {
    /// Takes in what the feed tells, until it ends.
    pub(crate) async fn follow(self: Arc<Self>, feed: Arc<dyn RevocationFeed>) {
        let mut revocations = feed.revocations();
        // A gateway follows one feed for as long as it is.
        let _ = self.feed.set(feed);
        while let Some(revocation) = revocations.next().await {
            let number = self.count.fetch_add(1, Ordering::AcqRel) + 1;
            self.revoked.insert(revocation, number);
            self.watchers.tell(&revocation);
        }
        self.deaf.store(true, Ordering::Release);
        tracing::error!("the feed of revocations ended; every credential is verified anew from now on");
    }

    fn is_without_news(&self) -> bool {
        self.deaf.load(Ordering::Acquire) || self.feed.get().is_some_and(|feed| !feed.is_current())
    }

    fn concern(&self, caller: &Caller, verified_at: u64) -> bool {
        self.is_without_news() || self.revoked_since(caller, verified_at).is_some()
    }

    fn revoked_since(&self, caller: &Caller, verified_at: u64) -> Option<Revocation> {
        outdated(caller).find(|revocation| self.revoked.get(revocation).is_some_and(|at| at > verified_at))
    }
}

impl Known {
    /// The same caller, as somebody who asks from there.
    pub(crate) fn from(self, origin: Origin) -> Self {
        let caller = Caller { origin: Some(Arc::new(origin)), ..Arc::unwrap_or_clone(self.caller) };
        Self { caller: Arc::new(caller), ..self }
    }
}

impl Remembered {
    /// Until when nobody need be asked again; `None` for what is not remembered.
    fn good_until(&self) -> Option<DateTime<Utc>> {
        let Authenticated { expires_at, terms, .. } = &self.authenticated;
        let remember_until = terms.as_ref().and_then(|terms| terms.remember_until);
        expires_at.iter().copied().chain(remember_until).min()
    }

    fn of_request(&self, request: RequestId) -> Known {
        let Self { authenticated: Authenticated { caller, expires_at, terms }, verified_at } = self;
        let (expires_at, verified_at) = (*expires_at, *verified_at);
        Known { caller: of_request(caller, request), expires_at, terms: terms.clone(), verified_at }
    }
}

fn of_request(caller: &Arc<Caller>, request: RequestId) -> Arc<Caller> {
    if caller.request == request {
        return Arc::clone(caller);
    }
    Arc::new(Caller { request, ..Caller::clone(caller) })
}
