#![doc = include_str!("../README.md")]

mod network;
mod outlet;
mod resolver;
mod tls;

pub use network::is_reachable;
pub use outlet::{ConnectError, Outlet, Reach, Stream};
pub use resolver::{Resolve, SystemResolver};
pub use tls::{InvalidCaFile, connector};
