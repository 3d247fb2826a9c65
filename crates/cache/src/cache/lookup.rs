//! What is asked of a cache, and what it answers.

use std::sync::Arc;
use std::time::Duration;

use pulse_types::Tag;

use crate::{Freshness, Mark, Reload, Space};

/// How something is looked up.
#[derive(Clone)]
pub struct Lookup<'a> {
    /// What kind of answer it is.
    pub space: Space,
    /// How new it has to be.
    pub freshness: Freshness<'a>,
    /// How it is loaded again without anybody who asks, when it is often asked for.
    pub reload: Option<Reload>,
    /// Loads it even if it is there.
    pub again: bool,
}

/// A value, and what it was made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<V> {
    /// The value.
    pub value: V,
    /// What it was made of.
    pub tags: Arc<[Tag]>,
    /// Whether it was there, or somebody else was loading it.
    pub was_kept: bool,
}

/// A value that was just loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fresh<V> {
    pub(crate) value: V,
    pub(crate) tags: Vec<Tag>,
    pub(crate) keep: Keep,
}

/// For how long a value is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    Usual,
    For(Duration),
    Not,
}

/// What was loaded for several keys, in their order.
#[derive(Debug)]
pub struct Loaded<V> {
    /// A moment before anything of it was read.
    pub mark: Mark,
    /// A value for each key.
    pub values: Vec<Fresh<V>>,
}

impl<'a> Lookup<'a> {
    /// Looks for an answer of this kind.
    pub const fn new(space: Space, freshness: Freshness<'a>) -> Self {
        Self { space, freshness, reload: None, again: false }
    }

    /// Has it loaded again by `reload` when it is often asked for.
    #[must_use]
    pub fn reloaded(self, reload: Reload) -> Self {
        Self { reload: Some(reload), ..self }
    }

    /// Loads it even if it is there.
    #[must_use]
    pub fn again(self) -> Self {
        Self { again: true, ..self }
    }
}

impl<V> Fresh<V> {
    /// A value that was made of what `tags` say. What is made of nothing that can change is kept until its time is over.
    pub const fn new(value: V, tags: Vec<Tag>) -> Self {
        Self { value, tags, keep: Keep::Usual }
    }

    /// It is kept for so long at most.
    #[must_use]
    pub fn keep_for(self, ttl: Duration) -> Self {
        Self { keep: if ttl.is_zero() { Keep::Not } else { Keep::For(ttl) }, ..self }
    }

    /// It is for the one who asked alone, and not kept.
    #[must_use]
    pub fn not_kept(self) -> Self {
        Self { keep: Keep::Not, ..self }
    }
}
