//! What one execution takes out of what is kept, and adds to it.

use std::hash::Hash;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use http::HeaderMap;
use http::header::{AGE, CACHE_CONTROL, HeaderValue};
use metrics::counter;
use pulse_types::{Caller, OrgId};

use super::entry::{Begun, Ended, Entry, Kept, Miss, Tracking};
use super::key::{audience, effective, hash_headers};
use super::store::Level;
use super::{Digest, Key, ResponseCache};
use crate::changes::{Reads, Why, add_answer};
use crate::engine::{CachePolicy, Cost, SharingScope};
use crate::http::CacheControl;
use crate::ports::{Subgraph, SubgraphResponse};

/// What is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// A whole answer.
    Response,
    /// A subgraph's answer to root fields.
    Root,
    /// One entity of a subgraph.
    Entity,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Response => "response",
            Self::Root => "root",
            Self::Entity => "entity",
        }
    }
}

/// Who asks, and what of it subgraphs see.
#[derive(Debug, Clone)]
pub(crate) struct Asking {
    pub(crate) caller: Arc<Caller>,
    pub(crate) headers: Arc<HeaderMap>,
    /// Names the version of the supergraph.
    pub(crate) supergraph: String,
    /// Whether the client takes what is kept.
    pub(crate) reads: bool,
    /// Whether the answer may be kept.
    pub(crate) keeps: bool,
}

/// One execution's use of what is kept.
#[derive(Clone)]
pub(crate) struct Reuse {
    cache: Arc<ResponseCache>,
    asking: Asking,
    begun: Begun,
    /// By scope, made when it is first needed.
    audiences: [OnceLock<[u8; 32]>; 3],
}

impl std::fmt::Debug for Reuse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reuse").field("begun", &self.begun).finish_non_exhaustive()
    }
}

/// What is to be kept.
pub(crate) struct Content {
    pub(crate) body: Bytes,
    pub(crate) kept: Kept,
    pub(crate) told: Option<HeaderValue>,
    pub(crate) cost: Option<Cost>,
    pub(crate) subgraphs: Arc<[Arc<str>]>,
}

impl Reuse {
    /// The use of `cache` by an execution that begins now.
    pub(crate) fn begin(cache: &Arc<ResponseCache>, asking: Asking) -> Self {
        let (cache, begun) = (Arc::clone(cache), cache.begin());
        Self { cache, asking, begun, audiences: std::array::from_fn(|_| OnceLock::new()) }
    }

    /// Whether subgraphs are to say what their answers are made of.
    pub(crate) fn wants_tags(&self) -> bool {
        self.asking.keeps && self.cache.changes.is_some()
    }

    /// What one subgraph's answer was made of, as it says.
    pub(crate) fn reads_of(&self, subgraph: &Arc<str>, response: &SubgraphResponse) -> Option<Arc<Reads>> {
        let mut reads = Reads::new(self.cache.tag_limit()?);
        add_answer(&mut reads, subgraph, response);
        Some(Arc::new(reads))
    }

    /// Whether the client takes what is kept.
    pub(crate) const fn reads(&self) -> bool {
        self.asking.reads
    }

    /// Whether the answer may be kept.
    pub(crate) const fn keeps(&self) -> bool {
        self.asking.keeps
    }

    /// The time.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.cache.clock.now()
    }

    /// The beginning of a key: what is kept, who shares it, and what the subgraphs see of the client's head.
    pub(crate) fn digest<'s>(
        &self,
        kind: Kind,
        scope: SharingScope,
        subgraphs: impl Iterator<Item = &'s Arc<dyn Subgraph>>,
    ) -> Digest {
        let Asking { caller, headers, supergraph, .. } = &self.asking;
        let place = match scope {
            SharingScope::Caller => 0,
            SharingScope::Tenant => 1,
            SharingScope::Public => 2,
        };
        let mut digest = Digest::default();
        let audience = self.audiences[place].get_or_init(|| audience(scope, caller));
        (kind, audience, supergraph).hash(&mut digest);
        for subgraph in subgraphs {
            (subgraph.name(), subgraph.address()).hash(&mut digest);
            hash_headers(&subgraph.forwarded(headers, caller), &mut digest);
        }
        digest
    }

    /// What is kept under these keys and may be used, in their order.
    pub(crate) async fn find(
        &self,
        kind: Kind,
        subgraph: Option<&Arc<str>>,
        keys: &[Key],
    ) -> Vec<Result<Arc<Entry>, Miss>> {
        let found = if self.asking.reads {
            let now = self.now();
            let level = Level { changes: self.cache.changes.as_ref(), caller: &self.asking.caller, now };
            let found = self.cache.store.get(keys, level).await;
            found.into_iter().map(|found| self.checked(found, now)).collect()
        } else {
            vec![Err(Miss::Refused); keys.len()]
        };
        for found in &found {
            count(kind, subgraph, found.as_ref().err().copied());
        }
        found
    }

    /// An answer that somebody else has just made, if it may be used.
    pub(crate) fn joined(&self, entry: &Arc<Entry>) -> Option<Arc<Entry>> {
        let found = self.checked(Ok(Arc::clone(entry)), self.now());
        count(Kind::Response, None, found.as_ref().err().copied());
        found.ok()
    }

    fn checked(&self, found: Result<Arc<Entry>, Miss>, now: DateTime<Utc>) -> Result<Arc<Entry>, Miss> {
        let entry = found?;
        if let Some(why) = entry.is_over(now) {
            return Err(why);
        }
        if self.cache.writes.outdate(&entry, &self.asking.caller) { Err(Miss::OwnWrite) } else { Ok(entry) }
    }

    /// For how long a subgraph's answer may be kept: as long as the policy and its own head say. `None` for one with errors,
    /// and for one that its head forbids to keep.
    pub(crate) fn judge(&self, policy: CachePolicy, response: &SubgraphResponse) -> Option<Kept> {
        if !response.errors.is_empty() || !self.asking.keeps {
            return None;
        }
        let scope = effective(policy.scope, &self.asking.caller);
        let (mut max_age, mut tracked) = (policy.max_age, policy.tracked);
        if response.headers.contains_key(CACHE_CONTROL) {
            let allowed = CacheControl::of(&response.headers)?.allowed(scope != SharingScope::Caller)?;
            (max_age, tracked) = (max_age.min(allowed), tracked.min(allowed));
        }
        let until =
            |after: Duration| self.begun.at + TimeDelta::from_std(after).unwrap_or(TimeDelta::MAX / 4);
        let kept = Kept { begun: self.begun, until: until(max_age), tracked_until: until(tracked), scope };
        (!tracked.is_zero()).then_some(kept)
    }

    /// What the head of a part says for how long it may be kept, with what the policy says beside it.
    pub(crate) fn told(policy: CachePolicy, headers: &Arc<HeaderMap>) -> Arc<HeaderMap> {
        if policy.max_age.is_zero() {
            return Arc::clone(headers);
        }
        let own = CacheControl::for_age(policy.max_age, policy.scope == SharingScope::Public);
        let all = match CacheControl::of(headers) {
            None if headers.contains_key(CACHE_CONTROL) => return Arc::clone(headers),
            None => own,
            Some(mut theirs) => {
                theirs.narrow(&own);
                theirs
            }
        };
        let mut headers = HeaderMap::clone(headers);
        headers.insert(CACHE_CONTROL, all.to_value());
        headers.remove(AGE);
        Arc::new(headers)
    }

    /// The head of a part that was kept.
    pub(crate) fn head(&self, entry: &Entry) -> Arc<HeaderMap> {
        let told = entry.told.clone();
        let age = HeaderValue::from(entry.age(self.now()));
        Arc::new(told.into_iter().flat_map(|told| [(CACHE_CONTROL, told), (AGE, age.clone())]).collect())
    }

    /// Watches for what ends an answer that was made of `reads`, where that can be known. The error says why it may be
    /// another one already.
    pub(crate) fn track(&self, kept: &Kept, reads: Option<Arc<Reads>>) -> Result<Option<Arc<Tracking>>, Why> {
        let (Some(changes), Some(heard)) = (&self.cache.changes, kept.begun.heard) else { return Ok(None) };
        let Some(reads) = reads.filter(|reads| reads.untracked().is_empty() && !reads.is_partial()) else {
            return Ok(None);
        };
        let ended = Arc::<Ended>::default();
        let tenant = tenant(kept.scope, &self.asking.caller);
        match changes.watch(heard, (tenant, Arc::clone(&reads)), Arc::clone(&ended) as _) {
            Ok(watch) => Ok(Some(Arc::new(Tracking { reads, ended, _watch: watch }))),
            // Nobody tells of changes any more: it is kept for its time.
            Err(Why::Deaf) => Ok(None),
            Err(why) => Err(why),
        }
    }

    /// Keeps an answer.
    pub(crate) fn keep(
        &self,
        key: Key,
        content: Content,
        tracking: Option<Arc<Tracking>>,
    ) -> Option<Arc<Entry>> {
        let Content { body, kept, told, cost, subgraphs } = content;
        let made = self.begun.at;
        let entry = Arc::new(Entry { body, made, kept, told, cost, subgraphs, tracking });
        let is_kept = entry.is_over(self.now()).is_none() && self.cache.store.put(key, &entry, self.now());
        is_kept.then_some(entry)
    }
}

/// The tenant whose changes concern an answer; `None` where those of all do.
pub(super) fn tenant(scope: SharingScope, caller: &Caller) -> Option<OrgId> {
    caller.org.filter(|_| scope != SharingScope::Public)
}

fn count(kind: Kind, subgraph: Option<&Arc<str>>, miss: Option<Miss>) {
    let outcome = if miss.is_none() { "hit" } else { "miss" };
    let reason = miss.map_or("", Miss::as_str);
    let subgraph = subgraph.map_or_else(|| Arc::from(""), Arc::clone);
    counter!(
        "pulse_gateway_response_cache_total",
        "kind" => kind.as_str(), "subgraph" => subgraph, "outcome" => outcome, "reason" => reason
    )
    .increment(1);
}
