//! Subscriptions: the rest of the plan runs once per event.

use std::sync::Arc;

use futures::StreamExt;
use pulse_gateway::ports::SubgraphFault;
use pulse_gateway::value::Value;
use serde_json::json;

use super::supergraphs::{Blueprint, context, pretty};

fn feed() -> Blueprint {
    let types = r#"
        type Query @join__type(graph: A) @join__type(graph: B) { a: Int @join__field(graph: A) }
        type Subscription @join__type(graph: A) { changed: Item @join__field(graph: A) }
        type Item @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
          id: ID!
          label: String @join__field(graph: B)
        }
    "#;
    let event = |id: &str| json!({ "changed": { "__typename": "Item", "id": id } });
    let a = json!({ "Query": { "a": 1 }, "events": [event("1"), { "changed": { "$error": "lost" } }, event("2")] });
    let b = json!({ "Item": [{ "id": "1", "label": "one" }, { "id": "2", "label": "two" }] });
    Blueprint::new(types, vec![("a", a), ("b", b)])
}

#[tokio::test]
async fn each_event_gets_the_fields_of_other_subgraphs() {
    let platform = feed().build();
    let operation = platform.engine.prepare("subscription { changed { id label } }", None).await.unwrap();
    let events = platform.engine.subscribe(operation, None, context()).await.unwrap();
    let events: Vec<_> = events.map(|event| pretty(&event)).collect().await;
    insta::assert_snapshot!(events.join("\n"), @r#"
    {
      "data": {
        "changed": {
          "id": "1",
          "label": "one"
        }
      }
    }
    {
      "data": {
        "changed": null
      },
      "errors": [
        {
          "message": "lost",
          "path": [
            "changed"
          ],
          "extensions": {
            "code": "INTERNAL",
            "subgraph": "a"
          }
        }
      ]
    }
    {
      "data": {
        "changed": {
          "id": "2",
          "label": "two"
        }
      }
    }
    "#);
}

#[tokio::test]
async fn subscription_that_cannot_be_opened_is_one_error() {
    let fault = SubgraphFault::Unreachable(Arc::new(std::io::Error::other("refused")));
    let platform = feed().broken("a", fault).build();
    let operation = platform.engine.prepare("subscription { changed { id label } }", None).await.unwrap();
    let refused = platform.engine.subscribe(operation, None, context()).await.err().unwrap();
    insta::assert_snapshot!(pretty(&refused), @r#"
    {
      "data": null,
      "errors": [
        {
          "message": "the subgraph `a` could not be reached",
          "extensions": {
            "code": "UNAVAILABLE",
            "subgraph": "a"
          }
        }
      ]
    }
    "#);
}

#[tokio::test]
async fn subscription_is_not_executed_like_a_query_nor_the_other_way_round() {
    let platform = feed().build();
    insta::assert_snapshot!(platform.run("subscription { changed { id } }").await, @r#"
    {
      "errors": [
        {
          "message": "subscriptions need a transport that streams: use WebSocket or server-sent events",
          "extensions": {
            "code": "BAD_USER_INPUT"
          }
        }
      ]
    }
    "#);
    let query = platform.engine.prepare("{ a }", None).await.unwrap();
    let refused = platform.engine.subscribe(query, None, context()).await.err().unwrap();
    insta::assert_snapshot!(pretty(&refused), @r#"
    {
      "errors": [
        {
          "message": "the operation is no subscription",
          "extensions": {
            "code": "BAD_USER_INPUT"
          }
        }
      ]
    }
    "#);
}

#[tokio::test]
async fn roots_of_the_supergraph_may_have_any_names() {
    let platform = feed().root("Query", "Entry").root("Subscription", "Feed").build();
    let document = "subscription($x: Boolean!) { ...F }
      fragment F on Feed { news: changed { id ... @include(if: $x) { label } } }";
    let operation = platform.engine.prepare(document, None).await.unwrap();
    let variables = Some(Value::from(&json!({ "x": true })));
    let events = platform.engine.subscribe(operation, variables, context()).await.unwrap();
    let events: Vec<_> = events.map(|event| String::from_utf8(event.body.to_vec()).unwrap()).collect().await;
    insta::assert_snapshot!(events.join("\n"), @r#"
    {"data":{"news":{"id":"1","label":"one"}}}
    {"data":{"news":null},"errors":[{"message":"lost","path":["news"],"extensions":{"code":"INTERNAL","subgraph":"a"}}]}
    {"data":{"news":{"id":"2","label":"two"}}}
    "#);
    insta::assert_snapshot!(platform.log(), @r#"
    b query($representations:[_Any!]!){_entities(representations: $representations){...on Item{label}}} {"representations":[{"__typename":"Item","id":"1"}]}
    b query($representations:[_Any!]!){_entities(representations: $representations){...on Item{label}}} {"representations":[{"__typename":"Item","id":"2"}]}
    "#);
    insta::assert_snapshot!(platform.run("{ __typename ... on Entry { a } }").await, @r#"
    {
      "data": {
        "__typename": "Entry",
        "a": 1
      }
    }
    "#);
}
