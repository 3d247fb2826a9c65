#![doc = include_str!("../README.md")]

mod bare;
mod queue;
mod rows;
mod worker;

use clap::{Parser, Subcommand};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The queue of jobs beside bare SQL.
#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    args: Args,
    #[command(subcommand)]
    role: Option<Role>,
}

/// What is measured.
#[derive(clap::Args, Debug, Clone)]
pub(crate) struct Args {
    /// Jobs of each row of the table.
    #[arg(long, default_value_t = 100_000)]
    pub(crate) jobs: u32,
    /// Worker processes.
    #[arg(long, default_value_t = 2)]
    pub(crate) workers: usize,
    /// Jobs that a worker runs at once.
    #[arg(long, default_value_t = 16)]
    pub(crate) concurrency: u16,
    /// Jobs a second while latency is measured.
    #[arg(long, default_value_t = 200)]
    pub(crate) rate: u32,
    /// Seconds for which latency is measured.
    #[arg(long, default_value_t = 5)]
    pub(crate) seconds: u32,
    /// Jobs that wait before the first worker starts: how it does with a backlog.
    #[arg(long)]
    pub(crate) backlog: bool,
}

#[derive(Subcommand)]
enum Role {
    /// A worker, as a process of its own; started by the bench.
    #[command(hide = true)]
    Worker { database: String, concurrency: u16 },
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match cli.role {
            Some(Role::Worker { database, concurrency }) => worker::serve(&database, concurrency).await,
            None => rows::run(cli.args).await,
        }
    })
}
