//! `pulse schema lint`: names, descriptions, deprecation before removal.

use anyhow::Context;
use pulse_schema::{LintConfig, lint};

use super::report::{Files, Finding, Level, Report};
use super::{compose, files};
use crate::cli::LintArgs;
use crate::exit::Failure;
use crate::terminal::say;

/// Says what the rules of style do not like.
pub(super) fn run(args: &LintArgs) -> anyhow::Result<()> {
    let config = match &args.rules {
        Some(file) => serde_yaml_ng::from_str(&files::read(file)?)
            .with_context(|| format!("cannot read {}", file.display()))?,
        None => LintConfig::default(),
    };
    let previous = args.previous.as_deref().map(files::read).transpose()?;
    let mut report = Report::default();
    for file in &args.files {
        let subgraph = files::subgraph(file)?;
        let places = Files::from([(subgraph.name.clone(), file.clone())]);
        let found = lint(&subgraph, previous.as_deref(), &config)
            .map_err(|diagnostics| compose::refusal(diagnostics, args.format, &places))?;
        report.findings.extend(found.iter().map(|finding| Finding::of_lint(finding, &places)));
    }
    let printed = report.print(args.format);
    if printed.is_empty() {
        say("nothing to complain of");
    } else {
        say(printed.trim_end());
    }
    match report.count(Level::Error) {
        0 => Ok(()),
        errors => Err(Failure::Style(errors).into()),
    }
}
