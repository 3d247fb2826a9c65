//! Tests that the test command runs for seconds, run for as long as one likes.

mod composition;
mod differential;
mod events;
mod fuzz;
mod live;

use std::process::ExitCode;

use clap::Subcommand;

/// What to run, and how much of it.
#[derive(Subcommand)]
pub(crate) enum Soak {
    /// Mutated schemas of subgraphs to composition, contracts and the comparison of schemas.
    Composition(composition::Options),
    /// Random queries to the gateway and to one server with the same schema and data.
    Differential(differential::Options),
    /// Writers and readers of the event log, some of which are ended at random points.
    Events(events::Options),
    /// Bytes that a fuzzer makes up, to the gateway's parsers, planner and merge.
    Fuzz(fuzz::Options),
    /// Clients, writers and jobs, while gateway, workers and Redis are killed and started again.
    Live(live::Options),
}

/// Runs it.
pub(crate) fn run(soak: &Soak) -> anyhow::Result<ExitCode> {
    match soak {
        Soak::Composition(options) => composition::run(options),
        Soak::Differential(options) => differential::run(options),
        Soak::Events(options) => events::run(options),
        Soak::Fuzz(options) => fuzz::run(options),
        Soak::Live(options) => live::run(options),
    }
}
