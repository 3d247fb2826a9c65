//! What is known of a planned operation beside its plan: how often it is used, how large it is, how long planning took.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustc_hash::FxHashSet;

use super::operation::Operation;
use super::selection::{Content, Field, Selection};

/// What a selected field takes, about: its names, its shape, its content.
const FIELD: usize = 300;

/// What the compiled plan and the one for people to read take beside the latter's text, about.
const PLAN_FACTOR: usize = 4;

#[derive(Debug, Default)]
pub(super) struct Usage {
    uses: AtomicU64,
    /// In bytes, about.
    pub(super) size: usize,
    pub(super) planned_in: Duration,
}

impl Usage {
    pub(super) fn of(operation: &Operation, document: &str, planned_in: Duration) -> Self {
        let mut met = FxHashSet::default();
        let fields = fields(&operation.selection.root, &mut met);
        let size = document.len() + fields * FIELD + operation.plan_length() * PLAN_FACTOR;
        Self { uses: AtomicU64::new(0), size, planned_in }
    }

    pub(super) fn count(&self) {
        self.uses.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn uses(&self) -> u64 {
        self.uses.load(Ordering::Relaxed)
    }

    /// Remembers uses of the same operation under the supergraph before, which count half.
    pub(super) fn inherit(&self, uses: u64) {
        self.uses.fetch_add(uses / 2, Ordering::Relaxed);
    }
}

/// How many fields a selection has. What several places share is counted once.
fn fields(selection: &Arc<Selection>, met: &mut FxHashSet<*const Selection>) -> usize {
    if !met.insert(Arc::as_ptr(selection)) {
        return 0;
    }
    let mut of = |fields: &[Field]| -> usize { fields.iter().map(|field| 1 + inside(field, met)).sum() };
    match &**selection {
        Selection::One(_, fields) => of(fields),
        Selection::ByType { variants, .. } => variants.iter().map(|fields| of(fields)).sum(),
    }
}

fn inside(field: &Field, met: &mut FxHashSet<*const Selection>) -> usize {
    match &field.content {
        Content::Composite(selection) => fields(selection, met),
        Content::Typename | Content::Scalar(_) | Content::Enum(..) | Content::Denied(_) => 0,
    }
}
