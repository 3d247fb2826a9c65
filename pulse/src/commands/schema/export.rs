//! `pulse schema export`: what this program serves.

use std::path::Path;

use anyhow::Context;
use pulse_rest::{Routes, Version};

use crate::exit::Failure;
use crate::platform::{compose_own, mapping, sdls};

/// Writes each subgraph's SDL, the supergraph and what describes its REST face, or compares them with what is there.
pub(super) fn run(dir: &Path, check: bool) -> anyhow::Result<()> {
    let mut files: Vec<_> = sdls()
        .into_iter()
        .map(|(name, sdl)| (dir.join("subgraphs").join(format!("{name}.graphql")), sdl))
        .collect();
    let supergraph = compose_own()?;
    let routes = Routes::derive(&supergraph, &mapping()?)?;
    files.push((dir.join("supergraph.graphql"), supergraph));
    for (name, version) in [("openapi.json", Version::V3_1), ("openapi-3.0.json", Version::V3_0)] {
        files.push((dir.join(name), serde_json::to_string_pretty(&routes.openapi(version))?));
    }
    for (path, content) in files {
        let content = format!("{}\n", content.trim_end());
        if check {
            let found = std::fs::read_to_string(&path).unwrap_or_default();
            if found != content {
                let text = format!("{} is not what the code says: run `cargo xtask schema`", path.display());
                return Err(Failure::Drift(text).into());
            }
        } else {
            let folder = path.parent().context("every file is in a folder")?;
            std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
            std::fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))?;
        }
    }
    Ok(())
}
