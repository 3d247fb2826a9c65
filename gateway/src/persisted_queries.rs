//! Operations that clients send by their SHA-256 once the gateway has seen their text (Apollo's automatic persisted
//! queries).

use moka::sync::Cache;
use pulse_manifests::TextHash;

use crate::config::PersistedQueriesConfig;
use crate::value::{Object, Text, Value};

/// What a request's `extensions.persistedQuery` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Persisted {
    /// It is not there.
    Unused,
    /// The text has this hash, or is known by it.
    As(TextHash),
    /// It cannot be read; the text says why.
    Unreadable(&'static str),
}

/// The texts that clients have sent with their hashes.
pub(crate) struct PersistedQueries {
    texts: Option<Cache<TextHash, Text>>,
    size: u64,
}

impl Persisted {
    /// Reads a request's extensions.
    pub(crate) fn of(extensions: &Object) -> Self {
        let Some(persisted) = extensions.get("persistedQuery").filter(|value| !value.is_null()) else {
            return Self::Unused;
        };
        if persisted.get("version") != Some(&Value::Int(1)) {
            return Self::Unreadable("`extensions.persistedQuery.version` must be 1");
        }
        let hash = persisted.get("sha256Hash").and_then(Value::as_str).and_then(TextHash::from_hex);
        hash.map_or(
            Self::Unreadable(
                "`extensions.persistedQuery.sha256Hash` must be a SHA-256 as 64 hexadecimal digits",
            ),
            Self::As,
        )
    }
}

impl PersistedQueries {
    /// An empty memory.
    pub(crate) fn new(config: &PersistedQueriesConfig) -> Self {
        let size = config.cache_size.as_u64();
        let texts = || Cache::builder().max_capacity(size).weigher(|_, text| weight(text)).build();
        Self { texts: config.enabled.then(texts), size }
    }

    /// Whether texts may be registered here.
    pub(crate) const fn enabled(&self) -> bool {
        self.texts.is_some()
    }

    /// The text with this hash, if it was registered.
    pub(crate) fn find(&self, hash: TextHash) -> Option<Text> {
        self.texts.as_ref()?.get(&hash)
    }

    /// Remembers a text, whose hash was compared.
    pub(crate) fn register(&self, hash: TextHash, text: &Text) {
        if let Some(texts) = &self.texts
            && u64::from(weight(text)) <= self.size
            && !texts.contains_key(&hash)
        {
            // A copy, since a text shares the buffer of the whole request.
            texts.insert(hash, Text::from(text.as_str()));
        }
    }
}

/// A text counts for its bytes and for what keeping it costs besides.
fn weight(text: &Text) -> u32 {
    u32::try_from(text.len() + 200).unwrap_or(u32::MAX)
}
