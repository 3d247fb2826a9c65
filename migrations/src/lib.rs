#![doc = include_str!("../README.md")]

mod bootstrap;
pub mod catalog;
mod error;
mod files;
mod migrator;
mod record;

pub use error::MigrateError;
pub use files::{Migration, Owner, embedded, fingerprint};
pub use migrator::{Applied, Migrator, State, Status, Target};
