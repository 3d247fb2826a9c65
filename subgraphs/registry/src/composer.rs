//! Composing and comparing, which take processor time and no database.

use std::fmt::Write as _;
use std::sync::Arc;

use pulse_graphql::Error;
use pulse_schema::{ApiSchema, Diagnostic, SubgraphSdl, compose, diff};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

/// So many compose at once in a process; others wait. One is enough for a processor, and requests have the others.
const AT_ONCE: usize = 2;

/// So many changes and diagnostics are kept of one composition; what is beyond is counted.
pub(crate) const MOST_KEPT: usize = 2_000;

/// Composes away from the threads that serve requests, a few at once.
#[derive(Debug, Clone)]
pub(crate) struct Composer(Arc<Semaphore>);

/// What came of composing.
#[derive(Debug, Clone)]
pub(crate) struct Composed {
    /// The supergraph; none if the schemas do not compose.
    pub(crate) supergraph: Option<String>,
    /// What is wrong, or worth a look.
    pub(crate) diagnostics: Vec<Finding>,
    /// What is different for clients from the supergraph before.
    pub(crate) changes: Changes,
}

/// Differences, and how many there are of each kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    /// The gravest first, as far as they are kept.
    pub(crate) all: Vec<Change>,
    pub(crate) breaking: i32,
    pub(crate) dangerous: i32,
    pub(crate) safe: i32,
}

/// What a change can do to clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, async_graphql::Enum)]
#[graphql(name = "SchemaCriticality")]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Criticality {
    /// An operation that was valid is not, or its answer breaks a promise.
    Breaking,
    /// Operations stay valid, but a client may meet what it does not expect.
    Dangerous,
    /// No client notices.
    Safe,
}

/// One difference between two schemas.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, async_graphql::SimpleObject)]
#[graphql(name = "SchemaChange")]
pub(crate) struct Change {
    /// The kind of change, such as `FIELD_REMOVED`.
    pub(crate) code: String,
    /// What it does to a client that uses what it concerns.
    pub(crate) criticality: Criticality,
    /// What it concerns, such as `User.posts(first:)`.
    pub(crate) coordinate: String,
    /// What has changed.
    pub(crate) message: String,
}

/// Whether a diagnostic stops composition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, async_graphql::Enum)]
#[graphql(name = "SchemaSeverity")]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Severity {
    /// It must not stay so.
    Error,
    /// The author should know.
    Warning,
}

/// A place in the schema of a subgraph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, async_graphql::SimpleObject)]
#[graphql(name = "SchemaPlace")]
pub(crate) struct Place {
    /// The subgraph.
    pub(crate) subgraph: String,
    /// The line, from 1; 0 where it is about the subgraph as a whole.
    pub(crate) line: i32,
    /// The column, from 1.
    pub(crate) column: i32,
}

/// What composition or a rule of style says of a schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, async_graphql::SimpleObject)]
#[graphql(name = "SchemaFinding")]
pub(crate) struct Finding {
    /// The kind of mistake, such as `INVALID_FIELD_SHARING`, or the rule.
    pub(crate) code: String,
    /// How bad it is.
    pub(crate) severity: Severity,
    /// What it concerns, such as `User.name`; empty if it is about the whole.
    pub(crate) coordinate: String,
    /// What is wrong.
    pub(crate) message: String,
    /// A way out; empty if none is known.
    pub(crate) help: String,
    /// Where it stands.
    pub(crate) places: Vec<Place>,
}

impl Default for Composer {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

impl Composer {
    /// Composes the subgraphs, and compares with the supergraph before, if there was one.
    pub(crate) async fn compose<E>(
        &self,
        subgraphs: Vec<SubgraphSdl>,
        previous: Option<String>,
    ) -> Result<Composed, Error<E>> {
        self.run(move || compose_all(&subgraphs, previous.as_deref())).await
    }

    /// Runs what takes processor time, when it is its turn.
    pub(crate) async fn run<T, E>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error<E>>
    where
        T: Send + 'static,
    {
        let turn = Arc::clone(&self.0).acquire_owned().await.map_err(Error::internal)?;
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(turn);
            done
        });
        done.await.map_err(Error::internal)
    }
}

fn compose_all(subgraphs: &[SubgraphSdl], previous: Option<&str>) -> Composed {
    match compose(subgraphs) {
        Ok(composition) => Composed {
            changes: previous.map(|old| changes(old, &composition.supergraph)).unwrap_or_default(),
            diagnostics: findings(composition.hints),
            supergraph: Some(composition.supergraph),
        },
        Err(diagnostics) => {
            Composed { supergraph: None, diagnostics: findings(diagnostics), changes: Changes::default() }
        }
    }
}

/// What is different for clients. A supergraph that cannot be read any more is as different as can be said: not at all.
pub(crate) fn changes(old: &str, new: &str) -> Changes {
    match (ApiSchema::read(old), ApiSchema::read(new)) {
        (Ok(old), Ok(new)) => diff(&old, &new).into_iter().map(Change::from).collect(),
        _ => Changes::default(),
    }
}

/// At most [`MOST_KEPT`] of them, the errors first.
pub(crate) fn findings(diagnostics: Vec<Diagnostic>) -> Vec<Finding> {
    diagnostics.into_iter().take(MOST_KEPT).map(Finding::from).collect()
}

/// SHA-256 of a text, in hexadecimal.
pub(crate) fn hash(text: &str) -> String {
    Sha256::digest(text).iter().fold(String::with_capacity(64), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a String cannot fail");
        text
    })
}

impl FromIterator<Change> for Changes {
    fn from_iter<I: IntoIterator<Item = Change>>(changes: I) -> Self {
        let mut these = Self::default();
        for change in changes {
            let count = match change.criticality {
                Criticality::Breaking => &mut these.breaking,
                Criticality::Dangerous => &mut these.dangerous,
                Criticality::Safe => &mut these.safe,
            };
            *count += 1;
            if these.all.len() < MOST_KEPT {
                these.all.push(change);
            }
        }
        these
    }
}

impl From<pulse_schema::Criticality> for Criticality {
    fn from(criticality: pulse_schema::Criticality) -> Self {
        match criticality {
            pulse_schema::Criticality::Breaking => Self::Breaking,
            pulse_schema::Criticality::Dangerous => Self::Dangerous,
            pulse_schema::Criticality::Safe => Self::Safe,
        }
    }
}

impl From<pulse_schema::Change> for Change {
    fn from(change: pulse_schema::Change) -> Self {
        let pulse_schema::Change { code, criticality, coordinate, message, noticed_by: _ } = change;
        Self { code: code.as_str().to_owned(), criticality: criticality.into(), coordinate, message }
    }
}

impl From<pulse_schema::Place> for Place {
    fn from(pulse_schema::Place { subgraph, line, column }: pulse_schema::Place) -> Self {
        let number = |given: usize| i32::try_from(given).unwrap_or(i32::MAX);
        Self { subgraph, line: number(line), column: number(column) }
    }
}

impl From<Diagnostic> for Finding {
    fn from(diagnostic: Diagnostic) -> Self {
        let Diagnostic { code, severity, coordinate, places, message, help } = diagnostic;
        let severity = match severity {
            pulse_schema::Severity::Error => Severity::Error,
            pulse_schema::Severity::Hint => Severity::Warning,
        };
        let places = places.into_iter().map(Place::from).collect();
        Self { code: code.to_string(), severity, coordinate, message, help, places }
    }
}
