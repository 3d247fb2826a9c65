//! For programs.

use serde_json::{Map, Value, json};

use super::{Finding, Level, Report};

pub(super) fn print(report: &Report) -> String {
    let mut object = Map::new();
    object.insert("ok".to_owned(), (report.count(Level::Error) == 0).into());
    object.insert("errors".to_owned(), report.count(Level::Error).into());
    object.insert("warnings".to_owned(), report.count(Level::Warning).into());
    object.insert("findings".to_owned(), report.findings.iter().map(finding).collect());
    if let Some(supergraph) = &report.supergraph {
        object.insert("supergraph".to_owned(), supergraph.clone().into());
    }
    format!("{:#}\n", Value::Object(object))
}

fn finding(finding: &Finding) -> Value {
    let locations: Vec<Value> = finding
        .locations
        .iter()
        .map(|at| json!({ "file": at.file.to_string_lossy(), "line": at.line, "column": at.column }))
        .collect();
    json!({
        "level": match finding.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Note => "note",
        },
        "kind": finding.word,
        "code": finding.code,
        "coordinate": finding.coordinate,
        "message": finding.message,
        "help": finding.help,
        "operations": finding.operations,
        "locations": locations,
    })
}
