//! The subgraph on a database of its own.

mod publishing;
mod rights;
mod stage;
