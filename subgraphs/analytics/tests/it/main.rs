//! The subgraph on a database of its own.

mod activity;
mod events;
mod series;
mod stage;
