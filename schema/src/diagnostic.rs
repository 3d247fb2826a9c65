//! What composition has to say: a code, a place, what is wrong and a way out.

use std::fmt;

use async_graphql_parser::Pos;

use crate::{code::Code, subgraph::Subgraph};

/// Whether a diagnostic stops composition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// There is no supergraph.
    Error,
    /// The supergraph stands, but the author should know.
    Hint,
}

/// A position in the SDL of one subgraph.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The subgraph's name.
    pub subgraph: String,
    /// One-based line, or 0 where the statement is about the subgraph as a whole.
    pub line: usize,
    /// One-based column.
    pub column: usize,
}

/// One statement about the subgraphs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// What kind of mistake it is; Apollo's name for it where there is one.
    pub code: Code,
    /// Error or hint.
    pub severity: Severity,
    /// The schema coordinate, such as `User.posts(first:)` or `@link`; empty if there is none.
    pub coordinate: String,
    /// Where it stands, one per subgraph concerned.
    pub places: Vec<Place>,
    /// What is wrong.
    pub message: String,
    /// A way out.
    pub help: String,
}

impl Diagnostic {
    pub(crate) fn error(code: Code, coordinate: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            coordinate: coordinate.into(),
            places: Vec::new(),
            message: message.into(),
            help: String::new(),
        }
    }

    pub(crate) fn hint(code: Code, coordinate: impl Into<String>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Hint, ..Self::error(code, coordinate, message) }
    }

    #[must_use]
    pub(crate) fn at(self, subgraph: &Subgraph, pos: Pos) -> Self {
        self.at_place(&subgraph.name, pos)
    }

    #[must_use]
    pub(crate) fn at_place(mut self, subgraph: &str, pos: Pos) -> Self {
        self.places.push(Place { subgraph: subgraph.to_owned(), line: pos.line, column: pos.column });
        self
    }

    #[must_use]
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    /// The names of the subgraphs concerned.
    pub fn subgraphs(&self) -> impl Iterator<Item = &str> {
        self.places.iter().map(|place| place.subgraph.as_str())
    }

    pub(crate) fn sort_key(&self) -> (Severity, &str, &str, &[Place], &str) {
        (self.severity, &self.coordinate, self.code.as_str(), &self.places, &self.message)
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Hint => "hint",
        };
        write!(f, "{severity}[{}]", self.code)?;
        if !self.coordinate.is_empty() {
            write!(f, " {}", self.coordinate)?;
        }
        write!(f, ": {}", self.message)?;
        for place in &self.places {
            write!(f, "\n  at subgraph {}", place.subgraph)?;
            if place.line > 0 {
                write!(f, ", line {}, column {}", place.line, place.column)?;
            }
        }
        if !self.help.is_empty() {
            write!(f, "\n  help: {}", self.help)?;
        }
        Ok(())
    }
}
