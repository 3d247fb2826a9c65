#![doc = include_str!("../README.md")]

mod error;
mod folder;
mod name;

pub use error::FilesError;
pub use folder::{Files, NewFile};
pub use name::{FileName, InvalidFileName};
