#![doc = include_str!("../README.md")]
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

mod fingerprint;
mod graph;
mod people;
mod platform;

pub use fingerprint::Fingerprint;
pub use graph::Graph;
pub use people::{PASSWORD, Person, Tenant};
pub use platform::{Answer, TestPlatform};
