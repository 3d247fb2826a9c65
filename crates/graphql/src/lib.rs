#![doc = include_str!("../README.md")]

mod caching;
mod context;
mod error;
mod feed;
mod live;
mod loader;
mod page;
mod plain;
mod scalar;
mod server;
mod socket;
mod stream;
mod subgraph;

pub use caching::{CacheControlScope, cache_control};
pub use context::ContextExt;
pub use error::{ClientError, Code, Error, NoClientError};
pub use feed::{CHANGES_PATH, FeedLine, FeedQuery};
pub use live::{
    AnyOf, ChangeFacts, Following, Happened, InSight, Live, LiveError, Wanting, follow, follow_in_sight,
    follow_own, follow_remembering, is_beginning, newest,
};
pub use loader::{Batch, Loader};
pub use page::{Connection, Cursor, Edge, Page, PageError, PageLimits, Total};
pub use plain::{Node, PlainFields, plain};
pub use scalar::JsonObject;
pub use server::{CALLER_HEADER, CallerSecret, router};
pub use socket::CALLER_EXTENSION;
pub use subgraph::{Api, Helper, Service, Subgraph, TAGS_EXTENSION, sdl};
