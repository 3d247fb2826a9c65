//! Documents: parsed, chosen from, validated, planned once.

use std::sync::Arc;

use super::shop::shop;

#[tokio::test]
async fn syntax_error_tells_its_place() {
    let platform = shop().build();
    insta::assert_snapshot!(platform.refusal("{ me { name }").await, @r#"
    [
      {
        "message": "the document is not valid GraphQL: unexpected end of input, expected }",
        "locations": [
          {
            "line": 1,
            "column": 14
          }
        ],
        "extensions": {
          "code": "BAD_USER_INPUT",
          "reason": "GRAPHQL_PARSE_FAILED"
        }
      }
    ]
    "#);
    insta::assert_snapshot!(platform.refusal("").await, @r#"
    [
      {
        "message": "the document is not valid GraphQL: unexpected end of input, expected { or query or mutation or subscription or fragment",
        "locations": [
          {
            "line": 1,
            "column": 1
          }
        ],
        "extensions": {
          "code": "BAD_USER_INPUT",
          "reason": "GRAPHQL_PARSE_FAILED"
        }
      }
    ]
    "#);
}

#[tokio::test]
async fn unknown_field_is_refused_with_its_place() {
    let platform = shop().build();
    insta::assert_snapshot!(platform.refusal("{ me { nmae } }").await, @r#"
    [
      {
        "message": "Cannot query field \"nmae\" on type \"User\".",
        "locations": [
          {
            "line": 1,
            "column": 8
          }
        ],
        "extensions": {
          "code": "BAD_USER_INPUT",
          "reason": "GRAPHQL_VALIDATION_FAILED"
        }
      }
    ]
    "#);
}

#[tokio::test]
async fn argument_of_the_wrong_type_is_refused() {
    let platform = shop().build();
    insta::assert_snapshot!(platform.refusal("{ echo(text: 5) }").await, @r#"
    [
      {
        "message": "Expected value of type \"String\", found 5.",
        "extensions": {
          "code": "BAD_USER_INPUT",
          "reason": "GRAPHQL_VALIDATION_FAILED"
        }
      }
    ]
    "#);
}

#[tokio::test]
async fn hidden_parts_do_not_exist() {
    let platform = shop().build();
    insta::assert_snapshot!(platform.refusal("{ echo(kind: SECRET) }").await, @r#"
    [
      {
        "message": "Value \"SECRET\" does not exist in \"Kind\" enum.",
        "extensions": {
          "code": "BAD_USER_INPUT",
          "reason": "GRAPHQL_VALIDATION_FAILED"
        }
      }
    ]
    "#);
}

#[tokio::test]
async fn operation_is_chosen_by_name() {
    let platform = shop().build();
    let document = "query A { me { id } } query B { me { name } }";
    let chosen = platform.engine.prepare(document, Some("B")).await.unwrap();
    assert_eq!(chosen.name(), Some("B"));
    let result = platform.engine.execute(&chosen, None, super::supergraphs::context()).await;
    insta::assert_snapshot!(super::supergraphs::pretty(&result), @r#"
    {
      "data": {
        "me": {
          "name": "Ada"
        }
      }
    }
    "#);
    insta::assert_snapshot!(platform.refusal(document).await, @r#"
    [
      {
        "message": "the document has 2 operations: name one of `A`, `B` in `operationName`",
        "extensions": {
          "code": "BAD_USER_INPUT",
          "reason": "OPERATION_NOT_FOUND"
        }
      }
    ]
    "#);
    let unknown = platform.engine.prepare(document, Some("C")).await.unwrap_err();
    insta::assert_snapshot!(unknown[0], @"the document has no operation `C`, it has `A`, `B`");
}

#[tokio::test]
async fn operation_of_a_kind_that_the_api_lacks_is_refused() {
    let platform = shop().build();
    insta::assert_snapshot!(platform.refusal("subscription { me { id } }").await, @r#"
    [
      {
        "message": "this API has no subscriptions",
        "extensions": {
          "code": "BAD_USER_INPUT",
          "reason": "GRAPHQL_VALIDATION_FAILED"
        }
      }
    ]
    "#);
}

#[tokio::test]
async fn same_text_is_planned_once_also_at_the_same_time() {
    let platform = shop().build();
    let (a, b) = tokio::join!(
        platform.engine.prepare("{ me { id } }", None),
        platform.engine.prepare("{ me { id } }", None)
    );
    let (a, b) = (a.unwrap(), b.unwrap());
    assert!(Arc::ptr_eq(&a, &b));
    assert!(!Arc::ptr_eq(&a, &platform.engine.prepare("{ me { name } }", None).await.unwrap()));
}
