//! Errors and faults of subgraphs: each at its place, everything else answered.

use std::sync::Arc;
use std::time::Duration;

use pulse_gateway::engine::EngineConfig;
use pulse_gateway::ports::SubgraphFault;
use serde_json::json;

use super::shop::shop;

fn unreachable() -> SubgraphFault {
    SubgraphFault::Unreachable(Arc::new(std::io::Error::other("connection refused by 10.0.0.7")))
}

#[tokio::test]
async fn error_in_one_entity_of_several_is_at_its_place() {
    let platform = shop()
        .with("stock", |data| {
            data["Product"][1]["inStock"] =
                json!({ "$error": "the shelf fell", "extensions": { "code": "CONFLICT" } });
        })
        .build();
    insta::assert_snapshot!(platform.run("{ products { upc inStock } }").await, @r#"
    {
      "data": {
        "products": [
          {
            "upc": "a",
            "inStock": true
          },
          {
            "upc": "b",
            "inStock": null
          },
          {
            "upc": "c",
            "inStock": true
          }
        ]
      },
      "errors": [
        {
          "message": "the shelf fell",
          "path": [
            "products",
            1,
            "inStock"
          ],
          "extensions": {
            "code": "CONFLICT",
            "subgraph": "stock"
          }
        }
      ]
    }
    "#);
}

#[tokio::test]
async fn error_in_an_entity_with_several_places_is_at_each() {
    let platform = shop()
        .with("stock", |data| data["Product"][0]["inStock"] = json!({ "$error": "the shelf fell" }))
        .build();
    insta::assert_snapshot!(platform.run("{ products { reviews { product { inStock } } } }").await, @r#"
    {
      "data": {
        "products": [
          {
            "reviews": [
              {
                "product": {
                  "inStock": null
                }
              },
              {
                "product": {
                  "inStock": null
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
                "product": {
                  "inStock": true
                }
              }
            ]
          }
        ]
      },
      "errors": [
        {
          "message": "the shelf fell",
          "path": [
            "products",
            0,
            "reviews",
            0,
            "product",
            "inStock"
          ],
          "extensions": {
            "code": "INTERNAL",
            "subgraph": "stock"
          }
        },
        {
          "message": "the shelf fell",
          "path": [
            "products",
            0,
            "reviews",
            1,
            "product",
            "inStock"
          ],
          "extensions": {
            "code": "INTERNAL",
            "subgraph": "stock"
          }
        }
      ]
    }
    "#);
}

#[tokio::test]
async fn error_below_an_alias_in_a_batch_is_at_the_clients_path() {
    let platform =
        shop().with("stock", |data| data["Product"][0]["warehouse"] = json!({ "$error": "unknown" })).build();
    insta::assert_snapshot!(
        platform.run("{ all: products { inStock } topReview { it: product { w: warehouse } } }").await,
        @r#"
    {
      "data": {
        "all": [
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
        "topReview": null
      },
      "errors": [
        {
          "message": "unknown",
          "path": [
            "topReview",
            "it",
            "w"
          ],
          "extensions": {
            "code": "INTERNAL",
            "subgraph": "stock"
          }
        }
      ]
    }
    "#
    );
}

#[tokio::test]
async fn whole_entity_that_fails_leaves_the_others() {
    let platform =
        shop().with("stock", |data| data["Product"][2] = json!({ "upc": "c", "$error": "gone" })).build();
    insta::assert_snapshot!(platform.run("{ products { upc inStock } }").await, @r#"
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
            "inStock": null
          }
        ]
      },
      "errors": [
        {
          "message": "gone",
          "path": [
            "products",
            2
          ],
          "extensions": {
            "code": "INTERNAL",
            "subgraph": "stock"
          }
        }
      ]
    }
    "#);
}

#[tokio::test]
async fn dead_subgraph_leaves_the_data_of_the_others() {
    let platform = shop().broken("stock", unreachable()).build();
    insta::assert_snapshot!(platform.run("{ products { upc inStock } me { name } }").await, @r#"
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
        ],
        "me": {
          "name": "Ada"
        }
      },
      "errors": [
        {
          "message": "the subgraph `stock` could not be reached",
          "path": [
            "products"
          ],
          "extensions": {
            "code": "UNAVAILABLE",
            "subgraph": "stock"
          }
        }
      ]
    }
    "#);
}

#[tokio::test]
async fn dead_subgraph_of_a_field_that_may_not_be_null_takes_the_parent() {
    let platform = shop().broken("reviews", unreachable()).build();
    insta::assert_snapshot!(platform.run("{ me { name } products { upc reviews { body } } }").await, @r#"
    {
      "data": null,
      "errors": [
        {
          "message": "the subgraph `reviews` could not be reached",
          "path": [
            "products"
          ],
          "extensions": {
            "code": "UNAVAILABLE",
            "subgraph": "reviews"
          }
        }
      ]
    }
    "#);
}

#[tokio::test]
async fn dead_subgraph_of_root_fields_is_told_for_each() {
    let platform = shop().broken("products", unreachable()).build();
    insta::assert_snapshot!(platform.run("{ grid { upc } other: grid { name } me { name } }").await, @r#"
    {
      "data": {
        "grid": null,
        "other": null,
        "me": {
          "name": "Ada"
        }
      },
      "errors": [
        {
          "message": "the subgraph `products` could not be reached",
          "path": [
            "grid"
          ],
          "extensions": {
            "code": "UNAVAILABLE",
            "subgraph": "products"
          }
        },
        {
          "message": "the subgraph `products` could not be reached",
          "path": [
            "other"
          ],
          "extensions": {
            "code": "UNAVAILABLE",
            "subgraph": "products"
          }
        }
      ]
    }
    "#);
}

#[tokio::test]
async fn silent_subgraph_times_out_at_the_deadline() {
    let platform = shop().broken("stock", SubgraphFault::TimedOut(Duration::ZERO)).build();
    let operation = platform.engine.prepare("{ me { name } products { upc inStock } }", None).await.unwrap();
    let mut context = super::supergraphs::context();
    context.deadline = std::time::Instant::now() + Duration::from_millis(50);
    let result = platform.engine.execute(&operation, None, context).await;
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"within \d+ ms", "within [n] ms");
    settings.bind(|| {
        insta::assert_snapshot!(super::supergraphs::pretty(&result), @r#"
    {
      "data": {
        "me": {
          "name": "Ada"
        },
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
      },
      "errors": [
        {
          "message": "the subgraph `stock` did not answer within [n] ms",
          "path": [
            "products"
          ],
          "extensions": {
            "code": "TIMEOUT",
            "subgraph": "stock"
          }
        }
      ]
    }
    "#);
    });
}

#[tokio::test]
async fn malformed_answer_is_an_internal_error_without_its_details() {
    let platform = shop().broken("stock", SubgraphFault::Malformed("<html>secret</html>".into())).build();
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
      },
      "errors": [
        {
          "message": "the subgraph `stock` gave an answer that cannot be used",
          "path": [
            "products"
          ],
          "extensions": {
            "code": "INTERNAL",
            "subgraph": "stock"
          }
        }
      ]
    }
    "#);
}

#[tokio::test]
async fn names_of_subgraphs_can_be_kept_from_clients() {
    let config = EngineConfig { name_subgraphs_in_errors: false, ..EngineConfig::default() };
    let platform = shop().broken("stock", unreachable()).config(config).build();
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
      },
      "errors": [
        {
          "message": "a subgraph could not be reached",
          "path": [
            "products"
          ],
          "extensions": {
            "code": "UNAVAILABLE"
          }
        }
      ]
    }
    "#);
}
