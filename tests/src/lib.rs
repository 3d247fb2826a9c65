#![doc = include_str!("../README.md")]
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

mod people;
mod platform;

pub use people::{Person, Tenant};
pub use platform::{Answer, TestPlatform};
