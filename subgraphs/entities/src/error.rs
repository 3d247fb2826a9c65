//! What callers can get wrong.

use pulse_graphql::{ClientError, Code, PageError};
use pulse_store::InvalidIdempotencyKey;

use crate::check::Problem;

/// How many refused items of a batch are told of.
const SHOWN_ITEMS: usize = 10;

/// Why the graph refuses what it was asked for. Nothing has changed then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// A field of the input.
    #[error("{0}")]
    Input(Problem),
    /// An argument of a field.
    #[error("{0}")]
    Argument(Problem),
    /// Items of a batch, each with its index.
    #[error("{}", batch_text(.0))]
    Items(Vec<(usize, Problem)>),
    /// No such thing, or not in this organization.
    #[error("there is no {what} {by} in this organization")]
    NotFound {
        /// What was looked for.
        what: &'static str,
        /// By what, such as `with the key "a"`.
        by: String,
    },
    /// Another one has that name.
    #[error("there is already {what}: {way_out}")]
    Exists {
        /// What there is.
        what: String,
        /// What to do instead.
        way_out: &'static str,
    },
    /// Others refer to it.
    #[error("{what} is in use: {way_out}")]
    InUse {
        /// What is in use.
        what: String,
        /// What to do first.
        way_out: &'static str,
    },
    /// Entities that are there do not fit the schema that their type is to get.
    #[error(
        "{broken} of the {checked} entities of this type do not fit the schema, such as {example}: change them first, or send `brokenEntities: KEEP`"
    )]
    Broken {
        /// How many do not fit.
        broken: usize,
        /// How many there are.
        checked: usize,
        /// The first one, and what is wrong with it.
        example: String,
    },
    /// Entities that are there cannot be compared with the schema that their type is to get.
    #[error("{why}: send `brokenEntities: KEEP` to leave them as they are until their next change")]
    Unchecked {
        /// Why they cannot.
        why: String,
    },
    /// It has changed since the caller read it.
    #[error(
        "the version is {current}, not {expected}: read it again and repeat the change on what it is now"
    )]
    Changed {
        /// What the caller has read.
        expected: i64,
        /// What it is.
        current: i64,
    },
    /// The idempotency key.
    #[error(transparent)]
    IdempotencyKey(#[from] InvalidIdempotencyKey),
    /// The page.
    #[error(transparent)]
    Page(#[from] PageError),
}

impl ClientError for GraphError {
    fn code(&self) -> Code {
        match self {
            Self::Input(problem) | Self::Argument(problem) if problem.missing => Code::NotFound,
            Self::Items(items) if items.iter().all(|(_, problem)| problem.missing) => Code::NotFound,
            Self::Input(_) | Self::Argument(_) | Self::Items(_) | Self::IdempotencyKey(_) => {
                Code::BadUserInput
            }
            Self::NotFound { .. } => Code::NotFound,
            Self::Exists { .. }
            | Self::InUse { .. }
            | Self::Changed { .. }
            | Self::Broken { .. }
            | Self::Unchecked { .. } => Code::Conflict,
            Self::Page(error) => error.code(),
        }
    }

    fn field(&self) -> Option<String> {
        match self {
            Self::Input(problem) => Some(format!("input.{}", problem.field)),
            Self::Argument(problem) => Some(problem.field.clone()),
            Self::Items(items) => {
                items.first().map(|(index, problem)| format!("input.items[{index}].{}", problem.field))
            }
            Self::Changed { .. } => Some("input.expectedVersion".to_owned()),
            Self::Broken { .. } | Self::Unchecked { .. } => Some("input.propertiesSchema".to_owned()),
            Self::IdempotencyKey(_) => Some("input.idempotencyKey".to_owned()),
            Self::Page(error) => error.field(),
            Self::NotFound { .. } | Self::Exists { .. } | Self::InUse { .. } => None,
        }
    }

    fn problems(&self) -> Vec<(String, String)> {
        let under = |prefix: &str, problem: &Problem| -> Vec<(String, String)> {
            let parts = problem.parts.iter();
            parts.map(|(field, text)| (format!("{prefix}{field}"), text.clone())).collect()
        };
        match self {
            Self::Input(problem) => under("input.", problem),
            Self::Items(items) => items
                .iter()
                .take(SHOWN_ITEMS)
                .flat_map(|(index, problem)| {
                    let prefix = format!("input.items[{index}].");
                    if problem.parts.is_empty() {
                        vec![(format!("{prefix}{}", problem.field), problem.text.clone())]
                    } else {
                        under(&prefix, problem)
                    }
                })
                .collect(),
            _ => Vec::new(),
        }
    }
}

fn batch_text(items: &[(usize, Problem)]) -> String {
    let mut text = format!("{} of the items cannot be stored, so none was: ", items.len());
    let shown: Vec<String> =
        items.iter().take(SHOWN_ITEMS).map(|(index, problem)| format!("items[{index}]: {problem}")).collect();
    text.push_str(&shown.join("; "));
    if items.len() > SHOWN_ITEMS {
        text.push_str("; …");
    }
    text
}
