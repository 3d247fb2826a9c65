//! What can go wrong with a file.

use std::io;

/// Why a file could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// No folder is configured.
    #[error("there is no folder for files: set files.folder")]
    NoFolder,
    /// More was written than a file may have.
    #[error("the file has more than {0} bytes")]
    TooLarge(u64),
    /// The file system did not do it.
    #[error("the file {name} cannot be used")]
    Io {
        /// Which file.
        name: String,
        /// What the system says.
        #[source]
        source: io::Error,
    },
}
