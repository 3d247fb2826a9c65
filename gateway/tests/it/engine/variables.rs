//! Variables, coerced by the specification.

use serde_json::json;

use super::shop::shop;
use super::supergraphs::{Platform, pretty};

const ECHO: &str = "query($text: String, $filter: Filter, $list: [Int!], $at: Time, $kind: Kind, $id: ID, $ratio: Float, $pick: Pick) {
  echo(text: $text, filter: $filter, list: $list, at: $at, kind: $kind, id: $id, ratio: $ratio, pick: $pick)
}";

/// What the subgraph was sent.
async fn sent(platform: &Platform, variables: serde_json::Value) -> String {
    platform.execute(ECHO, variables).await;
    let log = platform.log();
    let (_, sent) = log.rsplit_once("} {").unwrap();
    format!("{{{sent}")
}

#[tokio::test]
async fn defaults_of_nested_inputs_are_filled_in() {
    let platform = shop().build();
    let filter = json!({ "filter": { "name": "x", "inner": { "name": "y", "limit": null } } });
    insta::assert_snapshot!(sent(&platform, filter).await, @r#"{"filter":{"name":"x","limit":10,"kinds":["FOOD"],"inner":{"name":"y","limit":null,"kinds":["FOOD"]}}}"#);
}

#[tokio::test]
async fn single_value_becomes_a_list() {
    let platform = shop().build();
    insta::assert_snapshot!(sent(&platform, json!({ "list": 3 })).await, @r#"{"list":[3]}"#);
}

#[tokio::test]
async fn numbers_become_ids_and_whole_floats_become_ints() {
    let platform = shop().build();
    insta::assert_snapshot!(sent(&platform, json!({ "id": 7, "list": [1.0], "ratio": 2 })).await, @r#"{"id":"7","list":[1],"ratio":2}"#);
}

#[tokio::test]
async fn custom_scalars_travel_as_they_are() {
    let platform = shop().build();
    let variables = pulse_gateway::value::Value::parse(
        br#"{"at": {"big": 123456789012345678901234567890, "precise": 0.10000000000000000000001, "e": 1E400, "z": -0}}"#,
    );
    let operation = platform.engine.prepare(ECHO, None).await.unwrap();
    let context = super::supergraphs::context();
    platform.engine.execute(&operation, Some(variables.unwrap()), context).await;
    insta::assert_snapshot!(platform.log(), @r#"products query($at:Time, $filter:Filter, $id:ID, $kind:Kind, $list:[Int!], $pick:Pick, $ratio:Float, $text:String){echo(at: $at, filter: $filter, id: $id, kind: $kind, list: $list, pick: $pick, ratio: $ratio, text: $text)} {"at":{"big":123456789012345678901234567890,"precise":0.10000000000000000000001,"e":1E400,"z":-0}}"#);
}

#[tokio::test]
async fn variables_that_are_not_declared_are_ignored() {
    let platform = shop().build();
    insta::assert_snapshot!(sent(&platform, json!({ "text": "a", "other": 1 })).await, @r#"{"text":"a"}"#);
}

#[tokio::test]
async fn default_of_a_variable_counts_when_it_is_absent_but_not_when_it_is_null() {
    let platform = shop().build();
    let document = r#"query($text: String = "b") { echo(text: $text) }"#;
    insta::assert_snapshot!(platform.run_with(document, json!({})).await, @r#"
    {
      "data": {
        "echo": "b"
      }
    }
    "#);
    insta::assert_snapshot!(platform.run_with(document, json!({ "text": null })).await, @r#"
    {
      "data": {
        "echo": null
      }
    }
    "#);
}

#[tokio::test]
async fn wrong_variables_are_all_told_with_their_places() {
    let platform = shop().build();
    let variables = json!({
        "text": 5,
        "filter": { "limit": 1.5, "kinds": ["FOOD", "SECRET"], "inner": { "name": null }, "nmae": "x" },
        "list": [1, null, 3_000_000_000_i64],
        "kind": "TOY",
        "id": 1.5,
        "ratio": "high",
        "pick": { "one": 1, "other": "x" },
    });
    let result = platform.execute(ECHO, variables).await;
    assert!(result.request_error);
    insta::assert_snapshot!(pretty(&result), @r#"
    {
      "errors": [
        {
          "message": "variable `$text` must be a string (`String`), found a number 5",
          "extensions": {
            "code": "BAD_USER_INPUT",
            "reason": "INVALID_VARIABLES"
          }
        },
        {
          "message": "variable `$filter` has a field `nmae`, but `Filter` has only `name`, `limit`, `kinds`, `inner`",
          "extensions": {
            "code": "BAD_USER_INPUT",
            "reason": "INVALID_VARIABLES"
          }
        },
        {
          "message": "variable `$filter.name` of the required type `String!` was not given",
          "extensions": {
            "code": "BAD_USER_INPUT",
            "reason": "INVALID_VARIABLES"
          }
        },
        {
          "message": "variable `$filter.limit` must be a whole number of 32 bits (`Int`), found a number 1.5",
          "extensions": {
            "code": "BAD_USER_INPUT",
            "reason": "INVALID_VARIABLES"
          }
        },
        {
          "message": "variable `$filter.kinds[1]` must be one of `FURNITURE`, `FOOD` (`Kind`), found a string \"SECRET\"",
          "extensions": {
            "code": "BAD_USER_INPUT",
            "reason": "INVALID_VARIABLES"
          }
        },
        {
          "message": "variable `$filter.inner.name` must not be null, its type is `String!`",
          "extensions": {
            "code": "BAD_USER_INPUT",
            "reason": "INVALID_VARIABLES"
          }
        },
        {
          "message": "variable `$list[1]` must not be null, its type is `Int!`",
          "extensions": {
            "code": "BAD_USER_INPUT",
            "reason": "INVALID_VARIABLES"
          }
        },
        {
          "message": "variable `$list[2]` must be a whole number of 32 bits (`Int`), found a number 3000000000",
          "extensions": {
            "code": "BAD_USER_INPUT",
            "reason": "INVALID_VARIABLES"
          }
        },
        {
          "message": "variable `$kind` must be one of `FURNITURE`, `FOOD` (`Kind`), found a string \"TOY\"",
          "extensions": {
            "code": "BAD_USER_INPUT",
            "reason": "INVALID_VARIABLES"
          }
        },
        {
          "message": "variable `$id` must be a string or a whole number (`ID`), found a number 1.5",
          "extensions": {
            "code": "BAD_USER_INPUT",
            "reason": "INVALID_VARIABLES"
          }
        },
        {
          "message": "variable `$ratio` must be a number (`Float`), found a string \"high\"",
          "extensions": {
            "code": "BAD_USER_INPUT",
            "reason": "INVALID_VARIABLES"
          }
        },
        {
          "message": "variable `$pick` must have exactly one field that is not null, as `Pick` is a oneOf input",
          "extensions": {
            "code": "BAD_USER_INPUT",
            "reason": "INVALID_VARIABLES"
          }
        }
      ]
    }
    "#);
    assert_eq!(platform.log(), "");
}

#[tokio::test]
async fn missing_variable_is_named() {
    let platform = shop().build();
    let document = "query($name: String!) { echo(text: $name) }";
    insta::assert_snapshot!(platform.run_with(document, json!({})).await, @r#"
    {
      "errors": [
        {
          "message": "variable `$name` of the required type `String!` was not given",
          "extensions": {
            "code": "BAD_USER_INPUT",
            "reason": "INVALID_VARIABLES"
          }
        }
      ]
    }
    "#);
    insta::assert_snapshot!(platform.run_with(document, json!([])).await, @r#"
    {
      "errors": [
        {
          "message": "variables must be an object, found a list",
          "extensions": {
            "code": "BAD_USER_INPUT",
            "reason": "INVALID_VARIABLES"
          }
        }
      ]
    }
    "#);
}

#[tokio::test]
async fn variable_may_have_the_name_that_representations_travel_by() {
    let platform = shop().build();
    let document =
        "query($representations: Boolean!) { products { upc inStock @include(if: $representations) } }";
    insta::assert_snapshot!(platform.run_with(document, json!({ "representations": true })).await, @r#"
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
    insta::assert_snapshot!(platform.run_with(document, json!({ "representations": 1 })).await, @r#"
    {
      "errors": [
        {
          "message": "variable `$representations` must be `true` or `false` (`Boolean`), found a number 1",
          "extensions": {
            "code": "BAD_USER_INPUT",
            "reason": "INVALID_VARIABLES"
          }
        }
      ]
    }
    "#);
}
