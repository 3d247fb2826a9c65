//! What the comments of a TOML text say about its settings.

use std::collections::BTreeMap;

/// The comment above each section and setting, by its path.
pub(super) fn comments(toml: &str) -> BTreeMap<Vec<String>, String> {
    let mut found = BTreeMap::new();
    let mut section: Vec<String> = Vec::new();
    let mut comment: Vec<&str> = Vec::new();
    for line in toml.lines().map(str::trim) {
        if let Some(text) = line.strip_prefix('#') {
            comment.push(text.trim());
            continue;
        }
        let name = |text: &str| text.trim().trim_matches('"').to_owned();
        let path = if let Some(inner) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            section = inner.split('.').map(name).collect();
            Some(section.clone())
        } else {
            line.split_once('=').map(|(key, _)| section.iter().cloned().chain([name(key)]).collect())
        };
        if let Some(path) = path
            && !comment.is_empty()
        {
            found.insert(path, comment.join(" "));
        }
        comment.clear();
    }
    found
}
