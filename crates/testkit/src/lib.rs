#![doc = include_str!("../README.md")]

mod cluster;
mod database;
mod redis;

pub use cluster::{TestServer, test_cluster};
pub use database::TestDatabase;
pub use redis::RedisServer;
