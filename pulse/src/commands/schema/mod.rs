//! `pulse schema`: export, compose, compare, check and lint schemas in files; check, publish and fetch them at a registry.

mod check;
mod compose;
mod export;
mod files;
mod lint;
mod registry;
mod report;

use std::path::Path;

use crate::cli::SchemaCommand;

pub(super) async fn run(command: SchemaCommand, config: Option<&Path>) -> anyhow::Result<()> {
    match command {
        SchemaCommand::Export { dir, check } => export::run(&dir, check),
        SchemaCommand::Compose(args) => compose::run(&args, config),
        SchemaCommand::Diff(args) => check::diff(&args),
        SchemaCommand::Check(args) if args.registry.registry.is_some() => registry::check(&args).await,
        SchemaCommand::Check(args) => check::run(&args, config),
        SchemaCommand::Publish(args) => registry::publish(&args).await,
        SchemaCommand::Fetch(args) => registry::fetch(&args).await,
        SchemaCommand::Lint(args) => lint::run(&args),
    }
}
