//! `pulse schema`.

use std::path::{Path, PathBuf};

use anyhow::Context;
use pulse_schema::SubgraphSdl;

use crate::cli::SchemaCommand;
use crate::exit::Failure;
use crate::platform::{compose_own, sdls, supergraph_of};
use crate::terminal::say;

pub(super) fn run(command: SchemaCommand) -> anyhow::Result<()> {
    match command {
        SchemaCommand::Export { dir, check } => export(&dir, check),
        SchemaCommand::Compose { files } => compose(&files),
    }
}

fn export(dir: &Path, check: bool) -> anyhow::Result<()> {
    let mut files: Vec<_> = sdls()
        .into_iter()
        .map(|(name, sdl)| (dir.join("subgraphs").join(format!("{name}.graphql")), sdl))
        .collect();
    files.push((dir.join("supergraph.graphql"), compose_own()?));
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

fn compose(files: &[PathBuf]) -> anyhow::Result<()> {
    let subgraphs = files.iter().map(|path| {
        let sdl = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let name = path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .context("a file's name is its subgraph's name")?;
        anyhow::Ok(SubgraphSdl { name: name.to_owned(), url: None, sdl })
    });
    say(supergraph_of(&subgraphs.collect::<anyhow::Result<Vec<_>>>()?)?.trim_end());
    Ok(())
}
