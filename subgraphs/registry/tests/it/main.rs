//! The subgraph on a database of its own.

mod cases;
mod checks;
mod clients;
mod large;
mod publishing;
mod rights;
mod stage;
mod usage;
