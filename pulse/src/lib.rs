#![doc = include_str!("../README.md")]

pub mod cli;
mod commands;
mod exit;
mod graph_args;
pub mod platform;
pub mod settings;
mod terminal;

pub use commands::run;
pub use exit::{Failure, exit_code};
