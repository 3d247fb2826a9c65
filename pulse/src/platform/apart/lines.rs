//! Lines of JSON out of a body that has no end.

use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::{Bytes, Incoming};
use pulse_graphql::FeedLine;
use tokio::time::timeout;

/// How long a line may be: many times what a change takes.
const LIMIT: usize = 1024 * 1024;

/// Why no more lines come.
#[derive(Debug, thiserror::Error)]
pub(super) enum LineError {
    #[error("nothing was said for {} s", .0.as_secs())]
    Silent(Duration),
    #[error("the connection broke")]
    Broken(#[source] hyper::Error),
    #[error("the other side ended it")]
    Ended,
    #[error("a line is longer than {LIMIT} bytes")]
    TooLong,
    #[error("a line is none of the feed's")]
    Malformed(#[source] serde_json::Error),
}

/// The lines of a body.
pub(super) struct Lines {
    body: Incoming,
    read: Vec<u8>,
    /// Up to where `read` was handed out.
    done: usize,
}

impl Lines {
    pub(super) const fn of(body: Incoming) -> Self {
        Self { body, read: Vec::new(), done: 0 }
    }

    /// The next line, which must come within `patience`.
    pub(super) async fn next(&mut self, patience: Duration) -> Result<FeedLine, LineError> {
        let mut searched = self.done;
        loop {
            if let Some(length) = self.read[searched..].iter().position(|byte| *byte == b'\n') {
                let line = &self.read[self.done..searched + length];
                self.done = searched + length + 1;
                return serde_json::from_slice(line).map_err(LineError::Malformed);
            }
            self.read.drain(..self.done);
            self.done = 0;
            searched = self.read.len();
            if searched > LIMIT {
                return Err(LineError::TooLong);
            }
            let more = timeout(patience, self.more()).await.map_err(|_| LineError::Silent(patience))??;
            self.read.extend_from_slice(&more);
        }
    }

    async fn more(&mut self) -> Result<Bytes, LineError> {
        let frame = self.body.frame().await.ok_or(LineError::Ended)?.map_err(LineError::Broken)?;
        Ok(frame.into_data().unwrap_or_default())
    }
}
