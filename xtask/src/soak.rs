//! Tests that the test command runs for seconds, run for as long as one likes.

use std::process::ExitCode;

use clap::{Args, ValueEnum};

use crate::cargo;

/// What to run, and how much of it.
#[derive(Args)]
pub(crate) struct Options {
    /// Which soak.
    name: Name,
    /// Where its randomness begins; a failure tells it again.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many rounds.
    #[arg(long, default_value_t = 10_000)]
    rounds: u64,
}

#[derive(Clone, Copy, ValueEnum)]
enum Name {
    /// Random queries to the gateway and to one server with the same schema and data.
    Differential,
}

/// Runs the test that the name stands for.
pub(crate) fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let (package, test) = match options.name {
        Name::Differential => ("pulse-gateway", "differential::random_queries"),
    };
    let mut command = cargo::command(&["test", "--quiet", "--package", package, "--test", "it", "--", test]);
    command.env("PULSE_SOAK_SEED", options.seed.to_string());
    command.env("PULSE_SOAK_ROUNDS", options.rounds.to_string());
    cargo::exit_code(command)
}
