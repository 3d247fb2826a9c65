//! Entities whose fields come from several subgraphs.

use super::shop::shop;

#[tokio::test]
async fn entity_gathers_its_fields_from_three_subgraphs() {
    let platform = shop().build();
    insta::assert_snapshot!(platform.run("{ products { upc name inStock reviews { body } } }").await, @r#"
    {
      "data": {
        "products": [
          {
            "upc": "a",
            "name": "Table",
            "inStock": true,
            "reviews": [
              {
                "body": "Solid"
              },
              {
                "body": null
              }
            ]
          },
          {
            "upc": "b",
            "name": "Chair",
            "inStock": false,
            "reviews": []
          },
          {
            "upc": "c",
            "name": "Bread",
            "inStock": true,
            "reviews": [
              {
                "body": "Fresh"
              }
            ]
          }
        ]
      }
    }
    "#);
    insta::assert_snapshot!(platform.log(), @r#"
    products {products{__typename upc name}} {}
    reviews query($representations:[_Any!]!){_entities(representations: $representations){...on Product{reviews{body}}}} {"representations":[{"__typename":"Product","upc":"a"},{"__typename":"Product","upc":"b"},{"__typename":"Product","upc":"c"}]}
    stock query($representations:[_Any!]!){_entities(representations: $representations){...on Product{inStock}}} {"representations":[{"__typename":"Product","upc":"a"},{"__typename":"Product","upc":"b"},{"__typename":"Product","upc":"c"}]}
    "#);
}

#[tokio::test]
async fn entities_behind_entities_are_asked_for_once_each() {
    let platform = shop().build();
    insta::assert_snapshot!(
        platform.run("{ products { reviews { author { name } product { name inStock } } } }").await,
        @r#"
    {
      "data": {
        "products": [
          {
            "reviews": [
              {
                "author": {
                  "name": "Ada"
                },
                "product": {
                  "name": "Table",
                  "inStock": true
                }
              },
              {
                "author": {
                  "name": null
                },
                "product": {
                  "name": "Table",
                  "inStock": true
                }
              }
            ]
          },
          {
            "reviews": []
          },
          {
            "reviews": [
              {
                "author": null,
                "product": {
                  "name": "Bread",
                  "inStock": true
                }
              }
            ]
          }
        ]
      }
    }
    "#
    );
    insta::assert_snapshot!(platform.log(), @r#"
    products {products{__typename upc}} {}
    reviews query($representations:[_Any!]!){_entities(representations: $representations){...on Product{reviews{author{__typename id} product{__typename upc}}}}} {"representations":[{"__typename":"Product","upc":"a"},{"__typename":"Product","upc":"b"},{"__typename":"Product","upc":"c"}]}
    stock query($representations:[_Any!]!){_entities(representations: $representations){...on Product{inStock}}} {"representations":[{"__typename":"Product","upc":"a"},{"__typename":"Product","upc":"c"}]}
    products query($representations:[_Any!]!){_entities(representations: $representations){...on Product{name}}} {"representations":[{"__typename":"Product","upc":"a"},{"__typename":"Product","upc":"c"}]}
    accounts query($representations:[_Any!]!){_entities(representations: $representations){...on User{name}}} {"representations":[{"__typename":"User","id":"1"},{"__typename":"User","id":"2"}]}
    "#);
}

#[tokio::test]
async fn lists_of_lists_keep_their_nulls() {
    let platform = shop().build();
    insta::assert_snapshot!(platform.run("{ grid { name inStock } }").await, @r#"
    {
      "data": {
        "grid": [
          [
            {
              "name": "Table",
              "inStock": true
            },
            null
          ],
          null,
          [
            {
              "name": "Chair",
              "inStock": false
            }
          ]
        ]
      }
    }
    "#);
    insta::assert_snapshot!(platform.log(), @r#"
    products {grid{__typename name upc}} {}
    stock query($representations:[_Any!]!){_entities(representations: $representations){...on Product{inStock}}} {"representations":[{"__typename":"Product","upc":"a"},{"__typename":"Product","upc":"b"}]}
    "#);
}

#[tokio::test]
async fn null_object_needs_no_fetch() {
    let platform = shop().with("accounts", |data| data["Query"]["me"] = serde_json::Value::Null).build();
    insta::assert_snapshot!(platform.run("{ me { name reviews { body } } }").await, @r#"
    {
      "data": {
        "me": null
      }
    }
    "#);
    insta::assert_snapshot!(platform.log(), @"accounts {me{__typename name id}} {}");
}

#[tokio::test]
async fn empty_list_needs_no_fetch() {
    let platform = shop().with("products", |data| data["Query"]["products"] = serde_json::json!([])).build();
    insta::assert_snapshot!(platform.run("{ products { inStock } }").await, @r#"
    {
      "data": {
        "products": []
      }
    }
    "#);
    insta::assert_snapshot!(platform.log(), @"products {products{__typename upc}} {}");
}

#[tokio::test]
async fn two_paths_to_one_subgraph_are_one_batched_request() {
    let platform = shop().build();
    insta::assert_snapshot!(
        platform.run("{ products { inStock } topReview { product { warehouse inStock } } }").await,
        @r#"
    {
      "data": {
        "products": [
          {
            "inStock": true
          },
          {
            "inStock": false
          },
          {
            "inStock": true
          }
        ],
        "topReview": {
          "product": {
            "warehouse": "north",
            "inStock": true
          }
        }
      }
    }
    "#
    );
    insta::assert_snapshot!(platform.log(), @r#"
    reviews {topReview{product{__typename upc}}} {}
    products {products{__typename upc}} {}
    stock query($__batch_reps_0:[_Any!]!, $__batch_reps_1:[_Any!]!){_e0: _entities(representations: $__batch_reps_0){...on Product{warehouse inStock}} _e1: _entities(representations: $__batch_reps_1){...on Product{inStock}}} {"__batch_reps_0":[{"__typename":"Product","upc":"a"}],"__batch_reps_1":[{"__typename":"Product","upc":"a"},{"__typename":"Product","upc":"b"},{"__typename":"Product","upc":"c"}]}
    "#);
}

#[tokio::test]
async fn root_fields_of_several_subgraphs_come_in_the_order_of_the_operation() {
    let platform = shop().build();
    insta::assert_snapshot!(platform.run("{ topReview { body } me { email } products { upc } }").await, @r#"
    {
      "data": {
        "topReview": {
          "body": "Solid"
        },
        "me": {
          "email": "ada@example.org"
        },
        "products": [
          {
            "upc": "a"
          },
          {
            "upc": "b"
          },
          {
            "upc": "c"
          }
        ]
      }
    }
    "#);
}

#[tokio::test]
async fn entity_that_a_subgraph_does_not_know_is_null_there() {
    let platform = shop().with("stock", |data| data["Product"] = serde_json::json!([])).build();
    insta::assert_snapshot!(platform.run("{ products { upc inStock } }").await, @r#"
    {
      "data": {
        "products": [
          {
            "upc": "a",
            "inStock": null
          },
          {
            "upc": "b",
            "inStock": null
          },
          {
            "upc": "c",
            "inStock": null
          }
        ]
      }
    }
    "#);
}

#[tokio::test]
async fn reference_to_an_entity_that_is_gone_is_null_without_an_error() {
    let platform = shop().with("accounts", |data| data["User"] = serde_json::json!([])).build();
    insta::assert_snapshot!(platform.run("{ topReview { body author { id email } } }").await, @r#"
    {
      "data": {
        "topReview": {
          "body": "Solid",
          "author": null
        }
      }
    }
    "#);
}

#[tokio::test]
async fn reference_to_an_entity_that_is_gone_is_an_error_where_there_must_be_one() {
    let platform = shop().with("stock", |data| data["Product"] = serde_json::json!([])).build();
    insta::assert_snapshot!(platform.run("{ topReview { body product { warehouse } } }").await, @r#"
    {
      "data": {
        "topReview": null
      },
      "errors": [
        {
          "message": "`Review.product` refers to nothing",
          "path": [
            "topReview",
            "product"
          ],
          "extensions": {
            "code": "INTERNAL"
          }
        }
      ]
    }
    "#);
}

#[tokio::test]
async fn plan_and_fetches_are_told_on_request() {
    let platform = shop().build();
    let operation = platform.engine.prepare("{ me { id } }", None).await.unwrap();
    let context =
        pulse_gateway::engine::ExecutionContext { include_plan: true, ..super::supergraphs::context() };
    let result = platform.engine.execute(&operation, None, context).await;
    let mut body: serde_json::Value = serde_json::from_slice(&result.body).unwrap();
    body["extensions"]["fetches"][0]["microseconds"] = 0.into();
    for timing in ["planMicroseconds", "executeMicroseconds"] {
        let time = &mut body["extensions"]["timings"][timing];
        assert!(time.as_u64() > Some(0), "{timing}: {time}");
        *time = 0.into();
    }
    insta::assert_snapshot!(serde_json::to_string_pretty(&body).unwrap(), @r#"
    {
      "data": {
        "me": {
          "id": "1"
        }
      },
      "extensions": {
        "plan": {
          "kind": "QueryPlan",
          "node": {
            "kind": "Fetch",
            "serviceName": "accounts",
            "operationKind": "query",
            "operation": "{me{id}}"
          }
        },
        "fetches": [
          {
            "subgraph": "accounts",
            "microseconds": 0,
            "entities": 0,
            "errors": 0
          }
        ],
        "timings": {
          "planMicroseconds": 0,
          "executeMicroseconds": 0
        }
      }
    }
    "#);
    assert_eq!(&*result.fetches[0].subgraph, "accounts");
}
