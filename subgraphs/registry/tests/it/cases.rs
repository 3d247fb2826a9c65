//! Every kind of change, checked by the registry, for an operation that uses what changes and for one that does not.

#[path = "../../../../schema/tests/it/changes/inputs.rs"]
mod inputs;
#[path = "../../../../schema/tests/it/changes/outputs.rs"]
mod outputs;
#[path = "../../../../schema/tests/it/changes/rest.rs"]
mod rest;

use serde_json::{Value, json};

use crate::stage::Stage;

/// A change of one schema into another, as the tests of the comparison have them.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) old: &'static str,
    pub(crate) new: &'static str,
    pub(crate) used: &'static str,
    pub(crate) unused: &'static str,
    pub(crate) changes: &'static [&'static str],
}

/// Schemas of the comparison that are supergraphs, or need more than one subgraph.
const OF_SUPERGRAPHS: &[&str] =
    &["a subgraph loses a key", "a subgraph gets a key", "a field becomes inaccessible"];

/// These as schemas of subgraphs.
const OF_SUBGRAPHS: &[Case] = &[
    Case {
        name: "a subgraph loses a key",
        old: "type Query { a: Int u: U } type U @key(fields: \"id\") @key(fields: \"mail\") { id: ID mail: ID }",
        new: "type Query { a: Int u: U } type U @key(fields: \"id\") { id: ID mail: ID }",
        used: "{ u { id } }",
        unused: "{ a }",
        changes: &["dangerous KEY_REMOVED U"],
    },
    Case {
        name: "a subgraph gets a key",
        old: "type Query { a: Int u: U } type U @key(fields: \"id\") { id: ID mail: ID }",
        new: "type Query { a: Int u: U } type U @key(fields: \"id\") @key(fields: \"mail\") { id: ID mail: ID }",
        used: "{ u { id } }",
        unused: "{ a }",
        changes: &["safe KEY_ADDED U"],
    },
    Case {
        name: "a field becomes inaccessible",
        old: "type Query { a: Int b: Int }",
        new: "extend schema @link(url: \"https://specs.apollo.dev/federation/v2.5\", import: [\"@inaccessible\"]) type Query { a: Int b: Int @inaccessible }",
        used: "{ b }",
        unused: "{ a }",
        changes: &["breaking FIELD_REMOVED Query.b"],
    },
];

/// What a check says of the change that a case is about.
fn judged<'a>(check: &'a Value, change: &str) -> &'a str {
    let mut words = change.split(' ').skip(1);
    let (code, coordinate) = (json!(words.next()), json!(words.next()));
    let changes = check["changes"].as_array().unwrap();
    let found = changes.iter().find(|one| one["code"] == code && one["coordinate"] == coordinate);
    found.map_or("none", |found| found["criticality"].as_str().unwrap())
}

#[tokio::test]
async fn every_change_is_judged_by_its_use() {
    let stage = Stage::new().await;
    let cases = [outputs::CASES, inputs::CASES, rest::CASES, OF_SUBGRAPHS].into_iter();
    let cases = cases.enumerate().flat_map(|(list, cases)| cases.iter().map(move |case| (list, case)));
    let (mut tried, mut wrong) = (0, Vec::new());
    for (list, case) in cases.filter(|(list, case)| *list == 3 || !OF_SUPERGRAPHS.contains(&case.name)) {
        tried += 1;
        for (operation, is_used) in [(case.used, true), (case.unused, false)] {
            // Each in a subgraph of an environment of its own; few environments, many subgraphs would share roots.
            let environment = format!("e{}", tried % 20);
            let variant = format!("{list}-{tried}-{is_used}");
            let told = one(&stage, (&environment, &variant), case, operation).await;
            let expected = case.changes[0].split(' ').next().unwrap().to_uppercase();
            let expected = if is_used { expected.as_str() } else { "SAFE" };
            if told != expected {
                wrong.push(format!("{} (used: {is_used}): {told} instead of {expected}", case.name));
            }
            stage.forget_usage().await;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(tried >= 60, "{tried}");
}

async fn one(stage: &Stage, (environment, variant): (&str, &str), case: &Case, operation: &str) -> String {
    let publish = json!({ "environment": environment, "variant": variant, "subgraph": "s", "sdl": case.old });
    let published = stage.publish_input(&stage.admin, publish).await;
    if published["isPublished"] != true {
        return format!("not published: {}", published["composition"]["findings"]);
    }
    let ask = "query ($e: String!, $v: String!) { schemaVariant(environment: $e, name: $v) { current { supergraph } } }";
    let data = stage.data(&stage.admin, ask, json!({ "e": environment, "v": variant })).await;
    let supergraph = data["schemaVariant"]["current"]["supergraph"].as_str().unwrap();
    stage.use_of(environment, supergraph, operation).await;
    let document = "mutation ($input: CheckSubgraphInput!) { checkSubgraph(input: $input) { check { verdict
        changes { code criticality coordinate } findings { code message } } } }";
    let input = json!({ "environment": environment, "variant": variant, "subgraph": "s", "sdl": case.new });
    let data = stage.data(&stage.admin, document, json!({ "input": input })).await;
    let check = &data["checkSubgraph"]["check"];
    match judged(check, case.changes[0]) {
        "none" => format!("{check}"),
        told => told.to_owned(),
    }
}
