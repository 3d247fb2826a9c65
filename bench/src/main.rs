#![doc = include_str!("../README.md")]

mod archive;
mod auth;
mod bare;
mod cache;
mod import;
mod live;
mod pairs;
mod pgbench;
mod platform;
mod read;
mod rest;

use clap::{Parser, Subcommand};
use uuid::Uuid;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Benches beside something real.
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    bench: Bench,
}

#[derive(Subcommand)]
enum Bench {
    /// 20 entities by type with 10 relationships and their targets each.
    Read(read::Args),
    /// REST and published operations beside GraphQL.
    Rest(rest::Args),
    /// An archive through the write path.
    Import(import::Args),
    /// Reads and few writes over two processes, with what is kept of former answers and without.
    Cache(cache::Args),
    /// Subscribers by the thousand.
    Live(live::Args),
    /// Who asks and what they may do, and signing in.
    Auth(auth::Args),
    /// The bare handler, as a process of its own; started by `read`.
    #[command(hide = true)]
    BareServer { database: String, org: Uuid },
    /// The platform, as a process of its own; started by `read`.
    #[command(hide = true)]
    PlatformServer {
        database: String,
        /// Run equal queries that are under way at the same time one by one.
        #[arg(long)]
        no_deduplication: bool,
        /// Keep nothing of former answers.
        #[arg(long)]
        no_cache: bool,
        /// What a client called `bench` has published.
        #[arg(long)]
        manifest: Option<std::path::PathBuf>,
        /// A Redis that it shares with others.
        #[arg(long)]
        redis: Option<String>,
    },
    /// The platform with room for subscribers, as a process of its own; started by `live`.
    #[command(hide = true)]
    LiveServer { database: String, subscribers: usize },
    /// Pulse by its own command line, with room for subscribers; started by `live`.
    #[command(hide = true)]
    Pulse {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<String>,
    },
    /// The bare broadcast, as a process of its own; started by `live`.
    #[command(hide = true)]
    LiveBareServer { database: String, topics: usize },
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match cli.bench {
            Bench::Read(args) => read::run(args).await,
            Bench::Rest(args) => rest::run(args).await,
            Bench::Import(args) => import::run(args).await,
            Bench::Cache(args) => cache::run(args).await,
            Bench::Live(args) => live::run(args).await,
            Bench::Auth(args) => auth::run(args).await,
            Bench::LiveServer { database, subscribers } => live::server::serve(&database, subscribers).await,
            Bench::Pulse { words } => Box::pin(live::server::pulse(words)).await,
            Bench::LiveBareServer { database, topics } => live::bare::serve(&database, topics).await,
            Bench::BareServer { database, org } => bare::serve(&database, org).await,
            Bench::PlatformServer { database, no_deduplication, no_cache, manifest, redis } => {
                let adapt = |settings: &mut pulse_wiring::settings::Settings| {
                    settings.gateway.deduplicate = !no_deduplication;
                    settings.cache.enabled = !no_cache;
                    let published = &mut settings.gateway.persisted_operations;
                    published.manifests.extend(manifest.map(|file| pulse_gateway::ManifestFile {
                        client: "bench".to_owned(),
                        file,
                        tools: std::collections::BTreeMap::new(),
                        mode: None,
                    }));
                };
                platform::serve(&database, redis, adapt).await
            }
        }
    })
}
