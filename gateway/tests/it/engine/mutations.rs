//! Mutations run their root fields one after the other.

use super::shop::shop;

#[tokio::test]
async fn mutations_run_in_order_and_across_subgraphs() {
    let platform = shop().build();
    let document = r#"mutation {
      first: rename(name: "Eva") { name }
      second: review(body: "Good") { body product { name } }
      third: rename(name: "Ida") { name reviews { body } }
    }"#;
    insta::assert_snapshot!(platform.run(document).await, @r#"
    {
      "data": {
        "first": {
          "name": "Eva"
        },
        "second": {
          "body": "Good",
          "product": {
            "name": "Chair"
          }
        },
        "third": {
          "name": "Ida",
          "reviews": [
            {
              "body": "Solid"
            }
          ]
        }
      }
    }
    "#);
    insta::assert_snapshot!(platform.log(), @r#"
    accounts mutation{first: rename(name: "Eva"){name}} {}
    reviews mutation{second: review(body: "Good"){body product{__typename upc}}} {}
    accounts mutation{third: rename(name: "Ida"){__typename name id}} {}
    products query($representations:[_Any!]!){_entities(representations: $representations){...on Product{name}}} {"representations":[{"__typename":"Product","upc":"b"}]}
    reviews query($representations:[_Any!]!){_entities(representations: $representations){...on User{reviews{body}}}} {"representations":[{"__typename":"User","id":"1"}]}
    "#);
}

#[tokio::test]
async fn mutation_that_fails_lets_the_next_run() {
    let platform = shop()
        .with("accounts", |data| data["Mutation"]["rename"] = serde_json::json!({ "$error": "taken" }))
        .build();
    insta::assert_snapshot!(
        platform.run(r#"mutation { rename(name: "x") { id } review(body: "y") { id } }"#).await,
        @r#"
    {
      "data": {
        "rename": null,
        "review": {
          "id": "r4"
        }
      },
      "errors": [
        {
          "message": "taken",
          "path": [
            "rename"
          ],
          "extensions": {
            "code": "INTERNAL",
            "subgraph": "accounts"
          }
        }
      ]
    }
    "#
    );
}
