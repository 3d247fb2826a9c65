//! `pulse schema compose`: subgraphs in files to a supergraph.

use std::path::Path;

use pulse_schema::{Composition, ContractFilter, Diagnostic, SubgraphSdl, contract};

use super::files;
use super::report::{Files, Finding, Report};
use crate::cli::{ComposeArgs, ReportFormat};
use crate::exit::Failure;
use crate::platform::not_composing;
use crate::terminal::{complain, say};

/// Prints the supergraph, or all that stands against it.
pub(super) fn run(args: &ComposeArgs, config: Option<&Path>) -> anyhow::Result<()> {
    let (subgraphs, places) = files::subgraphs(&args.files, config)?;
    let composed = pulse_schema::compose(&subgraphs).and_then(|composition| cut(args, composition));
    match composed {
        Ok(composition) => {
            let mut report = report(&composition.hints, &places);
            if args.format == ReportFormat::Text {
                say(composition.supergraph.trim_end());
                complain_all(&report);
            } else {
                report.supergraph = Some(composition.supergraph);
                let printed = report.print(args.format);
                if !printed.is_empty() {
                    say(printed.trim_end());
                }
            }
            Ok(())
        }
        Err(diagnostics) => Err(refusal(diagnostics, args.format, &places).into()),
    }
}

/// Reports in formats for programs on standard output; for people, the failure says it all.
pub(in crate::commands) fn refusal(
    diagnostics: Vec<Diagnostic>,
    format: ReportFormat,
    places: &Files,
) -> Failure {
    if format == ReportFormat::Text {
        return not_composing(diagnostics);
    }
    say(report(&diagnostics, places).print(format).trim_end());
    Failure::Supergraph(format!("the schemas do not compose ({} problems)", diagnostics.len()))
}

/// Composes for a command that goes on with the result.
pub(super) fn supergraph(
    subgraphs: &[SubgraphSdl],
    format: ReportFormat,
    places: &Files,
) -> Result<Composition, Failure> {
    pulse_schema::compose(subgraphs).map_err(|diagnostics| refusal(diagnostics, format, places))
}

pub(super) fn report(diagnostics: &[Diagnostic], places: &Files) -> Report {
    let findings = diagnostics.iter().map(|diagnostic| Finding::of_diagnostic(diagnostic, places));
    Report { findings: findings.collect(), supergraph: None }
}

fn complain_all(report: &Report) {
    if !report.findings.is_empty() {
        complain(report.print(ReportFormat::Text).trim_end());
    }
}

fn cut(args: &ComposeArgs, composition: Composition) -> Result<Composition, Vec<Diagnostic>> {
    let filter = ContractFilter {
        include: args.include.iter().cloned().collect(),
        exclude: args.exclude.iter().cloned().collect(),
        hide_unreachable: args.hide_unreachable,
    };
    if filter == ContractFilter::default() {
        return Ok(composition);
    }
    Ok(Composition { supergraph: contract(&composition.supergraph, &filter)?, ..composition })
}
