//! The program as its users start it: processes, signals, exit codes.

mod apart;
mod audit;
mod cli;
mod dev;
mod errors;
mod gateway;
mod graph;
mod import;
mod keys;
mod migrate;
mod outages;
mod registry;
mod schema;
mod serve;
mod settings;
mod soak;
mod support;
