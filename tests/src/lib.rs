#![doc = include_str!("../README.md")]
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

mod fingerprint;
mod graph;
mod keys;
mod live;
mod people;
mod platform;

pub use fingerprint::Fingerprint;
pub use graph::Graph;
pub use keys::ApiKey;
pub use live::{Said, Stream, Transport};
pub use people::{PASSWORD, Person, Tenant};
pub use platform::{Answer, ENCRYPTION_KEY, TestPlatform};
