//! `pulse graph`.

mod copy;
mod export;
mod import;

use pulse_telemetry::init_logs;

use crate::graph_args::GraphCommand;
use crate::settings::Settings;

pub(super) async fn run(command: GraphCommand, settings: &Settings) -> anyhow::Result<()> {
    init_logs(&settings.telemetry)?;
    match command {
        GraphCommand::Import(args) => import::run(args, settings).await,
        GraphCommand::Export(args) => export::run(args, settings).await,
        GraphCommand::Verify(args) => copy::run(args.copy, Some(args.repair), settings).await,
        GraphCommand::Rebuild(args) => copy::run(args, None, settings).await,
    }
}
