#![doc = include_str!("../README.md")]

mod case;
mod compare;
mod engine;
mod in_process;
mod peer;
mod serve;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The gateway beside others, in front of the same subgraphs.
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    role: Option<Role>,
    #[command(flatten)]
    args: compare::Args,
}

#[derive(Subcommand)]
enum Role {
    /// The subgraphs, as a process of their own.
    #[command(hide = true)]
    Subgraphs,
    /// Pulse's gateway, as a process of its own.
    #[command(hide = true)]
    Gateway(serve::Args),
    /// The engine alone, over recorded answers, to count instructions.
    Engine(engine::Args),
    /// Writes the supergraph with the subgraphs' addresses.
    #[command(hide = true)]
    Supergraph {
        /// The subgraphs' address, such as `http://127.0.0.1:4200`.
        address: String,
        /// The file.
        file: PathBuf,
    },
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    let single = matches!(cli.role, Some(Role::Engine(_)));
    let runtime = if single {
        tokio::runtime::Builder::new_current_thread().enable_all().build()?
    } else {
        tokio::runtime::Builder::new_multi_thread().enable_all().build()?
    };
    runtime.block_on(async {
        match cli.role {
            None => compare::run(cli.args).await,
            Some(Role::Subgraphs) => serve::subgraphs().await,
            Some(Role::Gateway(args)) => serve::gateway(args).await,
            Some(Role::Engine(args)) => engine::run(&args).await,
            Some(Role::Supergraph { address, file }) => serve::write_supergraph(&address, &file),
        }
    })
}
