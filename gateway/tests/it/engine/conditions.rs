//! `@skip` and `@include`, as subgraphs are asked for them.

use serde_json::{Value as Json, json};

use super::shop::shop;

/// What a query is answered with, and what the subgraphs were asked for it.
async fn asked(document: &str, variables: Json) -> String {
    let platform = shop().build();
    let answer = platform.run_with(document, variables).await;
    let answer: Json = serde_json::from_str(&answer).unwrap();
    format!("{answer}\n{}", platform.log())
}

#[tokio::test]
async fn a_condition_of_a_fragment_holds_for_each_field_in_it() {
    let document = "query($no: Boolean!) { ...F @skip(if: $no) me { ... @include(if: $no) { id name } } }
      fragment F on Query { a: products { upc inStock } topReview { product { b: name } } }";
    insta::assert_snapshot!(asked(document, json!({ "no": false })).await, @r#"
    {"data":{"a":[{"upc":"a","inStock":true},{"upc":"b","inStock":false},{"upc":"c","inStock":true}],"topReview":{"product":{"b":"Table"}},"me":{}}}
    accounts query($no:Boolean!){me{id @include(if: $no) name @include(if: $no)}} {"no":false}
    reviews query($no:Boolean!){topReview @skip(if: $no){product{__typename upc}}} {"no":false}
    products query($no:Boolean!){a: products @skip(if: $no){__typename upc}} {"no":false}
    products query($representations:[_Any!]!){_entities(representations: $representations){...on Product{b: name}}} {"representations":[{"__typename":"Product","upc":"a"}]}
    stock query($representations:[_Any!]!){_entities(representations: $representations){...on Product{inStock}}} {"representations":[{"__typename":"Product","upc":"a"},{"__typename":"Product","upc":"b"},{"__typename":"Product","upc":"c"}]}
    "#);
    insta::assert_snapshot!(asked(document, json!({ "no": true })).await, @r#"
    {"data":{"me":{"id":"1","name":"Ada"}}}
    accounts query($no:Boolean!){me{id @include(if: $no) name @include(if: $no)}} {"no":true}
    reviews query($no:Boolean!){topReview @skip(if: $no){product{__typename upc}}} {"no":true}
    products query($no:Boolean!){a: products @skip(if: $no){__typename upc}} {"no":true}
    "#);
}

#[tokio::test]
async fn two_conditions_of_one_field_are_one_variable_of_the_gateway() {
    let document = "query($x: Boolean!, $y: Boolean!) {
      me { ... @include(if: $x) { name @skip(if: $y) ... @include(if: $y) { email } } }
    }";
    insta::assert_snapshot!(asked(document, json!({ "x": true, "y": false })).await, @r#"
    {"data":{"me":{"name":"Ada"}}}
    accounts query($_when_0:Boolean!, $_when_1:Boolean!){me{name @include(if: $_when_0) email @include(if: $_when_1)}} {"_when_0":true,"_when_1":false}
    "#);
    insta::assert_snapshot!(asked(document, json!({ "x": false, "y": true })).await, @r#"
    {"data":{"me":{}}}
    accounts query($_when_0:Boolean!, $_when_1:Boolean!){me{name @include(if: $_when_0) email @include(if: $_when_1)}} {"_when_0":false,"_when_1":false}
    "#);
}

#[tokio::test]
async fn a_field_under_several_conditions_is_asked_for_once() {
    let document = "query($x: Boolean!, $y: Boolean!) {
      users @include(if: $x) { id } users @skip(if: $y) { name email @include(if: $x) } me { id } me @skip(if: $x) { id name }
    }";
    insta::assert_snapshot!(asked(document, json!({ "x": true, "y": true })).await, @r#"
    {"data":{"users":[{"id":"1"},{"id":"2"}],"me":{"id":"1"}}}
    accounts query($_when_0:Boolean!, $_when_1:Boolean!, $x:Boolean!, $y:Boolean!){users @include(if: $_when_1){id @include(if: $x) name @skip(if: $y) email @include(if: $_when_0)} me{id name @skip(if: $x)}} {"_when_0":false,"_when_1":true,"x":true,"y":true}
    "#);
    insta::assert_snapshot!(asked(document, json!({ "x": false, "y": false })).await, @r#"
    {"data":{"users":[{"name":"Ada"},{"name":null}],"me":{"id":"1","name":"Ada"}}}
    accounts query($_when_0:Boolean!, $_when_1:Boolean!, $x:Boolean!, $y:Boolean!){users @include(if: $_when_1){id @include(if: $x) name @skip(if: $y) email @include(if: $_when_0)} me{id name @skip(if: $x)}} {"_when_0":false,"_when_1":true,"x":false,"y":false}
    "#);
}

#[tokio::test]
async fn conditions_that_exclude_each_other_ask_for_nothing() {
    let document = "query($x: Boolean!) { me @include(if: $x) { id reviews @skip(if: $x) { body } } }";
    insta::assert_snapshot!(asked(document, json!({ "x": true })).await, @r#"
    {"data":{"me":{"id":"1"}}}
    accounts query($x:Boolean!){me @include(if: $x){id}} {"x":true}
    "#);
}

#[tokio::test]
async fn either_way_is_always() {
    let document = "query($x: Boolean!) { me @include(if: $x) { id } me @skip(if: $x) { name } }";
    insta::assert_snapshot!(asked(document, json!({ "x": false })).await, @r#"
    {"data":{"me":{"name":"Ada"}}}
    accounts query($x:Boolean!){me{id @include(if: $x) name @skip(if: $x)}} {"x":false}
    "#);
}

#[tokio::test]
async fn the_gateways_variables_keep_away_from_the_clients() {
    let document = "query($_when_0: Boolean!, $y: Boolean!) {
      me { ... @include(if: $_when_0) { name @include(if: $y) } }
    }";
    insta::assert_snapshot!(asked(document, json!({ "_when_0": true, "y": true })).await, @r#"
    {"data":{"me":{"name":"Ada"}}}
    accounts query($_when_1:Boolean!){me{name @include(if: $_when_1)}} {"_when_1":true}
    "#);
}
