//! What a registry has found, as reports show it.

use std::borrow::Cow;
use std::path::Path;

use pulse_schema::{ChangeCode, LintRule};
use serde_json::Value;

use crate::commands::schema::report::{Finding, Level, Location};

/// Changes with those who notice them, then what composition and the rules of style say. `changed` is the subgraph and its file.
pub(super) fn of_check(check: &Value, changed: (&str, &Path)) -> Vec<Finding> {
    let judged = list(&check["changes"]).map(|change| of_change(change, changed.1));
    judged.chain(of_composition(check, changed)).collect()
}

/// What composition and the rules of style say.
pub(super) fn of_composition(composition: &Value, changed: (&str, &Path)) -> Vec<Finding> {
    list(&composition["findings"]).map(|finding| of_finding(finding, changed)).collect()
}

fn of_change(change: &Value, file: &Path) -> Finding {
    let overridden = change["overrideReason"].as_str();
    let (level, word) = match (change["criticality"].as_str().unwrap_or_default(), overridden) {
        ("BREAKING", None) => (Level::Error, "breaking"),
        ("BREAKING", Some(_)) => (Level::Warning, "overridden"),
        ("DANGEROUS", _) => (Level::Warning, "dangerous"),
        _ => (Level::Note, "safe"),
    };
    let code = text(change, "code");
    let known = ChangeCode::ALL.iter().find(|known| known.as_str() == code);
    let mut message = text(change, "message");
    if let Some(reason) = overridden {
        message = format!("{message} (let through: {reason})");
    }
    let help = match level {
        Level::Error => "keep what is there, deprecate it, and remove it when nobody uses it".to_owned(),
        _ => String::new(),
    };
    let users = list(&change["users"]).map(of_user);
    let surfaces = list(&change["surfaces"]).map(|surface| text(surface, "name"));
    // Nobody is hurt where nobody notices, whatever would.
    let surfaces: Vec<String> = if level == Level::Note { Vec::new() } else { surfaces.collect() };
    Finding {
        level,
        word,
        meaning: known.map_or_else(|| Cow::Owned(code.clone()), |known| Cow::Borrowed(known.meaning())),
        code: Cow::Owned(code),
        coordinate: text(change, "coordinate"),
        message,
        help,
        operations: users.chain(surfaces).collect(),
        locations: vec![Location { file: file.to_owned(), line: 0, column: 0 }],
    }
}

fn of_user(user: &Value) -> String {
    let named = |value: String, instead: &str| if value.is_empty() { instead.to_owned() } else { value };
    let operation = named(text(user, "operationName"), "an operation without a name");
    let client = named(text(user, "clientName"), "a client without a name");
    let version = text(user, "clientVersion");
    let space = if version.is_empty() { "" } else { " " };
    let requests = user["requests"].as_i64().unwrap_or_default();
    let how = if user["isDeclared"] == true {
        "in its manifest".to_owned()
    } else {
        format!("{requests} requests")
    };
    format!("{operation} of {client}{space}{version} ({how})")
}

fn of_finding(finding: &Value, (subgraph, file): (&str, &Path)) -> Finding {
    let (level, word) =
        if finding["severity"] == "ERROR" { (Level::Error, "error") } else { (Level::Warning, "warning") };
    let code = text(finding, "code");
    let rule = LintRule::ALL.iter().find(|rule| rule.as_str() == code);
    let here = list(&finding["places"]).filter(|place| place["subgraph"] == subgraph);
    let number = |place: &Value, name: &str| {
        place[name].as_u64().and_then(|number| usize::try_from(number).ok()).unwrap_or_default()
    };
    let locations = here.map(|place| Location {
        file: file.to_owned(),
        line: number(place, "line"),
        column: number(place, "column"),
    });
    Finding {
        level,
        word,
        meaning: rule.map_or_else(|| Cow::Owned(code.clone()), |rule| Cow::Borrowed(rule.meaning())),
        code: Cow::Owned(code),
        coordinate: text(finding, "coordinate"),
        message: text(finding, "message"),
        help: text(finding, "help"),
        operations: Vec::new(),
        locations: locations.collect(),
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}
