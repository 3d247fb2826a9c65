//! Mutated subgraphs to composition and to what follows it.

use std::process::ExitCode;

use clap::Args;

use crate::cargo;

/// Which mutations, and how many.
#[derive(Args)]
pub(crate) struct Options {
    /// Where their randomness begins; a failure tells it again.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many rounds.
    #[arg(long, default_value_t = 100_000)]
    rounds: u64,
}

pub(super) fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let test = "mutations::mutated_subgraphs_never_panic";
    let mut command = cargo::command(&[
        "test",
        "--quiet",
        "--package",
        "pulse-schema",
        "--test",
        "it",
        "--",
        test,
        "--nocapture",
    ]);
    command.env("PULSE_SOAK_SEED", options.seed.to_string());
    command.env("PULSE_SOAK_ROUNDS", options.rounds.to_string());
    cargo::exit_code(command)
}
