//! Rules about what stands in files.

use std::sync::LazyLock;

use regex::Regex;

use super::Finding;
use super::tree::{File, Tree};

/// A pattern that may stand in no file of some kind, and what to do instead.
struct Ban {
    pattern: Regex,
    extensions: &'static [&'static str],
    advice: &'static str,
}

/// An empty list of extensions means every text file.
const EVERY_FILE: &[&str] = &[];
/// Cargo writes where crates come from, data say what they say, and these checks' own samples must be bad.
const EXEMPT: [&str; 4] = ["Cargo.lock", "fuzz/Cargo.lock", "demo/", "xtask/src/tidy/"];

fn ban(pattern: &str, extensions: &'static [&'static str], advice: &'static str) -> Ban {
    Ban { pattern: Regex::new(pattern).expect("a valid pattern"), extensions, advice }
}

static ANYWHERE: LazyLock<Vec<Ban>> = LazyLock::new(|| {
    let registries = r"\b(pypi\.org|pythonhosted\.org|crates\.io|npmjs\.org|proxy\.golang\.org|(repo1?\.)?maven\.(org|apache\.org)|deb\.debian\.org)\b";
    vec![
        ban(r"#\[ignore", &["rs"], "a test runs or is deleted"),
        ban(r"\b(todo|unimplemented|dbg)!", &["rs"], "finish it"),
        ban(
            r#"(^|[\s"'`(=:])/(home|root|Users|work)/"#,
            EVERY_FILE,
            "a path of one machine: make it relative",
        ),
        ban(registries, EVERY_FILE, "a registry's host: the machine's settings know it"),
    ]
});

static IN_SUBGRAPHS: LazyLock<Vec<Ban>> = LazyLock::new(|| {
    let advice = "use `pulse_graphql::Error`: this one shows a driver's message to clients";
    vec![
        ban(r"\basync_graphql::(Result|Error|FieldResult|FieldError)\b", &["rs"], advice),
        ban(r"\buse async_graphql::\{[^}]*\b(Result|Error|FieldResult|FieldError)\b", &["rs"], advice),
        ban(r"\bError::new\(", &["rs"], advice),
    ]
});

static SLEEP: LazyLock<Ban> =
    LazyLock::new(|| ban(r"\bsleep(_until)?\(", &["rs"], "a test waits for what it tests, not for time"));

/// What stands nowhere.
pub(super) fn banned_text(tree: &Tree) -> Vec<Finding> {
    let files = tree.files.iter().filter(|file| !EXEMPT.iter().any(|exempt| file.path.starts_with(exempt)));
    files.flat_map(|file| ANYWHERE.iter().flat_map(|ban| find(ban, file, 0))).collect()
}

/// What stands in no subgraph: errors that leak, and SQL in resolvers.
pub(super) fn banned_in_subgraphs(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let sql = ban(r"\bsqlx::query", &["rs"], "resolvers translate: SQL lives in repo.rs");
    for file in tree.files_below("subgraphs") {
        findings.extend(IN_SUBGRAPHS.iter().flat_map(|ban| find(ban, file, 0)));
        if file.path.contains("/src/graphql/") {
            findings.extend(find(&sql, file, 0));
        }
    }
    findings
}

/// No test sleeps, be it in a `tests` folder or in a module of its own at the end of a file.
pub(super) fn sleeps_in_tests(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files.iter().filter(|file| !file.path.starts_with("xtask/src/tidy/")) {
        let start = if file.path.starts_with("tests/") || file.path.contains("/tests/") {
            Some(0)
        } else {
            file.text.find("#[cfg(test)]")
        };
        findings.extend(start.into_iter().flat_map(|start| find(&SLEEP, file, start)));
    }
    findings
}

fn find(ban: &Ban, file: &File, start: usize) -> Vec<Finding> {
    if !ban.extensions.is_empty() && !ban.extensions.contains(&file.extension()) {
        return Vec::new();
    }
    let hits = ban.pattern.find_iter(&file.text[start..]);
    hits.map(|hit| {
        let line = file.text[..start + hit.end()].lines().count();
        let text = hit.as_str().split_whitespace().collect::<Vec<_>>().join(" ");
        Finding::at(&file.path, line, format!("`{text}`: {}", ban.advice))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::super::tree::samples::files;
    use super::*;

    fn found(check: fn(&Tree) -> Vec<Finding>, samples: &[(&str, &str)]) -> Vec<String> {
        check(&files(samples))
            .iter()
            .map(|finding| format!("{}:{}", finding.path, finding.line.unwrap()))
            .collect()
    }

    #[test]
    fn unfinished_code_machine_paths_and_registries_are_found() {
        let samples = [
            ("a.rs", "fn a() {\n    todo!()\n}\n#[ignore = \"slow\"]\n"),
            ("b.md", "See /home/me/notes, https://example.org/home/x and\nhttps://pypi.org/simple\n"),
            ("Cargo.lock", "source = \"registry+https://github.com/rust-lang/crates.io-index\"\n"),
        ];
        assert_eq!(found(banned_text, &samples), ["a.rs:4", "a.rs:2", "b.md:1", "b.md:2"]);
    }

    #[test]
    fn leaking_errors_and_sql_in_resolvers_are_found_in_subgraphs_only() {
        let bad = "use async_graphql::{\n    Context, Result,\n};\nlet e = Error::new(x);\nsqlx::query(y);\n";
        let samples = [
            ("subgraphs/a/src/graphql/user.rs", bad),
            ("subgraphs/a/src/user/repo.rs", "sqlx::query(y); StoreError::new(x);\n"),
            ("crates/graphql/src/lib.rs", bad),
        ];
        let path = "subgraphs/a/src/graphql/user.rs";
        assert_eq!(
            found(banned_in_subgraphs, &samples),
            [format!("{path}:2"), format!("{path}:4"), format!("{path}:5")]
        );
    }

    #[test]
    fn sleeping_is_found_in_tests_only() {
        let sleep = "tokio::time::sleep(second).await;\n";
        let module = format!("{sleep}#[cfg(test)]\nmod tests {{\n    {sleep}}}\n");
        let samples = [("a/src/x.rs", module.as_str()), ("a/tests/it/y.rs", sleep), ("a/src/z.rs", sleep)];
        assert_eq!(found(sleeps_in_tests, &samples), ["a/src/x.rs:4", "a/tests/it/y.rs:1"]);
    }
}
