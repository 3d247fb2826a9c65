//! One file a command.

mod audit;
mod dev;
mod gateway;
mod graph;
mod health;
mod import;
mod keys;
mod migrate;
mod privacy;
mod schema;
mod serve;
mod stop;

pub(crate) use gateway::Reach;

use crate::cli::{Cli, Command, GatewayCommand};
use crate::settings::{DEFAULTS, Settings};
use crate::terminal::say;

/// Runs a command to its end.
pub async fn run(cli: Cli) -> anyhow::Result<()> {
    let file = cli.config.as_deref();
    match cli.command {
        Command::Config { schema: false } => say(DEFAULTS.trim_end()),
        Command::Config { schema: true } => gateway::run(GatewayCommand::Schema, file).await?,
        Command::Gateway(command) => gateway::run(command, file).await?,
        Command::Health(args) => health::run(&args).await?,
        Command::Schema(command) => schema::run(command, file).await?,
        Command::Dev(args) => Box::pin(dev::run(args, Settings::load(file)?)).await?,
        Command::Serve(command) => Box::pin(serve::run(command, Settings::load(file)?, file)).await?,
        Command::Migrate(command) => migrate::run(command, &Settings::load(file)?).await?,
        Command::Audit(command) => audit::run(command, Settings::load(file)?).await?,
        Command::Privacy(command) => privacy::run(command, &Settings::load(file)?).await?,
        Command::Keys(command) => keys::run(command, Settings::load(file)?).await?,
        Command::Graph(command) => graph::run(command, &Settings::load(file)?).await?,
        Command::Import(args) => import::run(args, &Settings::load(file)?).await?,
    }
    Ok(())
}
