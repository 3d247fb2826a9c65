//! SARIF 2.1.0, for code scanning.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Finding, Level, Location, Report};

pub(super) fn print(report: &Report) -> String {
    let codes: BTreeMap<&str, &str> =
        report.findings.iter().map(|finding| (&*finding.code, &*finding.meaning)).collect();
    let rules: Vec<Value> = codes
        .iter()
        .map(|(code, meaning)| json!({ "id": code, "shortDescription": { "text": meaning } }))
        .collect();
    let results: Vec<Value> = report.findings.iter().map(result).collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "pulse schema", "version": env!("CARGO_PKG_VERSION"), "rules": rules } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{log:#}\n")
}

fn result(finding: &Finding) -> Value {
    let mut text = format!("{}: {}", finding.coordinate, finding.message);
    if !finding.help.is_empty() {
        text = format!("{text}\nhelp: {}", finding.help);
    }
    let level = match finding.level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "note",
    };
    let mut locations: Vec<Value> =
        finding.locations.iter().map(|at| location(at, &finding.coordinate)).collect();
    // A result belongs somewhere, if only to what it speaks of.
    if locations.is_empty() {
        locations.push(json!({ "logicalLocations": [{ "fullyQualifiedName": finding.coordinate }] }));
    }
    json!({
        "ruleId": finding.code,
        "level": level,
        "message": { "text": text },
        "locations": locations,
        "properties": { "operations": finding.operations },
    })
}

fn location(at: &Location, coordinate: &str) -> Value {
    let uri = at.file.to_string_lossy().replace('\\', "/");
    let mut physical = json!({ "artifactLocation": { "uri": uri } });
    if at.line > 0 {
        physical["region"] = json!({ "startLine": at.line, "startColumn": at.column.max(1) });
    }
    json!({
        "physicalLocation": physical,
        "logicalLocations": [{ "fullyQualifiedName": coordinate }],
    })
}
