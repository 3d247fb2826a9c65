//! The subgraph on a database of its own.

mod collections;
mod federation;
mod items;
mod rights;
mod search;
mod similar;
mod stage;
