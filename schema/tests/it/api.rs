use std::fs;

use hive_router_query_planner::{
    planner::{Planner, QueryPlannerOptions},
    utils::parsing::parse_schema,
};
use pulse_schema::{SubgraphSdl, api_schema, compose, satisfiability};

use crate::cases::folders;

fn supergraphs() -> Vec<(String, String)> {
    let read = |folder: &std::path::PathBuf| {
        let text = fs::read_to_string(folder.join("supergraph.graphql")).ok()?;
        Some((folder.display().to_string(), text))
    };
    folders().iter().filter_map(read).collect()
}

fn compose_one(sdl: &str) -> String {
    let subgraph = SubgraphSdl { name: "one".to_owned(), url: None, sdl: sdl.to_owned() };
    compose(&[subgraph]).unwrap().supergraph
}

#[test]
fn planner_loads_every_recorded_supergraph() {
    for (name, supergraph) in supergraphs() {
        let planner =
            Planner::new_from_supergraph(&parse_schema(&supergraph), QueryPlannerOptions::default());
        assert!(planner.is_ok(), "{name}: {}", planner.err().unwrap());
        assert_eq!(satisfiability(&supergraph), [], "{name}");
    }
}

#[test]
fn api_schema_of_every_recorded_supergraph_is_free_of_machinery() {
    for (name, supergraph) in supergraphs() {
        let api = api_schema(&supergraph).unwrap();
        for machinery in ["join__", "link__", "@link", "@inaccessible", "@tag", "@authenticated", "@cost"] {
            assert!(!api.contains(machinery), "{name} shows {machinery}:\n{api}");
        }
        parse_schema(&api);
        assert_eq!(api_schema(&api).unwrap(), api, "{name}");
    }
}

#[test]
fn api_schema_hides_what_is_inaccessible() {
    let supergraph = compose_one(
        r#"
        extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key", "@inaccessible", "@tag"])
        "All there is to ask."
        type Query { user(id: ID!, debug: Boolean @inaccessible): User secret: Secret @inaccessible any: Any }
        type User implements Node & Hidden @key(fields: "id") @tag(name: "x") { id: ID! mail: String @inaccessible old: Int @deprecated(reason: "gone") }
        type Secret @inaccessible { id: ID! }
        interface Node { id: ID! }
        interface Hidden @inaccessible { mail: String }
        union Any = User | Secret
        enum Level { LOW HIGH @inaccessible }
        "#,
    );
    let expected = r#"schema {
  query: Query
}

union Any = User

enum Level {
  LOW
}

interface Node {
  id: ID!
}

"""
All there is to ask.
"""
type Query {
  any: Any
  user(id: ID!): User
}

type User implements Node {
  id: ID!
  old: Int @deprecated(reason: "gone")
}
"#;
    assert_eq!(api_schema(&supergraph).unwrap(), expected);
}

#[test]
fn api_schema_of_no_schema_is_refused() {
    for text in ["", "type Query {", "type User { id: ID! }"] {
        assert!(api_schema(text).is_err(), "{text}");
    }
}

#[test]
fn satisfiability_of_no_supergraph_is_refused() {
    for text in ["", "type User { id: ID! }", "scalar X"] {
        assert!(!satisfiability(text).is_empty(), "{text}");
    }
}

#[test]
fn nothing_composes_to_nothing() {
    let errors = compose(&[]).unwrap_err();
    assert_eq!(errors[0].code.as_str(), "NO_QUERIES");
}

#[test]
fn subgraphs_with_equal_or_unusable_names_are_refused() {
    let subgraph = |name: &str| SubgraphSdl {
        name: name.to_owned(),
        url: None,
        sdl: "type Query { a: Int }".to_owned(),
    };
    let errors = compose(&[subgraph("a"), subgraph("a"), subgraph("-")]).unwrap_err();
    let codes: Vec<_> = errors.iter().map(|error| error.code.as_str()).collect();
    assert_eq!(codes, ["INVALID_SUBGRAPH_NAME", "INVALID_SUBGRAPH_NAME"]);
}
