//! Reading items from files, one after the other.

mod bounded;
mod csv;
mod graphml;
mod jsonl;
mod lines;

use std::io::{self, BufRead};
use std::path::Path;

use crate::{Item, Mapping};
use csv::Csv;
use graphml::GraphMl;
use jsonl::JsonLines;

/// How a file is written that is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// An object a line.
    JsonLines,
    /// Comma-separated values with a header: of entities, or of relationships.
    Csv,
    /// GraphML 1.0.
    GraphMl,
}

impl Format {
    /// What the file's name says.
    pub fn of(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            "jsonl" | "ndjson" | "json" => Some(Self::JsonLines),
            "csv" | "tsv" => Some(Self::Csv),
            "graphml" | "xml" => Some(Self::GraphMl),
            _ => None,
        }
    }

    /// What it is called in commands and records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::JsonLines => "jsonl",
            Self::Csv => "csv",
            Self::GraphMl => "graphml",
        }
    }
}

/// How much one record may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a line, of a row, or of an element with all that is in it.
    pub record_bytes: usize,
    /// Columns of a row, or attributes of a node or an edge.
    pub columns: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { record_bytes: 1 << 20, columns: 1_000 }
    }
}

/// One record of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The line that it begins on, from 1.
    pub line: u64,
    /// About how many bytes it has; 0 for what was too long to be kept.
    pub size: usize,
    /// What it says, or what is wrong with it.
    pub item: Result<Item, String>,
}

/// Why a file cannot be read on.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The system does not give more of it.
    #[error("cannot read on after line {line}")]
    Io {
        /// The last line that was read.
        line: u64,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// What comes next makes no sense, and nothing after it would.
    #[error("line {line}, column {column}: {reason}")]
    Broken {
        /// Where.
        line: u64,
        /// Where in the line, in bytes from 1.
        column: u64,
        /// What is wrong, and what to do.
        reason: String,
    },
}

/// Reads a file.
pub struct Reader<R>(Kind<R>);

enum Kind<R> {
    JsonLines(JsonLines<R>),
    Csv(Box<Csv<R>>),
    GraphMl(Box<GraphMl<R>>),
}

impl<R: BufRead> Reader<R> {
    /// Reads `input`. Lines of JSON need no mapping.
    pub fn new(input: R, format: Format, mapping: &Mapping, limits: Limits) -> Self {
        Self(match format {
            Format::JsonLines => Kind::JsonLines(JsonLines::new(input, limits)),
            Format::Csv => Kind::Csv(Box::new(Csv::new(input, mapping, limits))),
            Format::GraphMl => Kind::GraphMl(Box::new(GraphMl::new(input, mapping, limits))),
        })
    }

    /// The next record, or `None` at the end.
    pub fn next_record(&mut self) -> Result<Option<Record>, ReadError> {
        match &mut self.0 {
            Kind::JsonLines(reader) => reader.next(),
            Kind::Csv(reader) => reader.next(),
            Kind::GraphMl(reader) => reader.next(),
        }
    }

    /// How many bytes were read.
    pub fn bytes(&self) -> u64 {
        match &self.0 {
            Kind::JsonLines(reader) => reader.bytes(),
            Kind::Csv(reader) => reader.bytes(),
            Kind::GraphMl(reader) => reader.bytes(),
        }
    }

    /// How many lines were read, the last one without an end too.
    pub fn lines(&self) -> u64 {
        match &self.0 {
            Kind::JsonLines(reader) => reader.lines(),
            Kind::Csv(reader) => reader.lines(),
            Kind::GraphMl(reader) => reader.lines(),
        }
    }
}
