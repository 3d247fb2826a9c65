//! For people.

use std::fmt::Write as _;

use super::Report;

/// More operations than this are counted, not named.
const NAMED: usize = 5;

pub(super) fn print(report: &Report) -> String {
    let mut out = String::new();
    for finding in &report.findings {
        let _ = write!(out, "{}[{}]", finding.word, finding.code);
        if !finding.coordinate.is_empty() {
            let _ = write!(out, " {}", finding.coordinate);
        }
        let _ = writeln!(out, ": {}", finding.message);
        for location in finding.locations.iter().filter(|location| location.line > 0) {
            let _ = writeln!(out, "  at {}:{}:{}", location.file.display(), location.line, location.column);
        }
        for operation in finding.operations.iter().take(NAMED) {
            let _ = writeln!(out, "  used by {operation}");
        }
        if finding.operations.len() > NAMED {
            let _ = writeln!(out, "  and by {} more operations", finding.operations.len() - NAMED);
        }
        if !finding.help.is_empty() {
            let _ = writeln!(out, "  help: {}", finding.help);
        }
    }
    out
}
