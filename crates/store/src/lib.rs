#![doc = include_str!("../README.md")]

mod cached;
mod connection;
mod error;
mod kept_address;
mod looks;
mod session;
mod sight;
mod statistics;
mod store;
mod tags;
mod to_its_end;
mod write;

pub use cached::{CachedRead, Scope, Tagging};
pub use connection::Connection;
pub use error::StoreError;
pub use kept_address::KeptAddress;
pub use looks::{Look, Reading, WINDOW as LOOKS_WINDOW};
pub use pulse_cache::Space;
pub use session::Session;
pub use statistics::Statistics;
pub use store::{JOBS_CHANNEL, PoolOptions, Store};
pub use tags::{MAX_TAGS, Tags};
pub use write::{AuditFact, Begun, Event, EventKind, IdempotencyKey, InvalidIdempotencyKey, NewJob, Write};

/// How long after its time a write is visible at the latest: what it waits for and does has limits. Whoever reads by times reckons
/// with it.
pub const LONGEST_WRITE: chrono::TimeDelta = chrono::TimeDelta::minutes(1);
