//! `pulse schema diff` and `pulse schema check`: what a change does to clients.

use std::path::Path;

use anyhow::ensure;
use pulse_schema::{ApiSchema, Verdict, diff as changes, verdicts};

use super::report::{Files, Finding, Level, Report};
use super::{compose, files};
use crate::cli::{CheckSchemaArgs, DiffArgs, ReportFormat};
use crate::exit::Failure;
use crate::terminal::say;

/// Compares two schemas in files.
pub(super) fn diff(args: &DiffArgs) -> anyhow::Result<()> {
    let read = |file: &Path| -> anyhow::Result<ApiSchema> {
        let places = Files::from([("supergraph".to_owned(), file.to_owned())]);
        let schema = ApiSchema::read(&files::read(file)?);
        Ok(schema.map_err(|diagnostics| compose::refusal(diagnostics, args.format, &places))?)
    };
    let (old, new) = (read(&args.old)?, read(&args.new)?);
    let verdicts = judge(&old, &new, args.operations.as_deref())?;
    let findings = verdicts.iter().map(|verdict| Finding::of_verdict(verdict, &args.new)).collect();
    conclude(&Report { findings, supergraph: None }, args.format)
}

/// Checks a new schema of one subgraph against the others and the one that it replaces.
pub(super) fn run(args: &CheckSchemaArgs, config: Option<&Path>) -> anyhow::Result<()> {
    let mut changed = files::subgraph(&args.subgraph)?;
    if let Some(name) = &args.name {
        changed.name.clone_from(name);
    }
    let (current, mut places) = files::subgraphs(&args.with, config)?;
    let old = compose::supergraph(&current, args.format, &places)?;
    let mut next = current;
    match next.iter_mut().find(|subgraph| subgraph.name == changed.name) {
        Some(subgraph) => subgraph.sdl.clone_from(&changed.sdl),
        None => next.push(changed.clone()),
    }
    places.insert(changed.name.clone(), args.subgraph.clone());
    let new = compose::supergraph(&next, args.format, &places)?;
    let [old, composed] = [&old.supergraph, &new.supergraph].map(|supergraph| ApiSchema::read(supergraph));
    let (Ok(old), Ok(composed)) = (old, composed) else {
        anyhow::bail!(
            "a composed supergraph cannot be read: this is a mistake of composition, please report it"
        );
    };
    let verdicts = judge(&old, &composed, args.operations.as_deref())?;
    let mut report = compose::report(&new.hints, &places);
    report.findings.splice(0..0, verdicts.iter().map(|verdict| Finding::of_verdict(verdict, &args.subgraph)));
    conclude(&report, args.format)
}

/// Without operations, whatever could be used counts as used.
fn judge(old: &ApiSchema, new: &ApiSchema, operations: Option<&Path>) -> anyhow::Result<Vec<Verdict>> {
    let found = changes(old, new);
    let Some(folder) = operations else {
        let unjudged = |change: pulse_schema::Change| Verdict {
            criticality: change.criticality,
            operations: Vec::new(),
            change,
        };
        return Ok(found.into_iter().map(unjudged).collect());
    };
    let usage = files::usage(old, folder)?;
    ensure!(
        !usage.is_empty(),
        "{} has no operations: .graphql documents or .json manifests",
        folder.display()
    );
    let mut judged = verdicts(found, &usage);
    judged.sort_by_key(|verdict| verdict.criticality);
    Ok(judged)
}

fn conclude(report: &Report, format: ReportFormat) -> anyhow::Result<()> {
    let breaking = report.count(Level::Error);
    let printed = report.print(format);
    if printed.is_empty() {
        say("nothing has changed for clients");
    } else {
        say(printed.trim_end());
    }
    if breaking > 0 {
        return Err(Failure::Breaking(breaking).into());
    }
    Ok(())
}
