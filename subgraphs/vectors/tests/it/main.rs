//! The subgraph on a database of its own.

mod collections;
mod items;
mod search;
mod similar;
mod stage;
