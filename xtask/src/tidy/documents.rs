//! Rules about Markdown.

use std::path::{Component, Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;

use super::Finding;
use super::tree::{File, Tree};

static LINK: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\]\(<?([^)\s>]+)>?[^)]*\)").expect("a valid pattern"));

/// A link to a file leads to a file or a folder with files.
pub(super) fn links(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for document in tree.files.iter().filter(|file| file.extension() == "md") {
        for (number, line) in outside_code(document) {
            for link in LINK.captures_iter(line) {
                let target = &link[1];
                if is_broken(tree, document, target) {
                    findings.push(Finding::at(&document.path, number, format!("{target} does not exist")));
                }
            }
        }
    }
    findings
}

fn outside_code(document: &File) -> impl Iterator<Item = (usize, &str)> {
    let mut in_code = false;
    document.lines().filter(move |(_, line)| {
        let is_fence = line.trim_start().starts_with("```");
        in_code ^= is_fence;
        !in_code && !is_fence
    })
}

fn is_broken(tree: &Tree, document: &File, target: &str) -> bool {
    let path = target.split('#').next().unwrap_or_default();
    if path.is_empty() || target.contains("://") || target.starts_with("mailto:") {
        return false;
    }
    let folder = Path::new(&document.path).parent().unwrap_or(Path::new(""));
    let Some(path) = normalized(&folder.join(path)) else { return true };
    path.as_os_str() != "" && !tree.files.iter().any(|file| Path::new(&file.path).starts_with(&path))
}

/// Without `.` and `..`; nothing where it leads out of the workspace.
fn normalized(path: &Path) -> Option<PathBuf> {
    let mut normalized = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => normalized.push(name),
            Component::ParentDir if normalized.pop() => {}
            Component::CurDir => {}
            _ => return None,
        }
    }
    Some(normalized)
}

#[cfg(test)]
mod tests {
    use super::super::tree::samples::files;
    use super::*;

    #[test]
    fn a_link_to_nothing_is_found_outside_code_only() {
        let text = "[a](../README.md) [b](adr/) [c](missing.md#part) [d](https://example.org/x) [e](#f)\n\
                    ```\n[g](gone.md)\n```\n[h](../../outside.md)\n";
        let tree = files(&[("README.md", ""), ("docs/X.md", text), ("docs/adr/0001.md", "")]);
        let found: Vec<String> = links(&tree).iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            ["docs/X.md:1: missing.md#part does not exist", "docs/X.md:5: ../../outside.md does not exist"]
        );
    }
}
