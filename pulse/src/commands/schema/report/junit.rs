//! JUnit XML: a test case a finding, failed by those that fail the command.

use std::fmt::Write as _;

use super::{Finding, Level, Report};

pub(super) fn print(report: &Report) -> String {
    let failures = report.count(Level::Error);
    let tests = report.findings.len().max(1);
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(out, "<testsuites tests=\"{tests}\" failures=\"{failures}\">");
    let _ = writeln!(out, "  <testsuite name=\"pulse schema\" tests=\"{tests}\" failures=\"{failures}\">");
    if report.findings.is_empty() {
        out += "    <testcase classname=\"schema\" name=\"nothing to complain of\"/>\n";
    }
    for finding in &report.findings {
        test_case(&mut out, finding);
    }
    out + "  </testsuite>\n</testsuites>\n"
}

fn test_case(out: &mut String, finding: &Finding) {
    let name = if finding.coordinate.is_empty() { "schema" } else { &finding.coordinate };
    let _ = write!(out, "    <testcase classname=\"{}\" name=\"{}\"", escape(&finding.code), escape(name));
    if let Some(at) = finding.locations.first() {
        let _ = write!(out, " file=\"{}\" line=\"{}\"", escape(&at.file.to_string_lossy()), at.line);
    }
    out.push_str(">\n");
    let mut detail = finding.message.clone();
    for operation in &finding.operations {
        let _ = write!(detail, "\nused by {operation}");
    }
    if !finding.help.is_empty() {
        let _ = write!(detail, "\nhelp: {}", finding.help);
    }
    let (message, detail) = (escape(&finding.message), escape(&detail));
    let _ = match finding.level {
        Level::Error => {
            writeln!(out, "      <failure message=\"{message}\" type=\"{}\">{detail}</failure>", finding.word)
        }
        _ => writeln!(out, "      <system-out>{}: {detail}</system-out>", finding.word),
    };
    out.push_str("    </testcase>\n");
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            // XML 1.0 has no other control characters.
            '\n' | '\t' => out.push(c),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}
