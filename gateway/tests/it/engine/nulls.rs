//! Nulls, propagated as the specification says.

use serde_json::json;

use super::shop::shop;

#[tokio::test]
async fn null_in_a_field_that_may_not_be_null_takes_its_object() {
    let platform = shop().with("accounts", |data| data["Query"]["me"]["email"] = json!(null)).build();
    insta::assert_snapshot!(platform.run("{ me { name email } topReview { body } }").await, @r#"
    {
      "data": {
        "me": null,
        "topReview": {
          "body": "Solid"
        }
      },
      "errors": [
        {
          "message": "`User.email` must not be null",
          "path": [
            "me",
            "email"
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
async fn null_climbs_through_lists_up_to_data() {
    let platform = shop().with("accounts", |data| data["Query"]["users"][1]["email"] = json!(null)).build();
    insta::assert_snapshot!(platform.run("{ users { email } topReview { body } }").await, @r#"
    {
      "data": null,
      "errors": [
        {
          "message": "`User.email` must not be null",
          "path": [
            "users",
            1,
            "email"
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
async fn null_stops_at_the_list_item_that_may_be_null() {
    let platform = shop().with("products", |data| data["Query"]["grid"][0][0]["upc"] = json!(null)).build();
    insta::assert_snapshot!(platform.run("{ grid { upc } }").await, @r#"
    {
      "data": {
        "grid": [
          [
            null,
            null
          ],
          null,
          [
            {
              "upc": "b"
            }
          ]
        ]
      },
      "errors": [
        {
          "message": "`Product.upc` must not be null",
          "path": [
            "grid",
            0,
            0,
            "upc"
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
async fn null_that_an_error_explains_gets_no_second_error() {
    let platform = shop()
        .with("accounts", |data| data["Query"]["me"]["email"] = json!({ "$error": "the address is sealed" }))
        .build();
    insta::assert_snapshot!(platform.run("{ me { name email } }").await, @r#"
    {
      "data": {
        "me": null
      },
      "errors": [
        {
          "message": "the address is sealed",
          "path": [
            "me",
            "email"
          ],
          "extensions": {
            "code": "INTERNAL",
            "subgraph": "accounts"
          }
        }
      ]
    }
    "#);
}

#[tokio::test]
async fn enum_value_that_the_api_hides_is_null_with_an_error() {
    let platform =
        shop().with("products", |data| data["Query"]["products"][0]["kind"] = json!("SECRET")).build();
    insta::assert_snapshot!(platform.run("{ products { kind } }").await, @r#"
    {
      "data": {
        "products": [
          {
            "kind": null
          },
          {
            "kind": "FURNITURE"
          },
          {
            "kind": "FOOD"
          }
        ]
      },
      "errors": [
        {
          "message": "`Product.kind` is not a value of the enum `Kind`",
          "path": [
            "products",
            0,
            "kind"
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
async fn answer_of_another_form_than_the_schema_says_is_null_with_an_error() {
    let platform = shop()
        .with("accounts", |data| data["Query"]["me"] = json!("nobody"))
        .with("products", |data| data["Query"]["grid"] = json!(7))
        .build();
    insta::assert_snapshot!(platform.run("{ me { name } grid { upc } }").await, @r#"
    {
      "data": {
        "me": null,
        "grid": null
      },
      "errors": [
        {
          "message": "`Query.me` is not an object",
          "path": [
            "me"
          ],
          "extensions": {
            "code": "INTERNAL"
          }
        },
        {
          "message": "`Query.grid` is not a list",
          "path": [
            "grid"
          ],
          "extensions": {
            "code": "INTERNAL"
          }
        }
      ]
    }
    "#);
}
