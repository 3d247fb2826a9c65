//! Costs: estimated from text and variables, counted in the answer.

use pulse_gateway::engine::{CostRules, EngineConfig, Estimate};
use pulse_gateway::value::Value;
use serde_json::{Value as Json, json};

use super::supergraphs::{Blueprint, Platform};

const TYPES: &str = r#"
    directive @cost(weight: String!) on ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | OBJECT | SCALAR
    directive @listSize(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!], requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION
    type Query @join__type(graph: BOOKS) @join__type(graph: REVIEWS) {
      books(first: Int, last: Int): [Book] @join__field(graph: BOOKS) @listSize(slicingArguments: ["first", "last"])
      shelf(page: Page): [Book] @join__field(graph: BOOKS) @listSize(slicingArguments: ["page.first"], requireOneSlicingArgument: false)
      catalogue(first: Int = 4): Catalogue @join__field(graph: BOOKS) @listSize(slicingArguments: ["first"], sizedFields: ["edges", "totals"])
      bestsellers: [Book!]! @join__field(graph: BOOKS) @listSize(assumedSize: 5)
      grid: [[Book]] @join__field(graph: BOOKS)
      anything: [Thing] @join__field(graph: BOOKS) @listSize(assumedSize: 3)
      search(filter: Filter @cost(weight: "3"), text: String @cost(weight: 2)): Book @join__field(graph: BOOKS)
      mood: Mood @join__field(graph: BOOKS)
      report: String @join__field(graph: BOOKS) @cost(weight: "0.5")
    }
    type Mutation @join__type(graph: BOOKS) { addBook(input: NewBook!): Book @join__field(graph: BOOKS) }
    type Catalogue @join__type(graph: BOOKS) { edges: [Edge] totals: [Int] name: String }
    type Edge @join__type(graph: BOOKS) { node: Book cursor: String }
    type Book implements Named
      @join__implements(graph: BOOKS, interface: "Named")
      @join__type(graph: BOOKS, key: "id") @join__type(graph: REVIEWS, key: "id") {
      id: ID!
      name: String @join__field(graph: BOOKS)
      author: Author @join__field(graph: BOOKS)
      reviews(first: Int): [Review] @join__field(graph: REVIEWS) @listSize(slicingArguments: ["first"])
    }
    interface Named @join__type(graph: BOOKS) { name: String }
    type Author implements Named @join__implements(graph: BOOKS, interface: "Named") @join__type(graph: BOOKS)
      @cost(weight: "7") { name: String }
    union Thing @join__type(graph: BOOKS) @join__unionMember(graph: BOOKS, member: "Book") @join__unionMember(graph: BOOKS, member: "Author") = Book | Author
    type Review @join__type(graph: REVIEWS) { body: String stars: Int @cost(weight: 2) }
    enum Mood @join__type(graph: BOOKS) @cost(weight: 4) { GOOD @join__enumValue(graph: BOOKS) }
    input Page @join__type(graph: BOOKS) { first: Int after: String }
    input Filter @join__type(graph: BOOKS) { names: [String!] @cost(weight: 1) inner: Filter }
    input NewBook @join__type(graph: BOOKS) { name: String }
"#;

fn library() -> Platform {
    let review = json!({ "body": "Fine", "stars": 4 });
    let book = |id: &str| json!({ "__typename": "Book", "id": id, "name": "B", "author": { "__typename": "Author", "name": "A" } });
    let books = json!({ "Query": {
        "books": [book("1"), null, book("2")], "bestsellers": [book("1")], "grid": [[book("1"), book("2")], []],
        "catalogue": { "edges": [{ "node": book("1"), "cursor": "c" }], "totals": [1, 2], "name": "all" },
        "anything": [book("1"), { "__typename": "Author", "name": "A" }], "mood": "GOOD", "report": "long",
        "search": null, "shelf": [],
    }, "Mutation": { "addBook": book("3") }, "Book": [book("1"), book("2")] });
    let reviews = json!({ "Query": {}, "Book": [
        { "id": "1", "reviews": [review, review] }, { "id": "2", "reviews": [review] },
    ] });
    let cost = CostRules { counted: true, by_subgraph: true, ..CostRules::default() };
    let config = EngineConfig { cost, ..EngineConfig::default() };
    Blueprint::new(TYPES, vec![("books", books), ("reviews", reviews)]).config(config).build()
}

async fn estimate(platform: &Platform, document: &str, variables: Json) -> Estimate {
    let operation = platform.engine.prepare(document, None).await.unwrap();
    platform.engine.estimate(&operation, Some(&Value::from(&variables))).unwrap()
}

/// The estimate, what falls on each subgraph, and what the answer cost.
async fn costs(document: &str, variables: Json) -> String {
    let platform = library();
    let estimate = estimate(&platform, document, variables.clone()).await;
    let actual = platform.execute(document, variables).await.cost.unwrap();
    let subgraphs: Vec<_> = estimate.subgraphs.iter().map(|(name, cost)| format!("{name} {cost}")).collect();
    format!("estimated {} ({}), actual {actual}", estimate.cost, subgraphs.join(", "))
}

async fn cost(document: &str) -> String {
    costs(document, Json::Null).await
}

#[tokio::test]
async fn objects_cost_one_and_scalars_nothing_unless_the_schema_says_otherwise() {
    insta::assert_snapshot!(cost("{ mood report }").await, @"estimated 4.5 (books 4.5), actual 4.5");
    insta::assert_snapshot!(cost("{ bestsellers { id name author { name } } }").await, @"estimated 40 (books 40), actual 8");
    insta::assert_snapshot!(cost("{ __typename __schema { types { name } } }").await, @"estimated 0 (), actual 0");
}

#[tokio::test]
async fn lists_are_as_long_as_their_arguments_say() {
    insta::assert_snapshot!(cost("{ books(first: 3) { id } }").await, @"estimated 3 (books 3), actual 2");
    let by_variable = "query ($n: Int) { books(last: $n) { id } }";
    insta::assert_snapshot!(costs(by_variable, json!({ "n": 50 })).await, @"estimated 50 (books 50), actual 2");
    let by_default = "query ($n: Int = 20) { books(first: $n) { id } }";
    insta::assert_snapshot!(costs(by_default, Json::Null).await, @"estimated 20 (books 20), actual 2");
    insta::assert_snapshot!(cost("{ books(first: -3) { id } }").await, @"estimated 0 (books 0), actual 2");
    insta::assert_snapshot!(cost("{ grid { id } }").await, @"estimated 100 (books 100), actual 2");
}

#[tokio::test]
async fn arguments_inside_input_objects_tell_sizes_too() {
    insta::assert_snapshot!(cost("{ shelf(page: { first: 6 }) { id } }").await, @"estimated 7 (books 7), actual 1");
    let document = "query ($page: Page) { shelf(page: $page) { id } }";
    insta::assert_snapshot!(costs(document, json!({ "page": { "first": 8 } })).await, @"estimated 9 (books 9), actual 1");
    insta::assert_snapshot!(costs(document, json!({})).await, @"estimated 10 (books 10), actual 0");
    let inner = "query ($n: Int) { shelf(page: { first: $n }) { id } }";
    insta::assert_snapshot!(costs(inner, json!({ "n": 9 })).await, @"estimated 10 (books 10), actual 1");
}

#[tokio::test]
async fn sized_fields_have_the_size_of_the_field_above() {
    insta::assert_snapshot!(cost("{ catalogue(first: 2) { edges { node { id } } totals name } }").await, @"estimated 5 (books 5), actual 3");
    insta::assert_snapshot!(cost("{ catalogue { edges { node { id } } } }").await, @"estimated 9 (books 9), actual 3");
}

#[tokio::test]
async fn the_dearest_of_several_types_counts() {
    insta::assert_snapshot!(cost("{ anything { ... on Named { name } } }").await, @"estimated 21 (books 21), actual 8");
    insta::assert_snapshot!(
        cost("{ anything { ... on Book { reviews(first: 9) { stars } } ... on Author { name } } }").await,
        @"estimated 84 (books 21, reviews 84), actual 14"
    );
}

#[tokio::test]
async fn what_is_skipped_costs_nothing() {
    let document = "query ($yes: Boolean!) { mood @include(if: $yes) bestsellers @skip(if: $yes) { id reviews(first: 2) { stars } } }";
    insta::assert_snapshot!(costs(document, json!({ "yes": true })).await, @"estimated 4 (books 4, reviews 0), actual 4");
    insta::assert_snapshot!(costs(document, json!({ "yes": false })).await, @"estimated 35 (books 5, reviews 35), actual 7");
}

#[tokio::test]
async fn arguments_and_mutations_cost() {
    insta::assert_snapshot!(cost(r#"{ search(text: "a", filter: { names: ["x", "y"], inner: {} }) { id } }"#).await, @"estimated 9 (books 9), actual 8");
    let document = "query ($filter: Filter) { search(filter: $filter) { id } }";
    insta::assert_snapshot!(costs(document, json!({ "filter": { "names": ["x", "y", "z"] } })).await, @"estimated 7 (books 7), actual 6");
    insta::assert_snapshot!(cost(r#"mutation { addBook(input: { name: "n" }) { id } }"#).await, @"estimated 12 (books 2), actual 12");
}

#[tokio::test]
async fn each_subgraph_has_its_share() {
    insta::assert_snapshot!(cost("{ books(first: 3) { name reviews(first: 2) { stars body } } }").await, @"estimated 21 (books 3, reviews 21), actual 11");
}

#[tokio::test]
async fn list_without_its_slicing_argument_is_told() {
    let platform = library();
    let estimate_of = async |document: &str| estimate(&platform, document, Json::Null).await.unsized_lists;
    insta::assert_debug_snapshot!(estimate_of("{ books { id } }").await, @r#"
    [
        "`Query.books` needs exactly one of its arguments `first`, `last`",
    ]
    "#);
    assert_eq!(estimate_of("{ books(first: 1, last: 2) { id } }").await.len(), 1);
    assert_eq!(estimate_of("{ books(first: null, last: 2) { id } }").await.len(), 0);
    assert_eq!(estimate_of("{ catalogue { name } shelf { id } bestsellers { id } }").await.len(), 0);
}
