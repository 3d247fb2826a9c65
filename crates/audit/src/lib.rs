#![doc = include_str!("../README.md")]

mod chain;
mod link;
mod verify;

pub use chain::Chain;
pub use verify::{Broken, Fault, Progress, Report, verify};
