//! Answers that are kept: who gets them, for how long, and what ends them.

mod changes;
mod entities;
mod lifetimes;
mod redis;
mod sharing;
mod shop;
mod sockets;

use serde_json::{Value, json};

/// A query for one product by its number.
fn product(id: u128) -> (&'static str, Value) {
    ("query($id: ID!) { product(id: $id) { name } }", json!({ "id": shop::uuid(id) }))
}

/// Renames a product.
fn rename(id: u128, name: &str) -> (&'static str, Value) {
    let query = "mutation($id: ID!, $name: String!) { rename(id: $id, name: $name) { name } }";
    (query, json!({ "id": shop::uuid(id), "name": name }))
}
