//! Where supergraphs come from: there from the start, in a file, behind a URL.

mod file;
mod url;

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use sha2::{Digest, Sha256};

use crate::ports::{SourceError, SupergraphSdl, SupergraphSource};

pub use file::FileSource;
pub use url::{InvalidSourceUrl, UrlSource};

impl SupergraphSdl {
    /// A supergraph whose version is a hash of its text.
    pub fn hashed(sdl: impl Into<String>) -> Self {
        let sdl = sdl.into();
        let hash: [u8; 32] = Sha256::digest(sdl.as_bytes()).into();
        let start = hash.first_chunk().expect("a SHA-256 hash has more than eight bytes");
        let version = format!("{:016x}", u64::from_be_bytes(*start));
        Self { sdl, version }
    }
}

/// A supergraph that never changes: composed in this process.
#[derive(Debug, Clone)]
pub struct StaticSource(SupergraphSdl);

impl StaticSource {
    /// The source of this one supergraph.
    pub fn new(sdl: impl Into<String>) -> Self {
        Self(SupergraphSdl::hashed(sdl))
    }
}

#[async_trait]
impl SupergraphSource for StaticSource {
    async fn current(&self) -> Result<SupergraphSdl, SourceError> {
        Ok(self.0.clone())
    }

    fn changes(&self) -> BoxStream<'static, SupergraphSdl> {
        stream::empty().boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_static_source_never_changes() {
        let source = StaticSource::new("type Query { a: Int }");
        assert_eq!(source.changes().next().await, None);
        assert_eq!(source.current().await.unwrap(), SupergraphSdl::hashed("type Query { a: Int }"));
    }
}
