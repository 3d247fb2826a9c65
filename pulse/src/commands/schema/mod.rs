//! `pulse schema`: export, compose, compare, check and lint schemas in files.

mod check;
mod compose;
mod export;
mod files;
mod lint;
mod report;

use std::path::Path;

use crate::cli::SchemaCommand;

pub(super) fn run(command: SchemaCommand, config: Option<&Path>) -> anyhow::Result<()> {
    match command {
        SchemaCommand::Export { dir, check } => export::run(&dir, check),
        SchemaCommand::Compose(args) => compose::run(&args, config),
        SchemaCommand::Diff(args) => check::diff(&args),
        SchemaCommand::Check(args) => check::run(&args, config),
        SchemaCommand::Lint(args) => lint::run(&args),
    }
}
