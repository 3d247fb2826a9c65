#![doc = include_str!("../README.md")]

mod cache;
mod entry;
mod feed;
mod flights;
mod freshness;
mod hot;
mod index;
mod key;
mod options;
mod reads;
mod redis;
mod statistics;
mod value;

pub use cache::{Answer, Cache, Fresh, Loaded, Lookup};
pub use entry::Reload;
pub use feed::{Certainty, Mark};
pub use freshness::{Freshness, OwnWrites, Unheard};
pub use index::{Id, Index};
pub use key::{Key, Space};
pub use options::{CacheOptions, RedisOptions};
pub use reads::Reads;
pub use statistics::{Miss, Statistics};
pub use value::{CacheValue, Json};
