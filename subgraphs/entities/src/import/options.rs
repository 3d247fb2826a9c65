//! How an import works, and why it may not.

use pulse_graph_formats::{Limits, ReadError};
use pulse_store::StoreError;

/// What becomes of a record that names something which is there already, and different.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnConflict {
    /// It is changed to what the record says.
    #[default]
    Update,
    /// It stays as it is.
    Skip,
    /// The import ends.
    Fail,
}

impl OnConflict {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Update => "update",
            Self::Skip => "skip",
            Self::Fail => "fail",
        }
    }
}

/// How an import works.
#[derive(Debug, Clone)]
pub struct ImportOptions {
    /// Items in one transaction.
    pub batch_size: usize,
    /// How much one record may be.
    pub limits: Limits,
    /// Bytes of relationships that may wait for entities which come later, where the source can be read once alone.
    pub max_waiting_bytes: usize,
    /// What becomes of what is there already, and different.
    pub on_conflict: OnConflict,
    /// Says what would be done, and does nothing.
    pub is_dry_run: bool,
    /// Begins anew where the same import has broken off before.
    pub from_start: bool,
}

impl Default for ImportOptions {
    fn default() -> Self {
        Self {
            batch_size: 2_000,
            limits: Limits::default(),
            max_waiting_bytes: 64 << 20,
            on_conflict: OnConflict::Update,
            is_dry_run: false,
            from_start: false,
        }
    }
}

/// Where a record stands.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub struct Place {
    /// In which of the files, from 0.
    pub file: usize,
    /// On which line, from 1.
    pub line: u64,
}

/// Why an import broke off. What was committed before stays; the same import again goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A file cannot be opened.
    #[error("cannot open {name}")]
    Open {
        /// Which file.
        name: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file cannot be read further.
    #[error("{name} cannot be read to its end")]
    Read {
        /// Which file.
        name: String,
        /// Why, and where.
        #[source]
        source: ReadError,
    },
    /// A batch cannot be stored.
    #[error("cannot store what is up to line {}", place.line)]
    Store {
        /// The last record of the batch.
        place: Place,
        /// Why.
        #[source]
        source: StoreError,
    },
    /// Something is there already, and different.
    #[error("line {}: {what} is there already, and different: choose what becomes of conflicts, to skip or to update them", place.line)]
    Conflict {
        /// The record.
        place: Place,
        /// What it names.
        what: String,
    },
    /// Somebody else is at it.
    #[error("another process is importing the same: wait until it has ended")]
    Elsewhere,
}
