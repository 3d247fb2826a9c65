//! Whether a change breaks what is in use.

use super::{Change, Criticality};
use crate::usage::Usage;

/// A change, seen from what is in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The change.
    pub change: Change,
    /// What it does in fact: safe where no operation notices.
    pub criticality: Criticality,
    /// The operations that notice.
    pub operations: Vec<String>,
}

/// Judges changes by the operations in use: what none of them notices is safe.
pub fn verdicts(changes: Vec<Change>, usage: &Usage) -> Vec<Verdict> {
    let judge = |change: Change| {
        let operations = usage.operations_with(&change.noticed_by);
        let criticality = if operations.is_empty() { Criticality::Safe } else { change.criticality };
        Verdict { change, criticality, operations }
    };
    changes.into_iter().map(judge).collect()
}
