#![doc = include_str!("../README.md")]

mod document;
mod hash;
mod manifest;
mod published;

pub use document::{Document, DocumentError, OperationKind};
pub use hash::TextHash;
pub use manifest::{Manifest, ManifestError, ManifestOperation};
pub use published::{Ambiguous, ClientOperations, OperationMode, PublishedOperation, PublishedOperations};
