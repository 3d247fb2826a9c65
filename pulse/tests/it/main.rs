//! The program as its users start it: processes, signals, exit codes.

mod apart;
mod audit;
mod cli;
mod dev;
mod errors;
mod gateway;
mod graph;
mod graph_copy;
mod import;
mod keys;
mod migrate;
mod operations;
mod outages;
mod registry;
mod schema;
mod serve;
mod settings;
mod soak;
mod support;
