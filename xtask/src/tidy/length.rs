//! Files stay short enough to be proofread.

use std::collections::BTreeMap;

use super::Finding;
use super::tree::{File, Tree};

const LIMIT: usize = 500;
/// Files that are longer, with their lines. It may only shrink.
const EXCEPTIONS: &str = "xtask/long-files.txt";

/// No file is longer than the limit, and no exception is wider than it must be.
pub(super) fn files(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut exceptions = exceptions(tree, &mut findings);
    let written_by_hand = |extension: &str| matches!(extension, "rs" | "sql" | "py" | "sh");
    for file in tree.files.iter().filter(|file| written_by_hand(file.extension())) {
        let lines = file.text.lines().count();
        match exceptions.remove(file.path.as_str()) {
            None if lines > LIMIT => {
                let message = format!("{lines} lines, the limit is {LIMIT}: split it");
                findings.push(Finding::new(&file.path, message));
            }
            Some(allowed) if lines > allowed => {
                let message = format!("{lines} lines, {EXCEPTIONS} allows {allowed}: it may only shrink");
                findings.push(Finding::new(&file.path, message));
            }
            Some(allowed) if lines <= LIMIT => {
                findings
                    .push(Finding::new(EXCEPTIONS, format!("{} {allowed}: not needed any more", file.path)));
            }
            Some(allowed) if lines < allowed => {
                findings.push(Finding::new(EXCEPTIONS, format!("{} has shrunk: write {lines}", file.path)));
            }
            _ => {}
        }
    }
    let gone = exceptions.keys().map(|path| Finding::new(EXCEPTIONS, format!("{path} does not exist")));
    findings.extend(gone);
    findings
}

/// One `PATH LINES` a line; `#` starts a comment.
fn exceptions<'a>(tree: &'a Tree, findings: &mut Vec<Finding>) -> BTreeMap<&'a str, usize> {
    let mut exceptions = BTreeMap::new();
    for (number, line) in tree.file(EXCEPTIONS).into_iter().flat_map(File::lines) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match line.split_once(' ').map(|(path, lines)| (path, lines.trim().parse())) {
            Some((path, Ok(lines))) => {
                exceptions.insert(path, lines);
            }
            _ => findings.push(Finding::at(EXCEPTIONS, number, "expected a path and a number of lines")),
        }
    }
    exceptions
}

#[cfg(test)]
mod tests {
    use super::super::tree::samples;
    use super::*;

    #[test]
    fn long_files_and_exceptions_that_are_too_wide_are_found() {
        let lines = |count| "x\n".repeat(count);
        let tree = samples::files(&[
            (EXCEPTIONS, "# why\na.rs 600\nb.rs 600\nc.rs 600\nd.rs 600\ngone.rs 501\nnonsense\n"),
            ("a.rs", &lines(600)),
            ("b.rs", &lines(601)),
            ("c.rs", &lines(550)),
            ("d.rs", &lines(500)),
            ("e.rs", &lines(501)),
            ("f.graphql", &lines(900)),
        ]);
        let found: Vec<String> = files(&tree).iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            [
                "xtask/long-files.txt:7: expected a path and a number of lines",
                "b.rs: 601 lines, xtask/long-files.txt allows 600: it may only shrink",
                "xtask/long-files.txt: c.rs has shrunk: write 550",
                "xtask/long-files.txt: d.rs 600: not needed any more",
                "e.rs: 501 lines, the limit is 500: split it",
                "xtask/long-files.txt: gone.rs does not exist",
            ]
        );
    }
}
