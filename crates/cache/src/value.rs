//! What can be kept.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// An answer that can be kept in the process and written to Redis. Cloning one should be cheap.
pub trait CacheValue: Clone + Send + Sync + 'static {
    /// Its bytes; `None` when it has none, and is not kept.
    fn encode(&self) -> Option<Bytes>;

    /// Reads the bytes again; `None` when they are something else.
    fn decode(bytes: Bytes) -> Option<Self>;
}

impl CacheValue for Bytes {
    fn encode(&self) -> Option<Bytes> {
        Some(self.clone())
    }

    fn decode(bytes: Bytes) -> Option<Self> {
        Some(bytes)
    }
}

/// A value that is kept as JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Json<T>(pub T);

impl<T: Serialize + DeserializeOwned + Clone + Send + Sync + 'static> CacheValue for Json<T> {
    fn encode(&self) -> Option<Bytes> {
        serde_json::to_vec(&self.0).ok().map(Bytes::from)
    }

    fn decode(bytes: Bytes) -> Option<Self> {
        serde_json::from_slice(&bytes).ok().map(Self)
    }
}
