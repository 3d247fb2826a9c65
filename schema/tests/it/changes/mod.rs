//! What a change of a schema does, to clients that use what it concerns and to those that do not.

mod inputs;
mod outputs;
mod rest;

use pulse_schema::{ApiSchema, Usage, diff, operation_coordinates, verdicts};

/// A change of one schema into another.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) old: &'static str,
    pub(crate) new: &'static str,
    /// An operation that uses what changes, and one that does not; both valid in the old schema.
    pub(crate) used: &'static str,
    pub(crate) unused: &'static str,
    /// What `diff` says, each as `criticality CODE coordinate`; the first is what is judged.
    pub(crate) changes: &'static [&'static str],
}

fn cases() -> impl Iterator<Item = &'static Case> {
    [outputs::CASES, inputs::CASES, rest::CASES].into_iter().flatten()
}

fn usage(schema: &ApiSchema, operation: &str) -> Usage {
    let mut usage = Usage::default();
    usage.record("the operation", operation_coordinates(schema, operation, None, None).unwrap());
    usage
}

#[test]
fn every_change_is_found_and_judged_by_its_use() {
    for case in cases() {
        let [old, new] = [case.old, case.new]
            .map(|sdl| ApiSchema::read(sdl).unwrap_or_else(|report| panic!("{}: {report:?}", case.name)));
        let changes = diff(&old, &new);
        let found: Vec<String> = changes
            .iter()
            .map(|change| format!("{} {} {}", change.criticality, change.code, change.coordinate))
            .collect();
        assert_eq!(found, case.changes, "{}", case.name);
        let expected = case.changes[0].split(' ').next().unwrap();
        let used = &verdicts(changes.clone(), &usage(&old, case.used))[0];
        assert_eq!(used.criticality.as_str(), expected, "{}, used", case.name);
        let notices: &[&str] = if expected == "safe" { &[] } else { &["the operation"] };
        assert_eq!(used.operations, notices, "{}, used", case.name);
        let unused = &verdicts(changes, &usage(&old, case.unused))[0];
        assert_eq!(unused.criticality.as_str(), "safe", "{}, unused", case.name);
        assert!(unused.operations.is_empty(), "{}, unused", case.name);
        assert_eq!(diff(&old, &old), [], "{}", case.name);
    }
}

#[test]
fn there_are_at_least_sixty_changes_and_every_code_is_among_them() {
    assert!(cases().count() >= 60, "{}", cases().count());
    for code in pulse_schema::ChangeCode::ALL {
        let is_shown = cases()
            .flat_map(|case| case.changes)
            .any(|change| change.split(' ').nth(1) == Some(code.as_str()));
        assert!(is_shown, "no case shows {code}");
    }
}
