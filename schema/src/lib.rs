#![doc = include_str!("../README.md")]

mod api;
mod code;
mod contract;
mod diagnostic;
mod diff;
mod lint;
mod merge;
mod print;
mod rules;
mod satisfiability;
mod subgraph;
mod supergraph;
mod usage;

pub use self::{
    api::{ApiSchema, api_schema},
    code::Code,
    contract::{ContractFilter, contract},
    diagnostic::{Diagnostic, Place, Severity},
    diff::{Change, ChangeCode, Criticality, Verdict, diff, verdicts},
    lint::{LintConfig, LintFinding, LintLevel, LintRule, lint},
    satisfiability::satisfiability,
    usage::{
        Usage, UsageError, document_operations, operation_coordinates, operation_coordinates_of,
        operation_signature,
    },
};
use self::{subgraph::Subgraph, supergraph::Supergraph};

/// The schema of one subgraph, as it publishes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubgraphSdl {
    /// Its name, unique among the subgraphs.
    pub name: String,
    /// Where a gateway reaches it; none for one in the same process.
    pub url: Option<String>,
    /// Its federation SDL.
    pub sdl: String,
}

/// A supergraph, and what its authors should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Composition {
    /// The supergraph SDL in join form, the same for the same subgraphs in any order.
    pub supergraph: String,
    /// Nothing wrong, but worth a look.
    pub hints: Vec<Diagnostic>,
}

/// Composes subgraphs into a supergraph in which every field can be reached, or says why that
/// cannot be.
pub fn compose(subgraphs: &[SubgraphSdl]) -> Result<Composition, Vec<Diagnostic>> {
    let mut report = Vec::new();
    let merged = merge_all(subgraphs, &mut report);
    let Some(merged) = merged.filter(|_| !has_error(&report)) else {
        return Err(sorted(report));
    };
    let supergraph = print::supergraph(&merged);
    let unsatisfiable = satisfiability(&supergraph);
    report.extend(unsatisfiable.into_iter().map(|diagnostic| locate(diagnostic, &merged)));
    if has_error(&report) {
        return Err(sorted(report));
    }
    Ok(Composition { supergraph, hints: sorted(report) })
}

fn merge_all(inputs: &[SubgraphSdl], report: &mut Vec<Diagnostic>) -> Option<Supergraph> {
    let mut inputs: Vec<_> = inputs.iter().collect();
    inputs.sort_by(|a, b| a.name.cmp(&b.name));
    let graphs = subgraph::graphs::name(&inputs, report);
    let subgraphs: Vec<Subgraph> = inputs
        .iter()
        .zip(graphs)
        .filter_map(|(input, graph)| subgraph::parse::parse(input, graph, report))
        .collect();
    if has_error(report) {
        return None;
    }
    rules::check_subgraphs(&subgraphs, report);
    if has_error(report) {
        return None;
    }
    let merged = merge::merge(&subgraphs, report);
    if !has_error(report) {
        rules::check_supergraph(&merged, report);
    }
    Some(merged)
}

fn has_error(report: &[Diagnostic]) -> bool {
    report.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
}

fn sorted(mut report: Vec<Diagnostic>) -> Vec<Diagnostic> {
    report.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
    report.dedup();
    report
}

/// Where the subgraphs define what the diagnostic speaks of.
fn locate(diagnostic: Diagnostic, merged: &Supergraph) -> Diagnostic {
    let field =
        diagnostic.coordinate.split_once('.').and_then(|(ty, field)| merged.types.get(ty)?.fields.get(field));
    match field {
        Some(field) => Diagnostic { places: field.places.clone(), ..diagnostic },
        None => diagnostic,
    }
}
