//! Rules about crates: which may need which, and what each manifest must say.

use toml::Value;

use super::Finding;
use super::tree::{Package, Tree, Use};

/// Where a crate stands. `Ground < Subgraph < Pulse` and `Schema < Gateway < Surface < Pulse`; the registry composes and
/// compares, so that subgraphs may need what is `Schema`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tier {
    Ground,
    Subgraph,
    Schema,
    Gateway,
    /// Another face of the API, over the gateway.
    Surface,
    Pulse,
    /// Whole-platform tests and benches: they may need everything.
    Outside,
    /// Developers' tools: they need nothing of the platform.
    Tool,
}

/// What schema and gateway may take from the ground, so that the gateway also stands alone.
const SHARED_WITH_GATEWAY: [&str; 4] = ["pulse-cache", "pulse-manifests", "pulse-types", "pulse-telemetry"];

fn tier(package: &Package) -> Option<Tier> {
    let top = package.folder.split('/').next().unwrap_or_default();
    Some(match top {
        "crates" | "migrations" => Tier::Ground,
        "subgraphs" => Tier::Subgraph,
        "schema" => Tier::Schema,
        "gateway" => Tier::Gateway,
        "mcp" | "rest" => Tier::Surface,
        "pulse" => Tier::Pulse,
        "tests" | "bench" => Tier::Outside,
        "xtask" => Tier::Tool,
        _ => return None,
    })
}

fn may_need(from: Tier, to: Tier, to_name: &str, kind: Use) -> bool {
    let for_tests = ["pulse-testkit", "pulse-bench-subgraphs"];
    if kind == Use::TestsOnly && for_tests.contains(&to_name) && from != Tier::Tool {
        return true;
    }
    match from {
        Tier::Ground => to == Tier::Ground,
        Tier::Subgraph => matches!(to, Tier::Ground | Tier::Schema),
        Tier::Schema => SHARED_WITH_GATEWAY.contains(&to_name),
        Tier::Gateway => to == Tier::Schema || SHARED_WITH_GATEWAY.contains(&to_name),
        Tier::Surface => {
            matches!(to, Tier::Schema | Tier::Gateway | Tier::Surface)
                || SHARED_WITH_GATEWAY.contains(&to_name)
        }
        Tier::Pulse => {
            matches!(to, Tier::Ground | Tier::Subgraph | Tier::Schema | Tier::Gateway | Tier::Surface)
        }
        Tier::Outside => to != Tier::Tool,
        Tier::Tool => false,
    }
}

/// Dependencies point down only.
pub(super) fn directions(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in &tree.packages {
        let manifest = manifest_path(package);
        let Some(from) = tier(package) else {
            findings
                .push(Finding::new(manifest, "this folder has no tier: add it to xtask's table of tiers"));
            continue;
        };
        for (name, kind) in &package.needs {
            let Some(needed) = tree.packages.iter().find(|other| other.name == *name) else { continue };
            if tier(needed).is_some_and(|to| !may_need(from, to, name, *kind)) {
                let message = format!("{} must not need {name}: dependencies point down only", package.name);
                findings.push(Finding::new(&manifest, message));
            }
        }
    }
    findings
}

/// Every crate inherits the lints, and every version from the workspace.
pub(super) fn inheritance(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in &tree.packages {
        let path = manifest_path(package);
        let Some(manifest) = parsed(tree, &path) else { continue };
        if !inherits(manifest.get("lints")) {
            findings.push(Finding::new(&path, "needs `[lints] workspace = true`"));
        }
        for (name, dependency) in dependencies(&manifest) {
            if !inherits(Some(&dependency)) {
                findings.push(Finding::new(&path, format!("{name} needs `workspace = true`")));
            }
        }
    }
    findings
}

/// Every dependency of the workspace is needed by a crate, and every dependency of a crate by its code.
pub(super) fn unused_dependencies(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut needed = Vec::new();
    for package in &tree.packages {
        let path = manifest_path(package);
        let Some(manifest) = parsed(tree, &path) else { continue };
        let names: Vec<String> = dependencies(&manifest).into_iter().map(|(name, _)| name).collect();
        let unused: Vec<&str> =
            names.iter().map(String::as_str).filter(|name| !mentions(tree, package, name)).collect();
        if !unused.is_empty() {
            findings.push(Finding::new(&path, format!("no file of the crate uses {}", unused.join(", "))));
        }
        needed.extend(names);
    }
    let workspace = parsed(tree, "Cargo.toml");
    let all = workspace.as_ref().and_then(|root| root.get("workspace")?.get("dependencies")?.as_table());
    for name in all.into_iter().flat_map(toml::Table::keys) {
        if !needed.contains(name) {
            findings.push(Finding::new("Cargo.toml", format!("no crate needs {name}")));
        }
    }
    findings
}

/// Every crate says what it is, in a README or a crate doc.
pub(super) fn descriptions(tree: &Tree) -> Vec<Finding> {
    let is_described = |package: &&Package| {
        let path = |name: &str| format!("{}/{name}", package.folder);
        tree.file(&path("README.md")).is_some()
            || ["src/lib.rs", "src/main.rs"].iter().any(|root| {
                let text = tree.file(&path(root)).map_or("", |file| file.text.trim_start());
                text.starts_with("//!") || text.starts_with("#![doc")
            })
    };
    let silent = tree.packages.iter().filter(|package| !is_described(package));
    silent.map(|package| Finding::new(&package.folder, "needs a README.md or a crate doc")).collect()
}

fn manifest_path(package: &Package) -> String {
    format!("{}/Cargo.toml", package.folder)
}

fn parsed(tree: &Tree, path: &str) -> Option<Value> {
    tree.file(path).and_then(|file| toml::from_str(&file.text).ok())
}

fn inherits(value: Option<&Value>) -> bool {
    value.and_then(|value| value.get("workspace")).and_then(Value::as_bool) == Some(true)
}

fn dependencies(manifest: &Value) -> Vec<(String, Value)> {
    let kinds = ["dependencies", "dev-dependencies", "build-dependencies"];
    let tables = kinds.iter().filter_map(|kind| manifest.get(kind)?.as_table());
    tables.flatten().map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn mentions(tree: &Tree, package: &Package, dependency: &str) -> bool {
    let name = dependency.replace('-', "_");
    let is_part_of_a_word = |character: char| character.is_alphanumeric() || character == '_';
    let mut code = tree.files_below(&package.folder).filter(|file| file.extension() == "rs");
    code.any(|file| {
        file.text.match_indices(&name).any(|(start, _)| {
            let (before, after) = (&file.text[..start], &file.text[start + name.len()..]);
            !before.ends_with(is_part_of_a_word) && !after.starts_with(is_part_of_a_word)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::super::tree::samples::{files, package};
    use super::*;

    fn messages(findings: Vec<Finding>) -> Vec<String> {
        findings.into_iter().map(|finding| finding.to_string()).collect()
    }

    #[test]
    fn dependencies_that_point_up_or_sideways_are_found() {
        let tree = Tree {
            packages: vec![
                package("pulse", "pulse", &[("pulse-accounts", Use::Build), ("pulse-gateway", Use::Build)]),
                package("pulse-accounts", "subgraphs/accounts", &[("pulse-entities", Use::Build)]),
                package("pulse-entities", "subgraphs/entities", &[("pulse-testkit", Use::TestsOnly)]),
                package(
                    "pulse-gateway",
                    "gateway",
                    &[("pulse-types", Use::Build), ("pulse-store", Use::Build)],
                ),
                package("pulse-store", "crates/store", &[("pulse", Use::TestsOnly)]),
                package("pulse-testkit", "crates/testkit", &[("pulse-store", Use::Build)]),
                package("pulse-types", "crates/types", &[]),
                package("odd", "odd", &[]),
            ],
            ..Tree::default()
        };
        assert_eq!(
            messages(directions(&tree)),
            [
                "subgraphs/accounts/Cargo.toml: pulse-accounts must not need pulse-entities: dependencies point down only",
                "gateway/Cargo.toml: pulse-gateway must not need pulse-store: dependencies point down only",
                "crates/store/Cargo.toml: pulse-store must not need pulse: dependencies point down only",
                "odd/Cargo.toml: this folder has no tier: add it to xtask's table of tiers",
            ]
        );
    }

    #[test]
    fn a_manifest_with_its_own_lints_or_versions_is_found() {
        let manifest =
            "[lints.rust]\nunsafe_code = 'warn'\n[dependencies]\nserde = '1'\nuuid.workspace = true\n";
        let mut tree = files(&[("crates/a/Cargo.toml", manifest)]);
        tree.packages.push(package("a", "crates/a", &[]));
        assert_eq!(
            messages(inheritance(&tree)),
            [
                "crates/a/Cargo.toml: needs `[lints] workspace = true`",
                "crates/a/Cargo.toml: serde needs `workspace = true`",
            ]
        );
    }

    #[test]
    fn dependencies_that_nobody_uses_are_found() {
        let mut tree = files(&[
            ("Cargo.toml", "[workspace.dependencies]\nserde_json = '1'\nuuid = '1'\nsqlx = '0.9'\n"),
            ("crates/a/Cargo.toml", "[dependencies]\nserde-json.workspace = true\nuuid.workspace = true\n"),
            ("crates/a/src/lib.rs", "use serde_json::Value;\nfn my_uuid() {}\n"),
        ]);
        tree.packages.push(package("a", "crates/a", &[]));
        assert_eq!(
            messages(unused_dependencies(&tree)),
            [
                "crates/a/Cargo.toml: no file of the crate uses uuid",
                "Cargo.toml: no crate needs serde_json",
                "Cargo.toml: no crate needs sqlx",
            ]
        );
    }

    #[test]
    fn a_crate_that_says_nothing_about_itself_is_found() {
        let mut tree = files(&[("crates/a/src/lib.rs", "//! A.\n"), ("crates/b/src/lib.rs", "mod x;\n")]);
        tree.packages.extend([package("a", "crates/a", &[]), package("b", "crates/b", &[])]);
        assert_eq!(messages(descriptions(&tree)), ["crates/b: needs a README.md or a crate doc"]);
    }
}
