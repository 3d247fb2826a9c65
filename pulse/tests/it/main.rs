//! The program as its users start it: processes, signals, exit codes.

mod apart;
mod cli;
mod dev;
mod errors;
mod gateway;
mod import;
mod migrate;
mod serve;
mod settings;
mod support;
