//! One value that is kept.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use pulse_types::Tag;

use crate::index::Id;
use crate::key::Key;

/// Loads the value of a key again, and keeps it, before anybody asks; by a [`crate::Lookup::again`].
pub type Reload = Arc<dyn Fn(Key) -> BoxFuture<'static, ()> + Send + Sync>;

/// One value that is kept, for as long as it is live.
pub(crate) struct Entry {
    pub(crate) id: Id,
    pub(crate) value: Arc<dyn Any + Send + Sync>,
    pub(crate) tags: Arc<[Tag]>,
    pub(crate) expires: DateTime<Utc>,
    /// From when on it is loaded again if it is hot.
    pub(crate) stale: DateTime<Utc>,
    /// For how long it is kept in all.
    pub(crate) ttl: Duration,
    pub(crate) size: u32,
    pub(crate) reload: Option<Reload>,
    /// Cleared in the moment in which it becomes old, whatever still holds it.
    live: AtomicBool,
    /// Whether it is being loaded again before it expires.
    renewing: AtomicBool,
    /// What Redis knows: every change up to here is in it.
    stamp: AtomicI64,
}

/// What an [`Entry`] is made of.
pub(crate) struct Content {
    pub(crate) value: Arc<dyn Any + Send + Sync>,
    pub(crate) tags: Arc<[Tag]>,
    pub(crate) expires: DateTime<Utc>,
    pub(crate) stale: DateTime<Utc>,
    /// For how long it is kept in all.
    pub(crate) ttl: Duration,
    pub(crate) size: usize,
    pub(crate) reload: Option<Reload>,
}

impl Entry {
    pub(crate) fn new(id: Id, content: Content, stamp: i64) -> Self {
        let Content { value, tags, expires, stale, ttl, size, reload } = content;
        let size = u32::try_from(size).unwrap_or(u32::MAX);
        let (live, renewing) = (AtomicBool::new(true), AtomicBool::new(false));
        Self {
            id,
            value,
            tags,
            expires,
            stale,
            ttl,
            size,
            reload,
            live,
            renewing,
            stamp: AtomicI64::new(stamp),
        }
    }

    pub(crate) fn is_live(&self) -> bool {
        self.live.load(Ordering::Acquire)
    }

    /// Lets nobody have it any more; whether it was live.
    pub(crate) fn end(&self) -> bool {
        self.live.swap(false, Ordering::AcqRel)
    }

    /// Whether whoever asks is the one to load it again before it expires.
    pub(crate) fn renew(&self) -> bool {
        self.reload.is_some() && !self.renewing.swap(true, Ordering::Relaxed)
    }

    /// Moves the stamp on to `position`, if it is `behind` or more before it: whether the caller is the one to tell Redis.
    pub(crate) fn restamp(&self, position: i64, behind: i64) -> bool {
        let stamp = self.stamp.load(Ordering::Relaxed);
        position - stamp >= behind
            && self.stamp.compare_exchange(stamp, position, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("id", &self.id).field("live", &self.live).finish_non_exhaustive()
    }
}
