#![doc = include_str!("../README.md")]

mod handler;
mod resource;
mod schema_tools;
mod surface;
mod tools;

pub use surface::{Mcp, McpOptions};
