#![doc = include_str!("../README.md")]

mod item;
mod mapping;
mod read;
mod write;

pub use item::{Entity, Item, Relationship};
pub use mapping::{Mapping, MappingError};
pub use read::{Format, Limits, ReadError, Reader, Record};
pub use write::{Attributes, Output, WriteError, Writer};
