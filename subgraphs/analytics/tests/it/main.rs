//! The subgraph on a database of its own.

mod activity;
mod events;
mod federation;
mod rights;
mod series;
mod stage;
