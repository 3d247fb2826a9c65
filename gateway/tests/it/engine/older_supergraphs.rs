//! Supergraphs of older compositions: what of them is refused, and why.

use pulse_gateway::engine::{Engine, EngineConfig};
use pulse_gateway::ports::SupergraphSdl;

/// A Federation 1 supergraph of two subgraphs.
const SUPERGRAPH: &str = r#"
schema
  @core(feature: "https://specs.apollo.dev/core/v0.1"),
  @core(feature: "https://specs.apollo.dev/join/v0.1")
{ query: Query }
enum join__Graph { A @join__graph(name: "a" url: "http://a") B @join__graph(name: "b" url: "http://b") }
type Query { a: User @join__field(graph: A) b: Int @join__field(graph: B) }
type User @join__owner(graph: A) @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
  id: ID! @join__field(graph: A)
  name: String @join__field(graph: B)
}
"#;

/// Why a changed supergraph is refused. The one that is not lacks subgraphs alone.
fn refusal(from: &str, to: &str) -> String {
    assert!(SUPERGRAPH.contains(from));
    let sdl = SupergraphSdl { sdl: SUPERGRAPH.replace(from, to), version: "test".into() };
    let loaded = Engine::load(&sdl, Vec::new(), &EngineConfig::default());
    loaded.map(|_| "nothing").unwrap_err().to_string()
}

#[test]
fn a_federation_1_supergraph_is_read() {
    insta::assert_snapshot!(refusal("type", "type"), @r"the supergraph needs the subgraph `a`, but nothing is served: add it, or compose without it");
    insta::assert_snapshot!(refusal("join/v0.1\")", "join/v0.1\") @core(feature: \"https://specs.apollo.dev/tag/v0.1\")"), @r"the supergraph needs the subgraph `a`, but nothing is served: add it, or compose without it");
    insta::assert_snapshot!(refusal("core/v0.1", "core/v0.2"), @r"the supergraph needs the subgraph `a`, but nothing is served: add it, or compose without it");
}

#[test]
fn a_feature_that_is_demanded_and_unknown_is_refused() {
    let with = |feature: &str| refusal("join/v0.1\")", &format!("join/v0.1\") @core({feature})"));
    insta::assert_snapshot!(with(r#"feature: "https://example.com/vault/v1.2", for: SECURITY"#), @r"the supergraph cannot be served: it demands the feature https://example.com/vault/v1.2 for SECURITY, which this gateway does not know; compose the subgraphs by Federation 2, or by Federation 1 without it");
    insta::assert_snapshot!(with(r#"feature: "https://example.com/vault/v1.2""#), @r"the supergraph needs the subgraph `a`, but nothing is served: add it, or compose without it");
}

#[test]
fn versions_and_names_that_nobody_knows_are_refused() {
    insta::assert_snapshot!(refusal("core/v0.1", "core/v1.0"), @r"the supergraph cannot be served: it is written in https://specs.apollo.dev/core/v1.0, which this gateway does not know; compose it in join v0.1 or newer by core v0.1, v0.2 or @link");
    insta::assert_snapshot!(refusal("join/v0.1", "join/v2.0"), @r"the supergraph cannot be served: it is written in https://specs.apollo.dev/join/v2.0, which this gateway does not know; compose it in join v0.1 or newer by core v0.1, v0.2 or @link");
    insta::assert_snapshot!(refusal("join/v0.1\"", "join/v0.1\", as: \"j\""), @r"the supergraph cannot be served: it calls the feature https://specs.apollo.dev/join/v0.1 `j`; leave out `as`");
    insta::assert_snapshot!(refusal("https://specs.apollo.dev/join/v0.1", "https://specs.apollo.dev/tag/v0.1"), @r#"the supergraph cannot be served: its @core directives do not name the join specification; add @core(feature: "https://specs.apollo.dev/join/v0.1")"#);
}

#[test]
fn what_does_not_say_where_it_is_is_refused() {
    insta::assert_snapshot!(refusal("b: Int @join__field(graph: B)", "b: Int"), @r"the supergraph cannot be served: `Query.b` does not say which subgraph answers for it; add @join__field(graph:) to it, or compose the supergraph again");
    insta::assert_snapshot!(refusal("b: Int @join__field(graph: B)", "b: Int @join__field(graph: C)"), @r"the supergraph cannot be served: `Query.b` is of the subgraph `C`, which join__Graph does not list; add it there, or compose the supergraph again");
    insta::assert_snapshot!(refusal("@join__type(graph: B, key: \"id\")", "@join__type(graph: B, key: \"{\")"), @r"the supergraph cannot be served: `User` has a field set that does not parse: `{`; correct it in the subgraph, and compose the supergraph again");
}

#[test]
fn an_owner_answers_for_fields_that_say_nothing() {
    insta::assert_snapshot!(refusal("id: ID! @join__field(graph: A)", "id: ID!"), @r"the supergraph needs the subgraph `a`, but nothing is served: add it, or compose without it");
}
