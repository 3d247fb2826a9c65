//! `cargo xtask deploy`: do the deployment files hold, as far as that shows without a container engine?

mod commands;
mod compose;
mod kubernetes;
mod openapi;
mod tools;

use std::process::{Command, ExitCode};

use anyhow::{Context, ensure};
use serde_json::Value;

use crate::cargo;
use tools::{Tools, output};

const DOCKERFILE: &str = "Dockerfile";
const COMPOSE: &str = "docker-compose.yml";
/// The variables that the compose file needs, with values to try it out.
const COMPOSE_VARIABLES: &str = "deploy/compose.env.example";
const OVERLAYS: [&str; 3] = ["development", "staging", "production"];

type Check = Box<dyn Fn(&Tools) -> anyhow::Result<()>>;

/// Runs all checks.
pub(crate) fn run() -> anyhow::Result<ExitCode> {
    let failed = run_checks(None)?.contains(&false);
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Runs the checks whose name contains `filter`, and says of each whether it passed.
pub(crate) fn run_checks(filter: Option<&str>) -> anyhow::Result<Vec<bool>> {
    let mut checks = checks();
    checks.retain(|(name, _)| filter.is_none_or(|filter| name.contains(filter)));
    if checks.is_empty() {
        return Ok(Vec::new());
    }
    println!("\nrunning {} deployment checks", checks.len());
    let tools = Tools::ready().context("the tools that check deployment files")?;
    Ok(checks.iter().map(|(name, check)| report(name, check(&tools))).collect())
}

fn report(name: &str, result: anyhow::Result<()>) -> bool {
    match result {
        Ok(()) => {
            println!("check {name} ... ok");
            true
        }
        Err(error) => {
            println!("check {name} ... FAILED\n{error:#}");
            false
        }
    }
}

fn checks() -> Vec<(String, Check)> {
    let mut checks: Vec<(String, Check)> = vec![
        ("deploy::dockerfile_has_no_lint".into(), Box::new(|tools| tools.hadolint(DOCKERFILE))),
        (
            "deploy::compose_services_are_confined".into(),
            Box::new(|tools| none(&compose::violations(&model(tools)?))),
        ),
        ("deploy::replica_shows_what_the_primary_commits".into(), Box::new(|_| replication())),
        ("deploy::commands_are_those_of_the_binary".into(), Box::new(commands_match)),
        ("deploy::descriptions_of_rest_are_valid".into(), Box::new(openapi::are_valid)),
    ];
    for overlay in OVERLAYS {
        checks.push((
            format!("deploy::{overlay}_matches_the_schemas_of_kubernetes"),
            Box::new(move |tools| tools.kubernetes_schemas(overlay, &rendered(tools, overlay)?)),
        ));
        checks.push((
            format!("deploy::{overlay}_is_confined_and_complete"),
            Box::new(move |tools| none(&kubernetes::violations(&objects(tools, overlay)?))),
        ));
    }
    checks
}

/// Runs the scripts of the PostgreSQL containers with the programs that the tests use.
fn replication() -> anyhow::Result<()> {
    let programs = output(Command::new(cargo::build("test-cluster")?).arg("--programs"))?;
    // It waits for what it starts; should that never come, this ends it.
    let mut script = Command::new("timeout");
    output(script.args(["120", "bash", "deploy/checks/replication.sh", programs.trim()])).map(drop)
}

fn none(violations: &[String]) -> anyhow::Result<()> {
    ensure!(violations.is_empty(), "{}", violations.join("\n"));
    Ok(())
}

/// Every command of the compose file and the manifests is in the list that the platform tests start their
/// processes by, none is in the list for nothing, and the binary understands each.
fn commands_match(tools: &Tools) -> anyhow::Result<()> {
    let mut used = compose::commands(&model(tools)?);
    for overlay in OVERLAYS {
        used.extend(kubernetes::commands(&objects(tools, overlay)?));
    }
    none(&commands::violations(used)?)
}

fn model(tools: &Tools) -> anyhow::Result<Value> {
    Ok(serde_json::from_str(&tools.compose(COMPOSE, COMPOSE_VARIABLES)?)?)
}

fn rendered(tools: &Tools, overlay: &str) -> anyhow::Result<String> {
    tools.kustomize(&format!("k8s/overlays/{overlay}"))
}

fn objects(tools: &Tools, overlay: &str) -> anyhow::Result<Vec<Value>> {
    kubernetes::parse(&rendered(tools, overlay)?)
}
