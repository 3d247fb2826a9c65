//! What operations use, and how long a check of many takes.

use std::{collections::BTreeSet, fmt::Write, time::Instant};

use async_graphql_value::ConstValue;
use pulse_schema::{
    ApiSchema, Criticality, Usage, UsageError, diff, document_operations, operation_coordinates, verdicts,
};

const SCHEMA: &str = "
type Query { users(by: By, first: Int = 10): [User!]! node(id: ID!): Node }
type Mutation { rename(input: Rename!): User }
interface Node { id: ID! }
type User implements Node { id: ID! name: String status: Status friends(first: Int): [User] }
type Team implements Node { id: ID! members: [User] }
enum Status { ACTIVE GONE }
input By { name: String status: Status not: By since: Date }
input Rename { id: ID! name: String! }
scalar Date
directive @trace(level: Status) on FIELD
";

fn used(document: &str, operation: Option<&str>, variables: Option<&str>) -> Vec<String> {
    let schema = ApiSchema::read(SCHEMA).unwrap();
    let variables = variables.map(|json| serde_json::from_str::<ConstValue>(json).unwrap());
    let found = operation_coordinates(&schema, document, operation, variables.as_ref()).unwrap();
    found.into_iter().collect()
}

#[test]
fn fields_arguments_types_and_literal_values_are_used() {
    assert_eq!(
        used("{ users(by: { status: GONE, not: { name: \"x\" } }) { name } }", None, None),
        [
            "By",
            "By.name",
            "By.not",
            "By.status",
            "Query",
            "Query.users",
            "Query.users(by:)",
            "Status",
            "Status.GONE",
            "User",
            "User.name"
        ]
    );
}

#[test]
fn fragments_are_used_on_the_types_that_they_name() {
    let document = "query A { node(id: 1) { ...F ... on Team { members { id } } } } fragment F on User { friends(first: 1) { ...F } }";
    assert_eq!(
        used(document, Some("A"), None),
        [
            "Node",
            "Query",
            "Query.node",
            "Query.node(id:)",
            "Team",
            "Team.members",
            "User",
            "User.friends",
            "User.friends(first:)",
            "User.id"
        ]
    );
}

#[test]
fn a_variable_may_hold_anything_unless_its_values_are_known() {
    let document = "query($by: By) { users(by: $by) { id } }";
    let anything = used(document, None, None);
    for coordinate in ["By.name", "By.not", "By.since", "Date", "Status.ACTIVE", "Status.GONE"] {
        assert!(anything.iter().any(|used| used == coordinate), "{coordinate}: {anything:?}");
    }
    assert_eq!(
        used(document, None, Some(r#"{ "by": { "status": "GONE", "not": { "name": null } } }"#)),
        [
            "By",
            "By.name",
            "By.not",
            "By.status",
            "Query",
            "Query.users",
            "Query.users(by:)",
            "Status",
            "Status.GONE",
            "User",
            "User.id"
        ]
    );
    assert_eq!(
        used(document, None, Some("{}")),
        ["By", "Query", "Query.users", "Query.users(by:)", "User", "User.id"]
    );
}

#[test]
fn directives_of_the_operation_are_used() {
    let document = "query($yes: Boolean!) { users @include(if: $yes) @trace(level: GONE) { __typename } }";
    let used = used(document, None, None);
    for coordinate in ["@include", "@include(if:)", "@trace", "@trace(level:)", "Status.GONE", "Query.users"]
    {
        assert!(used.iter().any(|used| used == coordinate), "{coordinate}: {used:?}");
    }
}

#[test]
fn an_operation_that_is_not_there_is_refused() {
    let schema = ApiSchema::read(SCHEMA).unwrap();
    let deep = "{ a ".repeat(100_000);
    let read = |document, name| operation_coordinates(&schema, document, name, None);
    assert_eq!(read("query A { users { id } }", Some("B")), Err(UsageError::NoOperation));
    assert_eq!(read("query A { users { id } } query B { users { id } }", None), Err(UsageError::NoOperation));
    assert!(matches!(read("{ users", None), Err(UsageError::Syntax(_))));
    assert!(matches!(read(&deep, None), Err(UsageError::Syntax(_))));
    // What the schema does not know, nobody can use.
    assert_eq!(read("{ nothing { at all } }", None), Ok(BTreeSet::from(["Query".to_owned()])));
    let names = document_operations("query A { a } query B { b }").unwrap();
    assert_eq!(names, [Some("A".to_owned()), Some("B".to_owned())]);
}

/// A schema of many types in a chain, each with fields, an enum and an input.
fn large(types: usize, leave_out: &str) -> String {
    let mut sdl = String::from("type Query {\n");
    for index in 0..types {
        let _ = writeln!(sdl, "  t{index}(by: In{index}): T{index}");
    }
    sdl += "}\n";
    for index in 0..types {
        let next = (index + 1) % types;
        let _ = writeln!(
            sdl,
            "type T{index} {{ id: ID! name: String size(unit: E{index}): Int next: T{next} old: Int }}"
        );
        let _ = writeln!(sdl, "enum E{index} {{ A B C }} input In{index} {{ a: Int b: E{index} }}");
    }
    sdl.replace(leave_out, "")
}

/// The target is two seconds in the release profile; a loaded machine and a debug build may take longer.
#[test]
fn a_check_of_five_hundred_types_and_ten_thousand_operations_names_the_users() {
    let texts = [large(170, "?"), large(170, " old: Int")];
    let documents: Vec<String> = (0..10_000)
        .map(|index| {
            let (at, next) = (index % 170, (index + 1) % 170);
            let last = if index % 100 == 0 { "old" } else { "name" };
            format!("query Q{index}($by: In{at}) {{ t{at}(by: $by) {{ id name size(unit: B) next {{ id next {{ {last} }} }} }} t{next} {{ name }} }}")
        })
        .collect();
    let started = Instant::now();
    let [old, new] = texts.map(|text| ApiSchema::read(&text).unwrap());
    let mut usage = Usage::default();
    for (index, document) in documents.iter().enumerate() {
        let name = format!("Q{index}");
        let coordinates = operation_coordinates(&old, document, Some(&name), None).unwrap();
        usage.record(name, coordinates);
    }
    let recorded = started.elapsed();
    let judged = verdicts(diff(&old, &new), &usage);
    println!(
        "{} types, {} operations: {:?}, of which {recorded:?} to read the operations",
        170 * 3 + 1,
        usage.len(),
        started.elapsed()
    );
    assert_eq!(judged.len(), 170);
    let breaking = judged.iter().filter(|verdict| verdict.criticality == Criticality::Breaking);
    assert_eq!(breaking.map(|verdict| verdict.operations.len()).sum::<usize>(), 100);
}
