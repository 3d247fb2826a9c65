//! The command line of `pulse graph`.

use clap::{Args, Subcommand};

use crate::cli::DatabaseArgs;

/// What to do with the knowledge graph.
#[derive(Debug, Subcommand)]
pub enum GraphCommand {
    /// Compare the copy of the graph in Neo4j with PostgreSQL: numbers and checksums of every type of every organization.
    ///
    /// Ends with 0 when all is the same, or was repaired, with 54 when something differs, and with 45 when Neo4j does not answer.
    /// Readers and writers go on meanwhile.
    Verify(VerifyGraphArgs),
    /// Read the copy of the graph in Neo4j from PostgreSQL anew. Readers and writers go on meanwhile; walks go through PostgreSQL.
    Rebuild(CopyArgs),
}

/// Arguments of `pulse graph verify`.
#[derive(Debug, Args)]
pub struct VerifyGraphArgs {
    /// Read the parts of organizations in which something differs anew.
    #[arg(long)]
    pub repair: bool,
    /// Which part of it.
    #[command(flatten)]
    pub copy: CopyArgs,
}

/// Which part of the graph's copy.
#[derive(Debug, Args)]
pub struct CopyArgs {
    /// The organization, by its slug; all unless given.
    #[arg(long, value_name = "SLUG")]
    pub org: Option<String>,
    /// Which database.
    #[command(flatten)]
    pub database: DatabaseArgs,
}
