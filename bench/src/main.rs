#![doc = include_str!("../README.md")]

mod archive;
mod bare;
mod import;
mod pairs;
mod pgbench;
mod platform;
mod read;

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
    /// An archive through the write path.
    Import(import::Args),
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
    },
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match cli.bench {
            Bench::Read(args) => read::run(args).await,
            Bench::Import(args) => import::run(args).await,
            Bench::BareServer { database, org } => bare::serve(&database, org).await,
            Bench::PlatformServer { database, no_deduplication } => {
                platform::serve(&database, !no_deduplication).await
            }
        }
    })
}
