//! Many writers, and readers that come and go, on the event log.

use std::process::ExitCode;

use clap::Args;

use crate::cargo;

/// Which randomness, and how much of it.
#[derive(Args)]
pub(crate) struct Options {
    /// Where the randomness begins; a failure tells it again.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many transactions each of the 32 writers makes.
    #[arg(long, default_value_t = 2_000)]
    rounds: u64,
}

pub(super) fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let test = "property::every_committed_event_comes_exactly_once_whatever_ends";
    let mut command =
        cargo::command(&["test", "--quiet", "--package", "pulse-events", "--test", "it", "--", test]);
    command.env("PULSE_SOAK_SEED", options.seed.to_string());
    command.env("PULSE_SOAK_ROUNDS", options.rounds.to_string());
    cargo::exit_code(command)
}
