//! The subgraph's API against a real database.
#![expect(clippy::unwrap_used, reason = "what a test needs and does not find makes it fail")]

mod authz;
mod federation;
mod harness;
mod members;
mod operator;
mod organizations;
mod refresh;
mod routes;
mod sessions;
mod users;
mod walls;
