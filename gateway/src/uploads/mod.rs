//! Files that come with an operation, by the GraphQL multipart request specification. A file is not kept: it flows out
//! of the client's request into the one call that uses it. Only a file that comes before its turn, or that two calls
//! use, waits on the disk.

mod arriving;
mod error;
mod forward;
mod kept;
mod places;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Bytes, BytesMut};
use futures::TryStreamExt;
use futures::stream::BoxStream;

use crate::config::UploadsConfig;
use crate::value::{Object, Value};

pub(crate) use arriving::{Parts, parts};
pub use error::UploadError;
pub(crate) use forward::forward;
pub(crate) use places::{marked, put};

use arriving::Arriving;

/// What bounds a request's files.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UploadLimits {
    pub(crate) file_size: u64,
    pub(crate) total_size: u64,
    pub(crate) files: usize,
}

impl From<&UploadsConfig> for UploadLimits {
    fn from(config: &UploadsConfig) -> Self {
        Self {
            file_size: config.max_file_size.as_u64(),
            total_size: config.max_total_size.as_u64(),
            files: config.max_files,
        }
    }
}

/// The files of one request. Cloning shares them.
#[derive(Clone)]
pub struct Uploads(Arc<Shared>);

struct Shared {
    arriving: Arc<tokio::sync::Mutex<Arriving>>,
    /// Which files are used more than once, by their places in `map`.
    wanted_again: Mutex<Vec<bool>>,
    failure: Arc<Mutex<Option<UploadError>>>,
}

/// A file of a request, as one call to a subgraph uses it.
#[derive(Debug, Clone)]
pub struct SubgraphFile {
    /// Where in the call's variables it belongs, such as `input.files.0`; `null` stands there.
    pub paths: Vec<String>,
    /// The file.
    pub upload: Upload,
}

/// A file of a request.
#[derive(Debug, Clone)]
pub struct Upload {
    uploads: Uploads,
    file: usize,
}

/// A file whose bytes can be read now.
pub struct OpenFile {
    /// Its name, as the client gives it; empty when it has none.
    pub file_name: String,
    /// What the client says it is.
    pub content_type: Option<String>,
    /// Its bytes, as they come in.
    pub content: BoxStream<'static, Result<Bytes, UploadError>>,
}

impl Uploads {
    /// Files named as in `map`, with how many places each has there.
    pub(crate) fn new(parts: Parts, names: Vec<(String, usize)>, limits: UploadLimits) -> Self {
        let wanted_again = names.iter().map(|(_, places)| *places > 1).collect();
        let names = names.into_iter().map(|(name, _)| name).collect();
        let failure = Arc::default();
        let arriving = Arriving::new(parts, names, limits, Arc::clone(&failure));
        Self(Arc::new(Shared {
            arriving: Arc::new(tokio::sync::Mutex::new(arriving)),
            wanted_again: Mutex::new(wanted_again),
            failure,
        }))
    }

    /// Takes note of the calls that are to come: a file that more than one of them uses is kept.
    pub(crate) fn expect_calls<'v>(&self, calls: impl Iterator<Item = Vec<&'v Value>>) {
        let mut wanted_again = self.0.wanted_again.lock().unwrap_or_else(PoisonError::into_inner);
        let mut uses = vec![0_usize; wanted_again.len()];
        for variables in calls {
            let mut files = Vec::new();
            for value in variables {
                places::files_in(value, &mut files);
            }
            files.sort_unstable();
            files.dedup();
            for file in files {
                if let Some(uses) = uses.get_mut(file) {
                    *uses += 1;
                }
            }
        }
        for (wanted_again, uses) in wanted_again.iter_mut().zip(uses) {
            *wanted_again |= uses > 1;
        }
    }

    /// The files that a call's variables refer to. `null` takes their places.
    pub(crate) fn take(&self, variables: &mut Object) -> Vec<SubgraphFile> {
        let known = self.0.wanted_again.lock().unwrap_or_else(PoisonError::into_inner).len();
        let files = places::take(variables).into_iter().filter(|(file, _)| *file < known);
        files
            .map(|(file, paths)| SubgraphFile { paths, upload: Upload { uploads: self.clone(), file } })
            .collect()
    }

    /// The first thing that went wrong with a file.
    pub(crate) fn failure(&self) -> Option<UploadError> {
        self.0.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads what nobody wanted, within the limits, so that the client gets to see its answer.
    pub(crate) async fn discard(&self) {
        self.0.arriving.lock().await.discard().await;
    }
}

impl Upload {
    /// Its bytes from the beginning, once: a file that only one call uses is passed on as it comes and not kept.
    /// Waits until it is its turn.
    pub async fn open(&self) -> Result<OpenFile, UploadError> {
        let arriving = Arc::clone(&self.uploads.0.arriving).lock_owned().await;
        let shared = self.uploads.0.wanted_again.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Arriving::open(arriving, self.file, &shared).await
    }

    /// What went wrong with a file of its request.
    pub(crate) fn failure(&self) -> Option<UploadError> {
        self.uploads.failure()
    }
}

impl OpenFile {
    /// All of its bytes.
    pub async fn bytes(mut self) -> Result<Bytes, UploadError> {
        let mut bytes = BytesMut::new();
        while let Some(chunk) = self.content.try_next().await? {
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes.freeze())
    }
}

impl fmt::Debug for Uploads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Uploads").finish_non_exhaustive()
    }
}
