//! The processes that the bench starts: the subgraphs, and Pulse's gateway wired as `pulse serve gateway` wires it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pulse_bench_harness::child::announce;
use pulse_bench_subgraphs::{ADDRESS, SUPERGRAPH};
use pulse_gateway::{
    AnonymousAuthenticator, FileSource, Gateway, GatewayConfig, GatewayParts, RemoteConfig, ServerConfig,
    Subgraphs,
};
use pulse_telemetry::{Metrics, TelemetryConfig, init_logs};
use pulse_types::Clock;
use tokio::net::TcpListener;

use crate::in_process;

/// Pulse's gateway, as a process of its own.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The supergraph's file.
    #[arg(long)]
    supergraph: PathBuf,
    /// Send equal subgraph requests that are under way at the same time only once.
    #[arg(long)]
    dedup: bool,
    /// Have the subgraphs in this process.
    #[arg(long)]
    in_process: bool,
}

pub(crate) async fn subgraphs() -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    announce(listener.local_addr()?);
    Ok(axum::serve(listener, pulse_bench_subgraphs::router()).await?)
}

pub(crate) async fn gateway(args: Args) -> anyhow::Result<()> {
    init_logs(&TelemetryConfig::default())?;
    let metrics = Metrics::install()?;
    let clock = Clock::system();
    let config = config(args.dedup);
    let subgraphs = if args.in_process {
        Subgraphs::Fixed(in_process::subgraphs())
    } else {
        Subgraphs::remote(&config, None, clock.clone())
    };
    let parts = GatewayParts {
        subgraphs,
        source: Arc::new(FileSource::new(args.supergraph)),
        authenticator: Arc::new(AnonymousAuthenticator::new(&clock)),
        revocations: None,
        changes: None,
        operations: None,
        surfaces: Vec::new(),
        checks: Vec::new(),
        metrics: Some(metrics),
        clock,
    };
    let server = ServerConfig::from(&config);
    let router = Gateway::init(parts, config).await?.router();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    announce(listener.local_addr()?);
    pulse_gateway::serve(listener, router, server, std::future::pending()).await?;
    Ok(())
}

fn config(deduplicate: bool) -> GatewayConfig {
    let remote = RemoteConfig { deduplicate, ..RemoteConfig::default() };
    GatewayConfig { remote, deduplicate, ..GatewayConfig::default() }
}

/// Writes the supergraph with the address at which the subgraphs are.
pub(crate) fn write_supergraph(address: &str, file: &Path) -> anyhow::Result<()> {
    Ok(std::fs::write(file, SUPERGRAPH.replace(ADDRESS, address))?)
}
