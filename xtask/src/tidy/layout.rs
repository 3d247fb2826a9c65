//! Rules about where files are and what they are called.

use super::Finding;
use super::tree::Tree;

/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 5] = ["utils", "util", "common", "helpers", "core"];

/// A migration goes up and down.
pub(super) fn migration_pairs(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files_below("migrations") {
        let twin = if let Some(name) = file.path.strip_suffix(".up.sql") {
            format!("{name}.down.sql")
        } else if let Some(name) = file.path.strip_suffix(".down.sql") {
            format!("{name}.up.sql")
        } else {
            continue;
        };
        if tree.file(&twin).is_none() {
            findings.push(Finding::new(&file.path, format!("{twin} is missing")));
        }
    }
    findings
}

/// A module is `name.rs` or `name/mod.rs`, never `name.rs` beside `name/`, and its name says what it is.
pub(super) fn module_names(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files.iter().filter(|file| file.extension() == "rs") {
        let module = file.path.trim_end_matches(".rs").trim_end_matches("/mod");
        let name = module.rsplit('/').next().unwrap_or_default();
        if EMPTY_NAMES.contains(&name) {
            findings.push(Finding::new(&file.path, format!("`{name}` says nothing: name the thing")));
        }
        if !file.path.ends_with("/mod.rs")
            && module.contains("/src/")
            && tree.files_below(module).next().is_some()
        {
            findings.push(Finding::new(&file.path, format!("belongs at {module}/mod.rs")));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::tree::samples::files;
    use super::*;

    #[test]
    fn a_migration_without_its_way_back_is_found() {
        let tree = files(&[
            ("migrations/a/0001_x.up.sql", ""),
            ("migrations/a/0001_x.down.sql", ""),
            ("migrations/a/0002_y.up.sql", ""),
            ("migrations/bootstrap.sql", ""),
        ]);
        let found: Vec<String> = migration_pairs(&tree).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["migrations/a/0002_y.up.sql: migrations/a/0002_y.down.sql is missing"]);
    }

    #[test]
    fn a_module_file_beside_its_folder_and_an_empty_name_are_found() {
        let tree = files(&[("a/src/user.rs", ""), ("a/src/user/repo.rs", ""), ("a/src/utils/mod.rs", "")]);
        let found: Vec<String> = module_names(&tree).iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            [
                "a/src/user.rs: belongs at a/src/user/mod.rs",
                "a/src/utils/mod.rs: `utils` says nothing: name the thing"
            ]
        );
    }
}
