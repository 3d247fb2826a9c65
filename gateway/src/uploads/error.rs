//! What is wrong with a file of a request.

use crate::engine::ErrorCode;
use crate::sizes;

/// Why a file could not be passed on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UploadError {
    /// It is larger than a file may be.
    #[error("File too large: {}", sizes::over(*size, *limit))]
    TooLarge {
        /// How large it is.
        size: u64,
        /// How large it may be.
        limit: u64,
    },
    /// It is so much larger than a file may be that it was not read to its end.
    #[error("File too large: more than {}, the limit is {}", sizes::words(*read), sizes::words(*limit))]
    FarTooLarge {
        /// How much of it was read.
        read: u64,
        /// How large it may be.
        limit: u64,
    },
    /// All files together are larger than they may be.
    #[error("Files too large: together more than {}", sizes::words(*.0))]
    TogetherTooLarge(u64),
    /// `map` names it, and the request does not have it.
    #[error("the file `{0}` is named in `map`, but the request does not have it")]
    Missing(String),
    /// The request has it more than once.
    #[error("the request has the file `{0}` twice")]
    Twice(String),
    /// The request has more parts than it may.
    #[error("the request has more than {0} parts after `map`: send no others than those that `map` names")]
    TooManyParts(usize),
    /// The request ended in the middle.
    #[error("the request broke off, or is no well-formed multipart/form-data: {0}")]
    Malformed(String),
    /// It has been sent to a subgraph already, and was not kept.
    #[error("the file `{0}` has been passed on already, and is not there for a second attempt")]
    Gone(String),
    /// The disk did not take it, or did not give it back.
    #[error("the file `{0}` could not be kept; try again in a moment")]
    NotKept(String),
}

impl UploadError {
    /// The API's code for it.
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Gone(_) | Self::NotKept(_) => ErrorCode::Unavailable,
            Self::TooLarge { .. }
            | Self::FarTooLarge { .. }
            | Self::TogetherTooLarge(_)
            | Self::Missing(_)
            | Self::Twice(_)
            | Self::TooManyParts(_)
            | Self::Malformed(_) => ErrorCode::BadUserInput,
        }
    }

    /// What went wrong more precisely.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } | Self::FarTooLarge { .. } | Self::TogetherTooLarge(_) => "FILE_TOO_LARGE",
            Self::Missing(_) => "FILE_MISSING",
            Self::Twice(_) => "FILE_TWICE",
            Self::TooManyParts(_) => "TOO_MANY_FILES",
            Self::Malformed(_) => "MALFORMED_MULTIPART",
            Self::Gone(_) | Self::NotKept(_) => "FILE_GONE",
        }
    }

    /// Whether it is about size.
    pub(crate) fn is_size(&self) -> bool {
        self.reason() == "FILE_TOO_LARGE"
    }
}
