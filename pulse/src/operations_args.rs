//! Arguments of `pulse operations`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::{RegistryArgs, ReportFormat};

/// Operations that clients publish before they send them.
#[derive(Debug, Subcommand)]
pub enum OperationsCommand {
    /// Check that the operations of a manifest can be sent, and name what is deprecated of what they use.
    Check(CheckOperationsArgs),
    /// Publish what a version of a client sends: all of it, or nothing if anything of it cannot be sent.
    Publish(PublishOperationsArgs),
}

/// Arguments of `pulse operations check`.
#[derive(Debug, Args)]
pub struct CheckOperationsArgs {
    /// The manifest: Apollo's, Relay's, or an object of texts by ids.
    pub manifest: PathBuf,
    /// The schema that they are sent to, an API schema or a supergraph; without it, that of --registry.
    #[arg(long, value_name = "FILE", required_unless_present = "registry")]
    pub schema: Option<PathBuf>,
    /// Which graph at which registry.
    #[command(flatten)]
    pub registry: RegistryArgs,
    /// For whom the report is.
    #[arg(long, visible_alias = "output", value_enum, default_value_t = ReportFormat::Text)]
    pub format: ReportFormat,
}

/// Arguments of `pulse operations publish`.
#[derive(Debug, Args)]
pub struct PublishOperationsArgs {
    /// The manifest: Apollo's, Relay's, or an object of texts by ids.
    pub manifest: PathBuf,
    /// The client, as the registry knows it.
    #[arg(long, value_name = "NAME")]
    pub client: String,
    /// Its version, such as a release. What a version published never changes.
    #[arg(long, value_name = "VERSION")]
    pub client_version: String,
    /// Where it is published.
    #[arg(long, env = "PULSE_REGISTRY", value_name = "URL")]
    pub registry: String,
    /// An API key of the organization with the scope schema:publish. Better in the environment.
    #[arg(long = "registry-key", env = "PULSE_REGISTRY_KEY", hide_env_values = true, value_name = "KEY")]
    pub key: Option<String>,
    /// The environment of the organization's own graph that they are sent to; without it, they are sent to the API of Pulse.
    #[arg(long, value_name = "NAME")]
    pub environment: Option<String>,
    /// And its variant.
    #[arg(long, value_name = "NAME", requires = "environment")]
    pub variant: Option<String>,
}
