//! The gateway: served, in front of Pulse's subgraphs or anybody's, and checked.

mod check;
mod reload;
mod serve;
mod source;

use std::path::Path;

pub(crate) use reload::Reach;
pub(super) use serve::{serve, until_stopped};

use crate::cli::GatewayCommand;
use crate::settings::{DEFAULTS, Settings};
use crate::terminal::say;

/// Runs a command about the gateway that serves nothing.
pub(super) async fn run(command: GatewayCommand, file: Option<&Path>) -> anyhow::Result<()> {
    match command {
        GatewayCommand::Check(args) => check::run(&args, file).await,
        GatewayCommand::Schema => {
            let schema = pulse_config::schema::<Settings>(DEFAULTS)?;
            say(&serde_json::to_string_pretty(&schema)?);
            Ok(())
        }
    }
}
