#![doc = include_str!("../README.md")]

mod cluster;
mod error;
mod fetch;
mod folder;
mod initdb;
mod listen;
mod pip;
mod runner;
mod server;
mod unpack;
mod wheel;

pub use cluster::{Cluster, ClusterOptions};
pub use error::{ClusterError, FetchError};
pub use fetch::{Distribution, FetchOptions};
pub use listen::Listen;
pub use runner::RunAs;
