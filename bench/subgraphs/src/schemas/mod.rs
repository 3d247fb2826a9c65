//! The subgraphs as async-graphql schemas, a file for each.

pub mod accounts;
pub mod inventory;
pub mod products;
pub mod reviews;
