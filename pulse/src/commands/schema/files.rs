//! Subgraphs and operations from files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use pulse_schema::{ApiSchema, SubgraphSdl, Usage, document_operations, operation_coordinates};
use serde::Deserialize;

use super::report::Files;

/// A list of subgraphs in a file, as other tools write it too.
#[derive(Deserialize)]
struct Config {
    subgraphs: BTreeMap<String, ConfigSubgraph>,
}

#[derive(Deserialize)]
struct ConfigSubgraph {
    routing_url: Option<String>,
    schema: ConfigSchema,
}

#[derive(Deserialize)]
struct ConfigSchema {
    /// Beside the file that names it.
    file: PathBuf,
}

/// The subgraphs of SDL files, each named as its file, and those of a list; and where each is.
pub(super) fn subgraphs(files: &[PathBuf], list: Option<&Path>) -> anyhow::Result<(Vec<SubgraphSdl>, Files)> {
    let mut subgraphs = Vec::new();
    let mut places = Files::new();
    if let Some(list) = list {
        let config: Config = serde_yaml_ng::from_str(&read(list)?)
            .with_context(|| format!("cannot read {}", list.display()))?;
        for (name, subgraph) in config.subgraphs {
            let file = list.parent().unwrap_or(Path::new("")).join(&subgraph.schema.file);
            subgraphs.push(SubgraphSdl { name: name.clone(), url: subgraph.routing_url, sdl: read(&file)? });
            places.insert(name, file);
        }
    }
    for file in files {
        let subgraph = subgraph(file)?;
        places.insert(subgraph.name.clone(), file.clone());
        subgraphs.push(subgraph);
    }
    ensure!(!subgraphs.is_empty(), "name SDL files, or a list of them with --config");
    Ok((subgraphs, places))
}

/// The subgraph of one SDL file, named as the file.
pub(super) fn subgraph(file: &Path) -> anyhow::Result<SubgraphSdl> {
    let name =
        file.file_stem().and_then(|stem| stem.to_str()).context("a file's name is its subgraph's name")?;
    Ok(SubgraphSdl { name: name.to_owned(), url: None, sdl: read(file)? })
}

pub(in crate::commands) fn read(file: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

/// What the operations in a folder use: `.graphql` documents, and `.json` manifests.
pub(super) fn usage(schema: &ApiSchema, folder: &Path) -> anyhow::Result<Usage> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut files = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<PathBuf>, std::io::Error>>()
        .with_context(|| format!("cannot read {}", folder.display()))?;
    files.sort();
    let mut usage = Usage::default();
    for file in files {
        let shown = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match file.extension().and_then(|extension| extension.to_str()) {
            Some("graphql" | "gql") => record(&mut usage, schema, &shown, &read(&file)?)?,
            Some("json") => {
                let manifest = serde_json::from_str(&read(&file)?)
                    .with_context(|| format!("cannot read {}", file.display()))?;
                for (name, document) in manifest_entries(&manifest) {
                    record(&mut usage, schema, &format!("{shown}: {name}"), &document)?;
                }
            }
            _ => {}
        }
    }
    Ok(usage)
}

fn record(usage: &mut Usage, schema: &ApiSchema, shown: &str, document: &str) -> anyhow::Result<()> {
    for name in document_operations(document).with_context(|| format!("cannot read {shown}"))? {
        let name = name.as_deref();
        let coordinates = operation_coordinates(schema, document, name, None)
            .with_context(|| format!("cannot read {shown}"))?;
        usage.record(name.map_or_else(|| shown.to_owned(), |name| format!("{shown}: {name}")), coordinates);
    }
    Ok(())
}

/// Name and document of each operation: a list with `id`, `name` and `body`, or a map of documents.
fn manifest_entries(manifest: &serde_json::Value) -> Vec<(String, String)> {
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    if let Some(operations) = manifest.get("operations").and_then(|operations| operations.as_array()) {
        let entry = |operation: &serde_json::Value| {
            let name = operation.get("id").or_else(|| operation.get("name")).and_then(text)?;
            Some((name, operation.get("body").and_then(text)?))
        };
        return operations.iter().filter_map(entry).collect();
    }
    let entries = manifest.as_object().into_iter().flatten();
    entries.filter_map(|(id, document)| Some((id.clone(), text(document)?))).collect()
}
