//! A case, read from its folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use pulse_gateway::value::Value;
use pulse_schema::SubgraphSdl;
use serde::Deserialize;

/// A case.
pub(super) struct Case {
    pub(super) folder: PathBuf,
    pub(super) subgraphs: Vec<(SubgraphSdl, Value)>,
    pub(super) query: String,
    pub(super) variables: Option<Value>,
    pub(super) settings: Settings,
}

/// What a case needs beside a query.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub(super) struct Settings {
    pub(super) operation_name: Option<String>,
    pub(super) headers: BTreeMap<String, String>,
    /// Labels of `@override`, and their rules.
    pub(super) labels: BTreeMap<String, String>,
    /// The supergraph is given, and no composition of the subgraphs.
    pub(super) given_supergraph: bool,
}

impl Case {
    pub(super) fn read(folder: &Path) -> Self {
        let read = |name: &str| fs::read_to_string(folder.join(name)).ok();
        let settings = read("settings.json").map(|text| serde_json::from_str(&text).unwrap());
        let about = read("case.md").unwrap_or_default();
        assert!(about.trim().len() > 20, "{} lacks a case.md", folder.display());
        Self {
            subgraphs: subgraphs(folder),
            query: read("query.graphql").unwrap_or_else(|| panic!("{} has no query", folder.display())),
            variables: read("variables.json").map(|text| Value::parse(text.as_bytes()).unwrap()),
            settings: settings.unwrap_or_default(),
            folder: folder.to_owned(),
        }
    }

    /// A file of the case, empty when it is not there.
    pub(super) fn recorded(&self, name: &str) -> String {
        fs::read_to_string(self.folder.join(name)).unwrap_or_default()
    }

    pub(super) fn expects_errors(&self) -> bool {
        let expected = Value::parse(self.recorded("expected.json").as_bytes()).unwrap_or_default();
        expected.get("errors").is_some()
    }
}

fn subgraphs(folder: &Path) -> Vec<(SubgraphSdl, Value)> {
    let entries = fs::read_dir(folder.join("subgraphs")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|it| it == "graphql")).collect();
    files.sort();
    let read = |file: PathBuf| {
        let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
        let data = fs::read(file.with_extension("json")).unwrap();
        let data = Value::parse(&data).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let sdl = fs::read_to_string(&file).unwrap();
        (SubgraphSdl { url: Some(format!("http://{name}/graphql")), name, sdl }, data)
    };
    files.into_iter().map(read).collect()
}
