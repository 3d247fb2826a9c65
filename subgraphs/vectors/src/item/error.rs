//! What callers can get wrong about items and searches.

use pulse_graphql::{ClientError, Code, PageError};
use pulse_store::InvalidIdempotencyKey;
use pulse_types::CollectionId;

use super::filter::FilterProblem;
use super::{MAX_BATCH, MAX_HITS, MAX_METADATA, VectorProblem};

/// What is wrong with a request about items.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum ItemError {
    /// There is no such collection, or none that the caller may see.
    #[error("there is no collection {id}")]
    NoCollection {
        /// The id.
        id: CollectionId,
        /// The argument or input field.
        field: &'static str,
    },
    /// Too many at once, or none.
    #[error("{given} at once: allowed is 1 to {MAX_BATCH}")]
    BatchSize {
        /// The input field.
        field: &'static str,
        /// How many there are.
        given: usize,
    },
    /// The same key twice.
    #[error("the key {key:?} stands at {first} and at {second}: send each item once")]
    DuplicateKey {
        /// The key.
        key: String,
        /// Where it stands first.
        first: usize,
        /// Where it stands again.
        second: usize,
    },
    /// A key is empty or too long.
    #[error("a key has 1 to 500 characters, this one has {length}")]
    KeyLength {
        /// Whose it is.
        index: usize,
        /// How long it is.
        length: usize,
    },
    /// A key is taken by an item that describes what the caller does not see.
    #[error("one of the keys belongs to an item that you may not see: choose another key")]
    UnseenKey,
    /// The metadata is too large.
    #[error("the metadata has {size} bytes as JSON, allowed are {MAX_METADATA}")]
    MetadataSize {
        /// Whose it is.
        index: usize,
        /// How large it is.
        size: usize,
    },
    /// The vector of an item.
    #[error("{problem}")]
    ItemVector {
        /// Whose it is.
        index: usize,
        /// What is wrong with it.
        problem: VectorProblem,
    },
    /// The vector that is searched for.
    #[error("{0}")]
    QueryVector(VectorProblem),
    /// How many hits.
    #[error("`first` is {0}, allowed is 1 to {MAX_HITS}")]
    First(i32),
    /// The metadata filter.
    #[error("{problem}")]
    Filter {
        /// Which part of it.
        path: String,
        /// What is wrong with it.
        problem: FilterProblem,
    },
    /// The idempotency key.
    #[error(transparent)]
    IdempotencyKey(#[from] InvalidIdempotencyKey),
    /// The page.
    #[error(transparent)]
    Page(#[from] PageError),
}

impl ClientError for ItemError {
    fn code(&self) -> Code {
        match self {
            Self::NoCollection { .. } => Code::NotFound,
            Self::UnseenKey => Code::Conflict,
            Self::Page(error) => error.code(),
            _ => Code::BadUserInput,
        }
    }

    fn field(&self) -> Option<String> {
        Some(match self {
            Self::NoCollection { field, .. } | Self::BatchSize { field, .. } => (*field).to_owned(),
            Self::DuplicateKey { second, .. } => format!("input.items[{second}].key"),
            Self::KeyLength { index, .. } => format!("input.items[{index}].key"),
            Self::MetadataSize { index, .. } => format!("input.items[{index}].metadata"),
            Self::ItemVector { index, problem: VectorProblem::NotFinite(nth) } => {
                format!("input.items[{index}].vector[{nth}]")
            }
            Self::ItemVector { index, .. } => format!("input.items[{index}].vector"),
            Self::QueryVector(VectorProblem::NotFinite(nth)) => format!("vector[{nth}]"),
            Self::QueryVector(_) => "vector".to_owned(),
            Self::UnseenKey => "input.items".to_owned(),
            Self::First(_) => "first".to_owned(),
            Self::Filter { path, .. } => path.clone(),
            Self::IdempotencyKey(_) => "input.idempotencyKey".to_owned(),
            Self::Page(error) => return error.field(),
        })
    }
}
