//! Each folder in `tests/cases` is one composition: subgraphs in, supergraph or diagnostics out.
//! `UPDATE=1` writes what came out instead of comparing.

use std::{
    fs,
    path::{Path, PathBuf},
};

use pulse_schema::{Diagnostic, SubgraphSdl, compose};

pub(crate) fn folders() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut folders: Vec<_> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
}

pub(crate) fn subgraphs(folder: &Path) -> Vec<SubgraphSdl> {
    let mut files: Vec<_> =
        fs::read_dir(folder.join("subgraphs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let read = |file: &PathBuf| {
        let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
        SubgraphSdl {
            url: Some(format!("http://{name}/graphql")),
            name,
            sdl: fs::read_to_string(file).unwrap(),
        }
    };
    files.iter().map(read).collect()
}

fn print(diagnostics: &[Diagnostic]) -> String {
    diagnostics.iter().flat_map(|diagnostic| [diagnostic.to_string(), "\n\n".to_owned()]).collect()
}

#[test]
fn each_case_composes_as_recorded() {
    let update = std::env::var_os("UPDATE").is_some();
    let mut failures = String::new();
    for folder in folders() {
        let (supergraph, diagnostics) = match compose(&subgraphs(&folder)) {
            Ok(composition) => (composition.supergraph, print(&composition.hints)),
            Err(errors) => (String::new(), print(&errors)),
        };
        for (name, text) in [("supergraph.graphql", supergraph), ("diagnostics.txt", diagnostics)] {
            let file = folder.join(name);
            let recorded = fs::read_to_string(&file).unwrap_or_default();
            if recorded == text {
                continue;
            }
            if !update {
                failures.extend([
                    &file.display().to_string(),
                    ":\n--- recorded\n",
                    &recorded,
                    "\n--- composed\n",
                    &text,
                    "\n",
                ]);
            } else if text.is_empty() {
                fs::remove_file(&file).unwrap();
            } else {
                fs::write(&file, text).unwrap();
            }
        }
    }
    assert!(failures.is_empty(), "run again with UPDATE=1 if this is meant:\n{failures}");
}

#[test]
fn each_case_says_what_it_is_about() {
    let folders = folders();
    assert!(folders.len() >= 150, "{} cases", folders.len());
    for folder in folders {
        let text = fs::read_to_string(folder.join("test.md")).unwrap_or_default();
        assert!(text.trim().len() > 20, "{} lacks a test.md", folder.display());
    }
}

#[test]
fn order_of_the_subgraphs_changes_nothing() {
    for folder in folders() {
        let mut subgraphs = subgraphs(&folder);
        let forward = compose(&subgraphs);
        subgraphs.reverse();
        assert_eq!(forward, compose(&subgraphs), "{}", folder.display());
    }
}
