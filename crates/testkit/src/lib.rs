#![doc = include_str!("../README.md")]

mod cluster;
mod database;

pub use cluster::{TestServer, test_cluster};
pub use database::TestDatabase;
