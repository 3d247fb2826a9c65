//! What each subgraph by itself, and the supergraph as a whole, must satisfy.

use crate::{diagnostic::Diagnostic, subgraph::Subgraph, supergraph::Supergraph};

pub(crate) fn check_subgraphs(_subgraphs: &[Subgraph], _report: &mut Vec<Diagnostic>) {}
pub(crate) fn check_supergraph(_supergraph: &Supergraph, _report: &mut Vec<Diagnostic>) {}
