//! `pulse schema check --registry`, `publish` and `fetch`: schemas of a graph of one's own, at a registry.

mod client;
mod found;

use std::path::Path;

use anyhow::Context;
use serde_json::{Value, json};

use super::files;
use super::report::Report;
use crate::cli::{CheckSchemaArgs, FetchArgs, PublishArgs, RegistryArgs, ReportFormat};
use crate::exit::Failure;
use crate::terminal::{complain, say};
use client::Registry;

const CHECK: &str = "mutation CheckSubgraph($input: CheckSubgraphInput!) { checkSubgraph(input: $input) { check {
    id verdict breaking
    changes { code criticality potential coordinate message overrideReason operationCount requestCount
        users { operationName signature clientName clientVersion requests isDeclared } surfaces { kind name } }
    findings { code severity coordinate message help places { subgraph line column } } } } }";

const PUBLISH: &str =
    "mutation PublishSubgraph($input: PublishSubgraphInput!) { publishSubgraph(input: $input) {
    isPublished isUnchanged composition { number
        diff { breaking dangerous safe }
        findings { code severity coordinate message help places { subgraph line column } } } } }";

/// Has the registry check a new schema of a subgraph, and says what it does to whom.
pub(super) async fn check(args: &CheckSchemaArgs) -> anyhow::Result<()> {
    let registry = Registry::new(&args.registry)?;
    let mut changed = files::subgraph(&args.subgraph)?;
    if let Some(name) = &args.name {
        changed.name.clone_from(name);
    }
    let RegistryArgs { environment, variant, .. } = &args.registry;
    let input = json!({
        "environment": environment, "variant": variant, "subgraph": changed.name, "sdl": changed.sdl,
        "revision": args.revision, "base": args.base,
    });
    let mut data = registry.ask(CHECK, json!({ "input": input })).await?;
    let check = data["checkSubgraph"]["check"].take();
    let findings = found::of_check(&check, (&changed.name, &args.subgraph));
    print(&Report { findings, supergraph: None }, args.format, "nothing changes for clients");
    match check["verdict"].as_str().unwrap_or_default() {
        "SAFE" | "DANGEROUS" => Ok(()),
        "BREAKING" => Err(Failure::Breaking(let_through(&check)).into()),
        "LINT" => {
            let errors = check["findings"].as_array().into_iter().flatten();
            Err(Failure::Style(errors.filter(|finding| finding["severity"] == "ERROR").count()).into())
        }
        _ => Err(Failure::Supergraph("the schemas do not compose".to_owned()).into()),
    }
}

/// How many changes break somebody and are not let through.
fn let_through(check: &Value) -> usize {
    let changes = check["changes"].as_array().into_iter().flatten();
    changes.filter(|change| change["criticality"] == "BREAKING" && change["overrideReason"].is_null()).count()
}

/// Publishes a schema of a subgraph.
pub(super) async fn publish(args: &PublishArgs) -> anyhow::Result<()> {
    let registry = Registry::new(&args.registry)?;
    let mut changed = files::subgraph(&args.subgraph)?;
    if let Some(name) = &args.name {
        changed.name.clone_from(name);
    }
    let RegistryArgs { environment, variant, .. } = &args.registry;
    let input = json!({
        "environment": environment, "variant": variant, "subgraph": changed.name, "sdl": changed.sdl,
        "url": args.url, "revision": args.revision, "message": args.message, "base": args.base,
        "expiresInHours": args.expires_in_hours,
    });
    let mut data = registry.ask(PUBLISH, json!({ "input": input })).await?;
    let published = data["publishSubgraph"].take();
    let composition = &published["composition"];
    let findings = found::of_composition(composition, (&changed.name, &args.subgraph));
    if published["isPublished"] != true {
        print(&Report { findings, supergraph: None }, args.format, "");
        let problem =
            "the schemas do not compose: the schema is kept as failed, and gateways go on as they are";
        return Err(Failure::Supergraph(problem.to_owned()).into());
    }
    let number = &composition["number"];
    let told = if published["isUnchanged"] == true {
        format!(
            "{environment}/{variant} has this schema of {} already, in composition {number}",
            changed.name
        )
    } else {
        let diff = &composition["diff"];
        format!(
            "published {} to {environment}/{variant}, composition {number}: {} breaking, {} dangerous and {} safe changes",
            changed.name, diff["breaking"], diff["dangerous"], diff["safe"]
        )
    };
    match args.format {
        ReportFormat::Text => say(&told),
        format => {
            complain(&told);
            print(&Report { findings, supergraph: None }, format, "");
        }
    }
    Ok(())
}

/// Prints the supergraph of an environment and variant, or writes it to a file.
pub(super) async fn fetch(args: &FetchArgs) -> anyhow::Result<()> {
    let supergraph = Registry::new(&args.registry)?.supergraph().await?;
    match &args.file {
        None => say(supergraph.trim_end()),
        Some(file) => write(file, &supergraph)?,
    }
    Ok(())
}

fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
}

fn print(report: &Report, format: ReportFormat, nothing: &str) {
    let printed = report.print(format);
    match (printed.is_empty(), nothing.is_empty()) {
        (true, true) => {}
        (true, false) => say(nothing),
        (false, _) => say(printed.trim_end()),
    }
}
