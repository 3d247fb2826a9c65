//! The program as its users start it: processes, signals, exit codes.

mod cli;
mod dev;
mod errors;
mod gateway;
mod import;
mod migrate;
mod schema;
mod serve;
mod settings;
mod support;
