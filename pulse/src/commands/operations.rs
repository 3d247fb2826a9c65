//! `pulse operations`: what a client sends, checked and published.

use std::borrow::Cow;
use std::path::Path;

use pulse_manifests::{Manifest, ManifestOperation};
use pulse_registry::{OperationProblem, operation_problems};
use pulse_schema::{ApiSchema, api_schema, operation_coordinates};
use serde_json::json;

use super::schema::registry::client::Registry;
use super::schema::registry::print;
use super::schema::report::{Files, Finding, Level, Location, Report};
use super::schema::{compose, files};
use crate::cli::RegistryArgs;
use crate::exit::Failure;
use crate::operations_args::{CheckOperationsArgs, OperationsCommand, PublishOperationsArgs};
use crate::terminal::say;

const PUBLISH: &str =
    "mutation PublishOperations($input: PublishOperationsInput!) { publishOperations(input: $input) {
    isUnchanged manifest { operationCount } } }";

pub(super) async fn run(command: OperationsCommand) -> anyhow::Result<()> {
    match command {
        OperationsCommand::Check(args) => check(&args).await,
        OperationsCommand::Publish(args) => publish(&args).await,
    }
}

/// Checks a manifest against a schema in a file or at a registry.
async fn check(args: &CheckOperationsArgs) -> anyhow::Result<()> {
    let operations = manifest(&args.manifest)?.into_operations();
    let (schema, place) = if let Some(file) = &args.schema {
        (files::read(file)?, file.clone())
    } else {
        let RegistryArgs { environment, variant, .. } = &args.registry;
        let supergraph = Registry::new(&args.registry)?.supergraph(environment, variant).await?;
        (supergraph, format!("{environment}/{variant}").into())
    };
    let places = Files::from([("supergraph".to_owned(), place)]);
    let refusal = |diagnostics| compose::refusal(diagnostics, args.format, &places);
    let api = api_schema(&schema).map_err(refusal)?;
    let known = ApiSchema::read(&schema).map_err(refusal)?;
    let invalid =
        operation_problems(&api, &operations).map_err(|error| Failure::Supergraph(error.to_string()))?;
    let count = invalid.iter().map(|problem| &problem.id).collect::<std::collections::BTreeSet<_>>().len();
    let mut findings: Vec<Finding> =
        invalid.into_iter().map(|problem| refused(problem, &args.manifest)).collect();
    findings.extend(operations.iter().flat_map(|operation| deprecated(&known, operation, &args.manifest)));
    let nothing = format!("all {} operations can be sent", operations.len());
    print(&Report { findings, supergraph: None }, args.format, &nothing);
    if count > 0 {
        let all = operations.len();
        return Err(Failure::Operations(format!("{count} of {all} operations cannot be sent")).into());
    }
    Ok(())
}

async fn publish(args: &PublishOperationsArgs) -> anyhow::Result<()> {
    // What is no manifest is found without asking anybody.
    manifest(&args.manifest)?;
    let input = json!({
        "client": args.client, "version": args.client_version, "manifest": files::read(&args.manifest)?,
        "environment": args.environment, "variant": args.variant,
    });
    let registry = Registry::at(&args.registry, args.key.as_deref())?;
    let data = registry.ask(PUBLISH, json!({ "input": input })).await?;
    let published = &data["publishOperations"];
    let (client, version) = (&args.client, &args.client_version);
    say(&if published["isUnchanged"] == true {
        format!("{client} {version} has published these operations already")
    } else {
        format!("published {} operations of {client} {version}", published["manifest"]["operationCount"])
    });
    Ok(())
}

fn manifest(file: &Path) -> anyhow::Result<Manifest> {
    let manifest = Manifest::parse(&files::read(file)?);
    Ok(manifest.map_err(|error| Failure::Operations(format!("{}: {error}", file.display())))?)
}

fn refused(problem: OperationProblem, file: &Path) -> Finding {
    let OperationProblem { operation, id, message } = problem;
    Finding {
        level: Level::Error,
        word: "invalid",
        code: Cow::Borrowed("INVALID_OPERATION"),
        meaning: Cow::Borrowed("an operation cannot be sent"),
        coordinate: format!("{operation} ({id})"),
        message,
        help: String::new(),
        operations: vec![operation],
        locations: vec![whole(file)],
    }
}

/// What of an operation is deprecated.
fn deprecated<'a>(
    schema: &'a ApiSchema,
    operation: &'a ManifestOperation,
    file: &'a Path,
) -> impl Iterator<Item = Finding> + 'a {
    let used = operation_coordinates(schema, &operation.document, None, None).unwrap_or_default();
    used.into_iter().filter_map(move |coordinate| {
        let reason = schema.deprecation(&coordinate)?;
        Some(Finding {
            level: Level::Warning,
            word: "deprecated",
            code: Cow::Borrowed("DEPRECATED_USE"),
            meaning: Cow::Borrowed("an operation uses something that is to go"),
            message: format!("is deprecated: {reason}"),
            coordinate,
            help: String::new(),
            operations: vec![operation.name.clone()],
            locations: vec![whole(file)],
        })
    })
}

fn whole(file: &Path) -> Location {
    Location { file: file.to_owned(), line: 0, column: 0 }
}
