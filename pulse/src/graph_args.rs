//! The command line of `pulse graph`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use pulse_entities::export::Output;
use pulse_entities::import::{Format, OnConflict};

use crate::cli::DatabaseArgs;

/// What to do with the knowledge graph.
#[derive(Debug, Subcommand)]
pub enum GraphCommand {
    /// Load entities and relationships from files: JSON Lines, CSV or GraphML.
    ///
    /// An import of files that has broken off goes on where it was when the same command is given again. Ends with 42 for an
    /// unknown organization, with 43 when records were left out, with 52 when a file cannot be read to its end, and with 53 for a
    /// conflict that --on-conflict fail does not allow.
    Import(ImportArgs),
    /// Write all entities and relationships of an organization: JSON Lines, CSV, GraphML, GEXF or JSON-LD.
    Export(ExportArgs),
    /// Compare the copy of the graph in Neo4j with PostgreSQL: numbers and checksums of every type of every organization.
    ///
    /// Ends with 0 when all is the same, or was repaired, with 54 when something differs, and with 45 when Neo4j does not answer.
    /// Readers and writers go on meanwhile.
    Verify(VerifyGraphArgs),
    /// Read the copy of the graph in Neo4j from PostgreSQL anew. Readers and writers go on meanwhile; walks go through PostgreSQL.
    Rebuild(CopyArgs),
}

/// Arguments of `pulse graph import` and `pulse import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// The files, read as one. `-`, alone, is standard input.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The organization, by its slug.
    #[arg(long, value_name = "SLUG")]
    pub org: String,
    /// How the files are written; unless given, what their names end with, and else an object of JSON a line.
    #[arg(long, value_enum)]
    pub format: Option<ImportFormat>,
    /// A file of JSON that says which columns of CSV, or attributes of GraphML, are what.
    #[arg(long, value_name = "FILE")]
    pub mapping: Option<PathBuf>,
    /// What becomes of what is there already, and different.
    #[arg(long, value_enum, default_value_t = ConflictRule::Update)]
    pub on_conflict: ConflictRule,
    /// Say what would be done, and do nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Begin anew where the same import has broken off before.
    #[arg(long)]
    pub from_start: bool,
    /// Entities and relationships in one transaction.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub batch: u32,
    /// Which database.
    #[command(flatten)]
    pub database: DatabaseArgs,
}

/// How a file to import is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ImportFormat {
    /// An object of JSON a line.
    Jsonl,
    /// Comma-separated values with a header.
    Csv,
    /// GraphML.
    Graphml,
}

/// What becomes of what is there already, and different.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ConflictRule {
    /// It is changed to what the file says.
    Update,
    /// It stays as it is.
    Skip,
    /// The import ends.
    Fail,
}

/// Arguments of `pulse graph export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The organization, by its slug.
    #[arg(long, value_name = "SLUG")]
    pub org: String,
    /// How to write it.
    #[arg(long, value_enum, default_value_t = ExportFormat::Jsonl)]
    pub format: ExportFormat,
    /// Where to write it, instead of standard output; of CSV the folder of `entities.csv` and `relationships.csv`.
    #[arg(long, value_name = "PATH", required_if_eq("format", "csv"))]
    pub file: Option<PathBuf>,
    /// Which database.
    #[command(flatten)]
    pub database: DatabaseArgs,
}

/// How an export is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// An object of JSON a line, as `pulse graph import` reads it.
    Jsonl,
    /// Two tables, as `pulse graph import` reads them.
    Csv,
    /// GraphML, as `pulse graph import` reads it.
    Graphml,
    /// GEXF 1.3.
    Gexf,
    /// JSON-LD 1.1.
    JsonLd,
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

impl From<ImportFormat> for Format {
    fn from(format: ImportFormat) -> Self {
        match format {
            ImportFormat::Jsonl => Self::JsonLines,
            ImportFormat::Csv => Self::Csv,
            ImportFormat::Graphml => Self::GraphMl,
        }
    }
}

impl From<ConflictRule> for OnConflict {
    fn from(rule: ConflictRule) -> Self {
        match rule {
            ConflictRule::Update => Self::Update,
            ConflictRule::Skip => Self::Skip,
            ConflictRule::Fail => Self::Fail,
        }
    }
}

impl From<ExportFormat> for Output {
    fn from(format: ExportFormat) -> Self {
        match format {
            ExportFormat::Jsonl => Self::JsonLines,
            ExportFormat::Csv => Self::Csv,
            ExportFormat::Graphml => Self::GraphMl,
            ExportFormat::Gexf => Self::Gexf,
            ExportFormat::JsonLd => Self::JsonLd,
        }
    }
}
