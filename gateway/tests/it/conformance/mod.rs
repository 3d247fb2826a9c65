//! Conformance: each folder below `tests/conformance/POINT` is a case, run in process and over HTTP.
//!
//! | file | what |
//! | --- | --- |
//! | `case.md` | what must hold, in a sentence |
//! | `subgraphs/NAME.graphql`, `subgraphs/NAME.json` | a subgraph's SDL, and its data (see `subgraph/markers.rs`) |
//! | `supergraph.graphql` | composed of them, or given as it is where there is no SDL of subgraphs to compose |
//! | `query.graphql`, `variables.json` | the request |
//! | `settings.json` | `operationName`, `headers`, and `labels` of `@override` with their rules, where a case needs them |
//! | `expected.json` | the whole response |
//! | `fetches.json` | how many requests each subgraph got |
//!
//! `UPDATE=1` writes `supergraph.graphql`, `expected.json` and `fetches.json` instead of comparing: read the difference
//! before it is committed.

mod case;
mod pretty;
mod run;

use std::path::{Path, PathBuf};

use case::Case;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance")
}

fn folders(of: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(of).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<_> = entries.filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

/// Runs every case of a point; says all that differs at once.
async fn point(name: &str) {
    let folders = folders(&root().join(name));
    let mut differences = String::new();
    let mut with_errors = 0;
    for folder in &folders {
        let case = Case::read(folder);
        differences += &run::check(&case).await;
        with_errors += usize::from(case.expects_errors());
    }
    assert!(differences.is_empty(), "run again with UPDATE=1 if this is meant:\n{differences}");
    // Half of what goes wrong in a gateway goes wrong beside an error.
    let wanted = usize::from(name != "refused") * 5;
    assert!(with_errors >= wanted, "{name}: {with_errors} cases with errors or partial data");
}

macro_rules! points {
    ($($name:ident)+) => {
        $(#[tokio::test]
        async fn $name() {
            point(stringify!($name)).await;
        })+

        #[test]
        fn every_point_is_run_and_there_are_enough_cases() {
            let folders = folders(&root());
            let found: Vec<_> = folders.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
            assert_eq!(found, [$(stringify!($name)),+]);
            let count: usize = folders.iter().map(|folder| self::folders(folder).len()).sum();
            assert!(count >= 150, "{count} cases");
        }
    };
}

points! {
    aliases
    circular_requires
    enums
    error_paths
    federation_1
    fragments
    inputs
    interface_objects
    introspection
    keys
    mutations
    null_keys
    null_propagation
    overrides
    provides
    requires
    root_reentry
    root_types
    scalars
    shared_roots
    skip_include
    typename
    value_completion
    variables
}
