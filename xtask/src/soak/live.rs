//! The processes of a platform, killed at random points while clients follow.

use std::process::ExitCode;

use clap::Args;

use crate::cargo;

/// Which randomness, and how much of it.
#[derive(Args)]
pub(crate) struct Options {
    /// Where the randomness begins; a failure tells it again.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How often one of the processes is killed.
    #[arg(long, default_value_t = 200)]
    rounds: u64,
}

pub(super) fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let test = "soak::whatever_is_killed_each_client_hears_each_event_once_and_each_job_is_done";
    let mut command =
        cargo::command(&["test", "--quiet", "--package", "pulse", "--test", "it", "--", "--nocapture", test]);
    command.env("PULSE_SOAK_SEED", options.seed.to_string());
    command.env("PULSE_SOAK_ROUNDS", options.rounds.to_string());
    cargo::exit_code(command)
}
