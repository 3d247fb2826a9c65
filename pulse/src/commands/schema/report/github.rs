//! Annotations of GitHub Actions.

use std::fmt::Write as _;

use super::{Level, Report};

pub(super) fn print(report: &Report) -> String {
    let mut out = String::new();
    for finding in &report.findings {
        let command = match finding.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Note => "notice",
        };
        let mut properties = Vec::new();
        if let Some(at) = finding.locations.first() {
            properties.push(format!("file={}", property(&at.file.to_string_lossy())));
            if at.line > 0 {
                properties.push(format!("line={},col={}", at.line, at.column));
            }
        }
        properties.push(format!("title={}", property(&format!("{} {}", finding.code, finding.coordinate))));
        let mut message = finding.message.clone();
        for operation in &finding.operations {
            let _ = write!(message, "\nused by {operation}");
        }
        if !finding.help.is_empty() {
            let _ = write!(message, "\nhelp: {}", finding.help);
        }
        let _ = writeln!(out, "::{command} {}::{}", properties.join(","), data(&message));
    }
    out
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
