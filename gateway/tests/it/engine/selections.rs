//! Aliases, conditions, `__typename`, and the order of fields.

use serde_json::{Value, json};

use super::shop::shop;

#[tokio::test]
async fn aliases_name_the_same_field_twice() {
    let platform = shop().build();
    insta::assert_snapshot!(platform.run(r#"{ a: echo(text: "1") b: echo(text: "2") you: me { login: email } }"#).await, @r#"
    {
      "data": {
        "a": "1",
        "b": "2",
        "you": {
          "login": "ada@example.org"
        }
      }
    }
    "#);
}

#[tokio::test]
async fn fields_come_in_the_order_of_their_first_mention() {
    let platform = shop().build();
    let document = "{ me { ...Late id } me { name } } fragment Late on User { email id }";
    insta::assert_snapshot!(platform.run(document).await, @r#"
    {
      "data": {
        "me": {
          "email": "ada@example.org",
          "id": "1",
          "name": "Ada"
        }
      }
    }
    "#);
}

/// Each answer begins with what is first written under conditions that hold.
#[tokio::test]
async fn a_mention_that_is_left_out_takes_no_place() {
    let platform = shop().build();
    for (conditions, expected) in [
        (
            "$a: Boolean! = false, $b: Boolean! = false",
            r#"{"name":"Ada","id":"1","email":"ada@example.org"}"#,
        ),
        ("$a: Boolean! = true, $b: Boolean! = false", r#"{"id":"1","name":"Ada","email":"ada@example.org"}"#),
        ("$a: Boolean! = false, $b: Boolean! = true", r#"{"email":"ada@example.org","id":"1","name":"Ada"}"#),
        ("$a: Boolean! = true, $b: Boolean! = true", r#"{"id":"1","email":"ada@example.org","name":"Ada"}"#),
    ] {
        let selection = "id @include(if: $a) ... @include(if: $b) { email id } name id ...Contact";
        let document = format!(
            "query ({conditions}) {{ me {{ {selection} }} }} fragment Contact on User {{ email name }}"
        );
        let response: Value = serde_json::from_str(&platform.run(&document).await).expect("JSON");
        assert_eq!(response["data"]["me"].to_string(), expected, "{conditions}");
    }
}

#[tokio::test]
async fn typename_is_answered_everywhere() {
    let platform = shop().build();
    let document =
        "{ __typename kind: __typename me { __typename reviews { t: __typename product { __typename } } } }";
    insta::assert_snapshot!(platform.run(document).await, @r#"
    {
      "data": {
        "__typename": "Query",
        "kind": "Query",
        "me": {
          "__typename": "User",
          "reviews": [
            {
              "t": "Review",
              "product": {
                "__typename": "Product"
              }
            }
          ]
        }
      }
    }
    "#);
}

#[tokio::test]
async fn typename_of_the_root_needs_no_subgraph() {
    let platform = shop().build();
    insta::assert_snapshot!(platform.run("mutation { __typename }").await, @r#"
    {
      "data": {
        "__typename": "Mutation"
      }
    }
    "#);
    assert_eq!(platform.log(), "");
}

#[tokio::test]
async fn skipped_fields_are_neither_fetched_nor_shown() {
    let platform = shop().build();
    let document = "query($no: Boolean!, $yes: Boolean = true) {
      me { id name @include(if: $no) reviews @skip(if: $yes) { body } }
      topReview @include(if: $no) { body }
      products @skip(if: $no) { upc ... @include(if: $no) { inStock } ...Priced @include(if: $yes) }
    } fragment Priced on Product { price }";
    insta::assert_snapshot!(platform.run_with(document, json!({ "no": false })).await, @r#"
    {
      "data": {
        "me": {
          "id": "1"
        },
        "products": [
          {
            "upc": "a",
            "price": 900
          },
          {
            "upc": "b",
            "price": 50
          },
          {
            "upc": "c",
            "price": 3
          }
        ]
      }
    }
    "#);
    insta::assert_snapshot!(platform.log(), @r#"
    products query($no:Boolean!, $yes:Boolean=true){products @skip(if: $no){upc price @include(if: $yes)}} {"no":false,"yes":true}
    reviews query($no:Boolean!){topReview @include(if: $no){body}} {"no":false}
    accounts query($no:Boolean!){me{__typename id name @include(if: $no)}} {"no":false}
    "#);
}

#[tokio::test]
async fn conditions_that_hold_fetch_what_they_guard() {
    let platform = shop().build();
    let document = "query($on: Boolean!) { products { upc inStock @include(if: $on) } }";
    insta::assert_snapshot!(platform.run_with(document, json!({ "on": true })).await, @r#"
    {
      "data": {
        "products": [
          {
            "upc": "a",
            "inStock": true
          },
          {
            "upc": "b",
            "inStock": false
          },
          {
            "upc": "c",
            "inStock": true
          }
        ]
      }
    }
    "#);
    insta::assert_snapshot!(platform.log(), @r#"
    products {products{__typename upc}} {}
    stock query($representations:[_Any!]!){_entities(representations: $representations){...on Product{inStock}}} {"representations":[{"__typename":"Product","upc":"a"},{"__typename":"Product","upc":"b"},{"__typename":"Product","upc":"c"}]}
    "#);
}

#[tokio::test]
async fn field_selected_twice_under_different_conditions_merges_what_holds() {
    let platform = shop().build();
    let document =
        "query($a: Boolean!, $b: Boolean!) { me @include(if: $a) { id } me @include(if: $b) { name } }";
    insta::assert_snapshot!(platform.run_with(document, json!({ "a": true, "b": false })).await, @r#"
    {
      "data": {
        "me": {
          "id": "1"
        }
      }
    }
    "#);
    insta::assert_snapshot!(platform.run_with(document, json!({ "a": true, "b": true })).await, @r#"
    {
      "data": {
        "me": {
          "id": "1",
          "name": "Ada"
        }
      }
    }
    "#);
    insta::assert_snapshot!(platform.run_with(document, json!({ "a": false, "b": false })).await, @r#"
    {
      "data": {}
    }
    "#);
}

#[tokio::test]
async fn object_whose_fields_are_all_skipped_is_empty() {
    let platform = shop().build();
    insta::assert_snapshot!(platform.run("{ me { name @skip(if: true) } }").await, @r#"
    {
      "data": {
        "me": {}
      }
    }
    "#);
}
