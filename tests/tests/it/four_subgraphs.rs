//! One request that needs every subgraph.

use pulse_tests::{Answer, Graph, Tenant, TestPlatform};
use serde_json::{Value, json};

/// The example of the README, as it stands there.
fn example() -> String {
    let readme = include_str!("../../../README.md");
    let (_, rest) = readme.split_once("    query {\n").unwrap();
    let (body, _) = rest.split_once("\n    }\n").unwrap();
    format!("query {{\n{body}\n}}")
}

/// The same with lists in an order of their own: what was made in one batch is in the order of ids, new in each run.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) => {
            let mut items: Vec<_> = items.iter().map(sorted).collect();
            items.sort_by_cached_key(ToString::to_string);
            Value::Array(items)
        }
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), sorted(value))).collect(),
        other => other.clone(),
    }
}

async fn explained(platform: &TestPlatform, token: &str, query: &str) -> Answer {
    let body = json!({ "query": query, "extensions": { "plan": true } });
    let answer = platform.post(Some(token), body.to_string()).await;
    assert_eq!(answer.json.get("errors"), None, "{query}");
    answer
}

/// What was fetched, as subgraph and number of entities, in the order of the alphabet.
fn fetches(answer: &Answer) -> Vec<(String, u64)> {
    let fetches = answer.json["extensions"]["fetches"].as_array().unwrap();
    let fetch = |fetch: &Value| {
        (fetch["subgraph"].as_str().unwrap().to_owned(), fetch["entities"].as_u64().unwrap_or_default())
    };
    let mut fetches: Vec<_> = fetches.iter().map(fetch).collect();
    fetches.sort();
    fetches
}

#[expect(clippy::too_many_lines, reason = "the whole answer")]
#[tokio::test]
async fn the_example_of_the_readme_is_answered_from_all_four() {
    let platform = TestPlatform::start().await;
    let tenant = Tenant::found(&platform, "alpha").await;
    Graph::fill(&platform, &tenant, 3, "alpha").await;
    let answer = explained(&platform, &tenant.viewer.token, &example()).await;
    insta::assert_json_snapshot!(sorted(&answer.json["data"]), @r#"
    {
      "me": {
        "name": "viewer@alpha.example"
      },
      "organization": {
        "name": "alpha",
        "activity": {
          "total": 3.0
        }
      },
      "entities": {
        "nodes": [
          {
            "name": "alpha 0",
            "relationships": {
              "nodes": [
                {
                  "type": "depends_on",
                  "target": {
                    "name": "alpha 1"
                  }
                },
                {
                  "type": "depends_on",
                  "target": {
                    "name": "alpha 2"
                  }
                }
              ]
            },
            "similar": [
              {
                "score": 0.3333333333333333,
                "entity": {
                  "name": "alpha 2"
                }
              },
              {
                "score": 0.5,
                "entity": {
                  "name": "alpha 1"
                }
              }
            ]
          },
          {
            "name": "alpha 1",
            "relationships": {
              "nodes": [
                {
                  "type": "depends_on",
                  "target": {
                    "name": "alpha 0"
                  }
                },
                {
                  "type": "depends_on",
                  "target": {
                    "name": "alpha 2"
                  }
                }
              ]
            },
            "similar": [
              {
                "score": 0.5,
                "entity": {
                  "name": "alpha 0"
                }
              },
              {
                "score": 0.5,
                "entity": {
                  "name": "alpha 2"
                }
              }
            ]
          },
          {
            "name": "alpha 2",
            "relationships": {
              "nodes": [
                {
                  "type": "depends_on",
                  "target": {
                    "name": "alpha 0"
                  }
                },
                {
                  "type": "depends_on",
                  "target": {
                    "name": "alpha 1"
                  }
                }
              ]
            },
            "similar": [
              {
                "score": 0.3333333333333333,
                "entity": {
                  "name": "alpha 0"
                }
              },
              {
                "score": 0.5,
                "entity": {
                  "name": "alpha 1"
                }
              }
            ]
          }
        ]
      }
    }
    "#);
    insta::assert_debug_snapshot!(fetches(&answer), @r#"
    [
        (
            "accounts",
            0,
        ),
        (
            "analytics",
            1,
        ),
        (
            "entities",
            0,
        ),
        (
            "entities",
            3,
        ),
        (
            "vectors",
            3,
        ),
    ]
    "#);
}

#[tokio::test]
async fn fetches_and_statements_do_not_grow_with_the_entities() {
    let platform = TestPlatform::without_background().await;
    let tenant = Tenant::found(&platform, "alpha").await;
    Graph::fill(&platform, &tenant, 40, "alpha").await;
    let mut seen = Vec::new();
    for count in [3, 30] {
        let query = format!(
            "{{ entities(first: {count}) {{ nodes {{
                 name entityType {{ name }}
                 relationships(first: 5) {{ nodes {{ type source {{ name }} target {{ name }} }} }}
                 neighbors(first: 5) {{ nodes {{ name }} }}
                 similar(first: 3) {{ score collection {{ name }} entity {{ name type }} }}
               }} }} }}"
        );
        let before = platform.store.statistics().statements();
        let answer = explained(&platform, &tenant.viewer.token, &query).await;
        let statements = platform.store.statistics().statements() - before;
        assert_eq!(answer.json["data"]["entities"]["nodes"].as_array().unwrap().len(), count);
        seen.push((answer.json["extensions"]["fetches"].as_array().unwrap().len(), statements));
    }
    assert_eq!(seen[0], seen[1], "(fetches, statements) of 3 and of 30 entities");
    insta::assert_debug_snapshot!(seen[1], @"
    (
        3,
        8,
    )
    ");
}

#[tokio::test]
async fn what_one_subgraph_refuses_leaves_the_rest_of_the_answer() {
    let platform = TestPlatform::start().await;
    let tenant = Tenant::found(&platform, "alpha").await;
    Graph::fill(&platform, &tenant, 2, "alpha").await;
    let query = "{ me { name } organization { slug activity(timeZone: \"Mars/Olympus\") { total } } entities(orderBy: { field: KEY }) { nodes { name } } }";
    let answer = platform.graphql(Some(&tenant.viewer.token), query, json!({})).await;
    insta::assert_json_snapshot!(answer.json, @r#"
    {
      "data": {
        "me": {
          "name": "viewer@alpha.example"
        },
        "organization": {
          "slug": "alpha",
          "activity": null
        },
        "entities": {
          "nodes": [
            {
              "name": "alpha 0"
            },
            {
              "name": "alpha 1"
            }
          ]
        }
      },
      "errors": [
        {
          "message": "\"Mars/Olympus\" is not a time zone: give an IANA name such as Europe/Berlin or UTC",
          "path": [
            "organization",
            "activity"
          ],
          "extensions": {
            "code": "BAD_USER_INPUT",
            "field": "timeZone",
            "subgraph": "analytics"
          }
        }
      ]
    }
    "#);
}

#[tokio::test]
async fn a_reference_to_what_was_deleted_is_null_and_no_error() {
    let platform = TestPlatform::start().await;
    let tenant = Tenant::found(&platform, "alpha").await;
    let graph = Graph::fill(&platform, &tenant, 2, "alpha").await;
    let delete =
        "mutation ($input: DeleteEntityInput!) { deleteEntity(input: $input) { deletedRelationships } }";
    let input = json!({ "input": { "id": graph.entities[0] } });
    platform.data(&tenant.owner.token, delete, input).await;
    let query = "query ($id: ID!) { entity(id: $id) { similar { entity { name } } } events { nodes { entity { name } } } }";
    let data = platform.data(&tenant.viewer.token, query, json!({ "id": graph.entities[1] })).await;
    assert_eq!(data["entity"], json!({ "similar": [{ "entity": null }] }));
    let entities = json!([{ "entity": null }, { "entity": { "name": "alpha 1" } }]);
    assert_eq!(sorted(&data["events"]["nodes"]), entities);
}
