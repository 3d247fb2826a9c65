//! Compositions: supergraphs, and why there is none.

mod entity;
pub(crate) mod repo;

use pulse_store::{Event, EventKind};
use pulse_types::CompositionId;
use serde_json::json;

pub(crate) use entity::{CompositionCause, CompositionReport, CompositionRow, CompositionState};

use crate::composer::Composed;
use crate::target::Target;

/// What events of compositions are about; `state` says whether there is a supergraph, for webhooks.
pub(crate) const SUBJECT: &str = "registry.composition";

/// A composition that is about to be stored.
pub(crate) struct NewComposition<'a> {
    pub(crate) target: &'a Target,
    pub(crate) cause: CompositionCause,
    pub(crate) subgraph: Option<&'a str>,
    pub(crate) restored: Option<CompositionId>,
    pub(crate) composed: &'a Composed,
}

impl NewComposition<'_> {
    /// Whether there is a supergraph.
    pub(crate) const fn state(&self) -> CompositionState {
        match self.composed.supergraph {
            Some(_) => CompositionState::Composed,
            None => CompositionState::Failed,
        }
    }
}

/// That it was made.
pub(crate) fn made(row: &CompositionRow) -> Event {
    Event {
        kind: EventKind::Created,
        subject: SUBJECT,
        key: row.id.uuid(),
        version: 1,
        changed: vec![],
        attributes: json!({
            "environment": row.environment,
            "variant": row.variant,
            "state": row.state.as_str(),
            "cause": row.cause.as_str(),
            "subgraph": row.subgraph,
        }),
        before: json!(null),
    }
}
