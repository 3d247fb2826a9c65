#![doc = include_str!("../README.md")]

mod cluster;
mod database;
mod neo4j;
mod redis;

pub use cluster::{TestServer, test_cluster};
pub use database::TestDatabase;
pub use neo4j::Neo4jServer;
pub use redis::RedisServer;
