//! A supergraph in a file.

use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use tokio::fs;
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::ports::{SourceError, SupergraphSdl, SupergraphSource};

/// A supergraph in a file. Changes of the file are seen within the polling interval.
#[derive(Debug, Clone)]
pub struct FileSource {
    path: PathBuf,
    poll: Option<Duration>,
}

impl FileSource {
    /// The supergraph in the file at `path`, looked at again every second.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), poll: Some(Duration::from_secs(1)) }
    }

    /// The same, looked at again this often; never for `None`.
    #[must_use]
    pub fn with_poll(mut self, poll: Option<Duration>) -> Self {
        self.poll = poll;
        self
    }
}

#[async_trait]
impl SupergraphSource for FileSource {
    async fn current(&self) -> Result<SupergraphSdl, SourceError> {
        read(&self.path).await
    }

    fn changes(&self) -> BoxStream<'static, SupergraphSdl> {
        let Some(poll) = self.poll else { return stream::empty().boxed() };
        let mut ticks = interval(poll);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let watch = Watch { path: self.path.clone(), ticks, stamp: None, version: None };
        stream::unfold(watch, |mut watch| async move { Some((watch.next().await, watch)) }).boxed()
    }
}

async fn read(path: &Path) -> Result<SupergraphSdl, SourceError> {
    match fs::read_to_string(path).await {
        Ok(sdl) => Ok(SupergraphSdl::hashed(sdl)),
        Err(error) => Err(SourceError {
            what: format!(
                "the supergraph file {} cannot be read ({error}); check the path and its permissions",
                path.display()
            ),
        }),
    }
}

struct Watch {
    path: PathBuf,
    ticks: Interval,
    stamp: Option<(SystemTime, u64)>,
    version: Option<String>,
}

impl Watch {
    /// The next text of the file that differs from the one before. The first one is always new: what was read before
    /// watching began may be older.
    async fn next(&mut self) -> SupergraphSdl {
        loop {
            self.ticks.tick().await;
            let stamp = fs::metadata(&self.path).await.ok().as_ref().and_then(stamp);
            if stamp.is_none() || stamp == self.stamp {
                continue;
            }
            match read(&self.path).await {
                Ok(supergraph) => {
                    self.stamp = stamp;
                    if self.version.as_ref() != Some(&supergraph.version) {
                        self.version = Some(supergraph.version.clone());
                        return supergraph;
                    }
                }
                Err(error) => tracing::warn!(%error, "keeping the supergraph that is served"),
            }
        }
    }
}

fn stamp(metadata: &Metadata) -> Option<(SystemTime, u64)> {
    Some((metadata.modified().ok()?, metadata.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_changed_file_is_a_new_version_and_a_touched_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("supergraph.graphql");
        std::fs::write(&path, "type Query { a: Int }").unwrap();
        let source = FileSource::new(&path).with_poll(Some(Duration::from_millis(2)));
        let first = source.current().await.unwrap();
        let mut changes = source.changes();
        assert_eq!(changes.next().await.unwrap(), first);
        std::fs::write(&path, "type Query { a: Int b: Int }").unwrap();
        let second = changes.next().await.unwrap();
        assert_eq!(second.sdl, "type Query { a: Int b: Int }");
        assert_ne!(second.version, first.version);
    }

    #[tokio::test]
    async fn a_file_that_is_not_there_is_named() {
        let error = FileSource::new("nowhere/supergraph.graphql").current().await.unwrap_err();
        insta::assert_snapshot!(error, @"the supergraph file nowhere/supergraph.graphql cannot be read (No such file or directory (os error 2)); check the path and its permissions");
    }
}
