//! `pulse gateway check`: whether a gateway would start with these settings and this supergraph, before one does.

use std::path::Path;

use pulse_gateway::{Check, Finding, GatewayConfig, Severity, Subgraphs, SupergraphReport};
use pulse_types::Clock;
use serde::Serialize;

use super::source::source;
use crate::cli::{CheckArgs, Format};
use crate::exit::{Failure, problem_and_code};
use crate::settings::Settings;
use crate::terminal::say;

/// All that was found.
#[derive(Serialize)]
struct Report {
    ok: bool,
    /// What stops a gateway, and the code that this program ends with.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Stopped>,
    #[serde(skip_serializing_if = "Option::is_none")]
    supergraph: Option<SupergraphReport>,
    findings: Vec<Finding>,
}

#[derive(Serialize)]
struct Stopped {
    what: &'static str,
    exit_code: u8,
    message: String,
}

/// Reports what is wrong, and fails with the first thing that would stop a gateway.
pub(super) async fn run(args: &CheckArgs, file: Option<&Path>) -> anyhow::Result<()> {
    let mut report = Report { ok: true, error: None, supergraph: None, findings: Vec::new() };
    let outcome = examine(args, file, &mut report).await;
    if let Err((what, error)) = &outcome {
        let (message, exit_code) = problem_and_code(error);
        report.error = Some(Stopped { what, exit_code, message });
        report.ok = false;
    }
    match args.format {
        Format::Json => say(&serde_json::to_string_pretty(&report)?),
        Format::Human => say(&human(&report, args)),
    }
    outcome.map_err(|(_, error)| error)
}

/// Settings, then supergraph, then what is only suspicious.
async fn examine(
    args: &CheckArgs,
    file: Option<&Path>,
    report: &mut Report,
) -> Result<(), (&'static str, anyhow::Error)> {
    let config = Settings::load(file).map_err(|error| ("settings", error))?.gateway;
    pulse_gateway::check_usable(&config)
        .map_err(|error| ("settings", Failure::Setting(error.to_string()).into()))?;
    report.findings = pulse_gateway::check_settings(&config, args.listen);
    // Pulse's own gateway knows its callers by their accounts.
    if args.supergraph.is_some() {
        report.findings.extend(pulse_gateway::check_standalone(&config, args.listen));
    }
    let supergraph = async |report: &mut Report| -> anyhow::Result<()> {
        let Some(place) = &args.supergraph else { return Ok(()) };
        let checked = check_supergraph(place, &config, args.online).await?;
        report.findings.extend(checked.findings);
        report.supergraph = Some(checked.supergraph);
        Ok(())
    };
    supergraph(report).await.map_err(|error| ("supergraph", error))?;
    let count = |severity| report.findings.iter().filter(|finding| finding.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    if errors > 0 {
        let text = format!("{errors} of the subgraphs cannot be used; the report says which and why");
        return Err(("subgraphs", Failure::NotReady(text).into()));
    }
    if args.strict && warnings > 0 {
        return Err(("warnings", Failure::Warnings(warnings).into()));
    }
    Ok(())
}

async fn check_supergraph(place: &str, config: &GatewayConfig, online: bool) -> Result<Check, Failure> {
    let source = source(place, &config.supergraph)?;
    let sdl = source.current().await.map_err(|error| Failure::Supergraph(error.to_string()))?;
    let clock = Clock::system();
    let subgraphs = Subgraphs::remote(config, None, clock.clone());
    let check = pulse_gateway::check_supergraph(&sdl, &subgraphs, config, online.then_some(clock)).await;
    check.map_err(|error| Failure::Supergraph(error.to_string()))
}

fn human(report: &Report, args: &CheckArgs) -> String {
    let mut lines = Vec::new();
    let settings_failed = report.error.as_ref().is_some_and(|error| error.what == "settings");
    if !settings_failed {
        lines.push("settings: good".to_owned());
    }
    if let Some(SupergraphReport { version, subgraphs, root_fields, planned }) = &report.supergraph {
        lines.push(format!(
            "supergraph: version {version}, {} subgraphs, {planned} of {root_fields} root fields planned",
            subgraphs.len()
        ));
        for subgraph in subgraphs {
            let answers = match subgraph.answers {
                None => "",
                Some(true) => "  answers",
                Some(false) => "  DOES NOT ANSWER",
            };
            lines.push(format!("  {}  {}{answers}", subgraph.name, subgraph.url));
        }
    } else if args.supergraph.is_none() && !settings_failed {
        lines.push("supergraph: not checked; name one with --supergraph FILE or URL".to_owned());
    }
    lines.extend(report.findings.iter().map(ToString::to_string));
    lines.join("\n")
}
