//! Contracts: what tags leave of a supergraph.

use pulse_schema::{ContractFilter, SubgraphSdl, api_schema, compose, contract, satisfiability};

fn supergraph(sdl: &str) -> String {
    let link = r#"extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@tag", "@inaccessible"])"#;
    let subgraph = SubgraphSdl { name: "one".to_owned(), url: None, sdl: format!("{link}\n{sdl}") };
    compose(&[subgraph]).unwrap().supergraph
}

fn filter(include: &[&str], exclude: &[&str], hide_unreachable: bool) -> ContractFilter {
    let owned = |tags: &[&str]| tags.iter().map(|tag| (*tag).to_owned()).collect();
    ContractFilter { include: owned(include), exclude: owned(exclude), hide_unreachable }
}

/// The API schema of a contract, without the schema definition; the planner must take the contract.
fn shown(supergraph: &str, filter: &ContractFilter) -> String {
    let contract = contract(supergraph, filter).unwrap();
    assert_eq!(satisfiability(&contract), []);
    let api = api_schema(&contract).unwrap();
    api.split_once("}\n\n").unwrap().1.to_owned()
}

const SHOP: &str = r#"
type Query { products(sort: Sort = NAME, by: By): [Product] @tag(name: "public") stock(id: ID!): Stock any: Any @tag(name: "public") }
type Product implements Node @key(fields: "id") @tag(name: "public") { id: ID! name: String cost: Int @tag(name: "internal") stock: Stock }
type Stock @tag(name: "internal") { count: Int }
type Orphan @tag(name: "public") { n: Int }
interface Node @tag(name: "public") { id: ID! }
union Any = Product | Stock
enum Sort { NAME COST @tag(name: "internal") }
input By { name: String secret: String @tag(name: "internal") }
"#;

#[test]
fn excluded_parts_are_left_out_with_what_needs_them() {
    let expected = "\
union Any = Product

input By {
  name: String
}

interface Node {
  id: ID!
}

type Orphan {
  n: Int
}

type Product implements Node {
  id: ID!
  name: String
}

type Query {
  any: Any
  products(by: By, sort: Sort = NAME): [Product]
}

enum Sort {
  NAME
}
";
    assert_eq!(shown(&supergraph(SHOP), &filter(&[], &["internal"], false)), expected);
}

#[test]
fn included_parts_are_shown_with_the_inputs_that_they_take() {
    let api = shown(&supergraph(SHOP), &filter(&["public"], &[], true));
    for shown in ["products(by: By, sort: Sort = NAME): [Product]", "any: Any", "secret: String", "cost: Int"]
    {
        assert!(api.contains(shown), "{shown}:\n{api}");
    }
    for hidden in ["stock(id: ID!)", "type Stock", "type Orphan", "stock: Stock"] {
        assert!(!api.contains(hidden), "{hidden}:\n{api}");
    }
}

#[test]
fn excluding_wins_over_including() {
    let api = shown(&supergraph(SHOP), &filter(&["public", "internal"], &["internal"], false));
    assert!(api.contains("name: String") && !api.contains("cost: Int"), "{api}");
}

#[test]
fn unreachable_types_are_left_out_only_when_asked() {
    let sdl = "type Query { a: A } type A { n: Int } type Lost { l: Left } type Left { n: Int } input In { n: Int } scalar S";
    let all = shown(&supergraph(sdl), &filter(&[], &["x"], false));
    assert!(all.contains("type Lost") && all.contains("scalar S"), "{all}");
    let reached = shown(&supergraph(sdl), &filter(&[], &[], true));
    assert_eq!(reached, "type A {\n  n: Int\n}\n\ntype Query {\n  a: A\n}\n");
}

#[test]
fn what_must_be_given_and_cannot_be_takes_the_field_with_it() {
    let sdl = r#"
    type Query { a: Int b(in: In!): Int c(e: E = X): Int d(x: Int! @tag(name: "no")): Int i: I }
    input In { x: Int! @tag(name: "no") y: Int }
    enum E { X @tag(name: "no") Y }
    interface I { n(x: Int): Int m: Int }
    type A implements I { n(x: Int @tag(name: "no")): Int m: Int @tag(name: "no") }
    "#;
    let expected = "\
type A implements I {
  n: Int
}

enum E {
  Y
}

interface I {
  n: Int
}

type Query {
  a: Int
  c: Int
  i: I
}
";
    assert_eq!(shown(&supergraph(sdl), &filter(&[], &["no"], false)), expected);
}

#[test]
fn a_contract_of_a_contract_hides_more() {
    let once = contract(&supergraph(SHOP), &filter(&["public"], &[], false)).unwrap();
    let twice = shown(&once, &filter(&[], &["internal"], true));
    assert!(!twice.contains("cost") && twice.contains("name: String"), "{twice}");
    let same = contract(&once, &filter(&["public"], &[], false)).unwrap();
    assert_eq!(once, same);
}

#[test]
fn a_contract_that_leaves_nothing_is_refused() {
    let errors = contract(&supergraph(SHOP), &filter(&["nobody"], &[], false)).unwrap_err();
    assert_eq!(errors[0].code.as_str(), "CONTRACT_REMOVES_EVERYTHING");
    assert!(contract("type Query {", &ContractFilter::default()).is_err());
}

#[test]
fn every_recorded_supergraph_has_contracts_that_the_planner_takes() {
    for folder in crate::cases::folders() {
        let Ok(text) = std::fs::read_to_string(folder.join("supergraph.graphql")) else { continue };
        let whole = contract(&text, &filter(&[], &["no such tag"], false)).unwrap();
        assert_eq!(api_schema(&whole), api_schema(&text), "{}", folder.display());
        let reached = contract(&text, &filter(&[], &[], true)).unwrap();
        assert_eq!(satisfiability(&reached), [], "{}", folder.display());
    }
}
