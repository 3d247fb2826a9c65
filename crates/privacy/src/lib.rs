#![doc = include_str!("../README.md")]

mod catalog;
mod coordinator;
mod download;
mod erase;
mod export;
mod inventory;
mod link;
mod request;
mod retention;
mod rules;
mod share;

pub use catalog::{Class, Column, Pii, Table};
pub use coordinator::{BEGIN, Privacy};
pub use download::{Who, routes as downloads};
pub use inventory::{Entry, inventory};
pub use link::Link;
pub use retention::Retention;
pub use share::take_part;
