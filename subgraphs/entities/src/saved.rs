//! What a batch did with each of its items.

use std::collections::HashMap;
use std::hash::Hash;

use serde::{Deserialize, Serialize};

use crate::check::Problem;

/// What happened to one item of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, async_graphql::Enum)]
#[graphql(name = "UpsertOutcome")]
#[serde(rename_all = "lowercase")]
pub(crate) enum Outcome {
    /// There was none, and it was created.
    Created,
    /// It was different, and was changed.
    Updated,
    /// It was so already; nothing was changed.
    Unchanged,
}

/// One item of a batch, after it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Saved<Id> {
    pub(crate) id: Id,
    pub(crate) version: i64,
    pub(crate) outcome: Outcome,
}

/// The items of a batch that name the same thing as an earlier one.
pub(crate) fn refuse_duplicates<T, K: Eq + Hash>(
    field: &'static str,
    items: &[T],
    key: impl Fn(&T) -> K,
) -> Vec<(usize, Problem)> {
    let mut first = HashMap::with_capacity(items.len());
    let mut problems = Vec::new();
    for (index, item) in items.iter().enumerate() {
        if let Some(earlier) = first.insert(key(item), index) {
            let text = format!("names the same as items[{earlier}]: send each once in a batch");
            problems.push((index, Problem::new(field, text)));
        }
    }
    problems
}
