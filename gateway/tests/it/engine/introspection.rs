//! `__schema` and `__type`.

use serde_json::json;

use super::shop::shop;
use super::supergraphs::Blueprint;

#[tokio::test]
async fn type_shows_its_fields_arguments_and_defaults() {
    let types = r#"
        type Query @join__type(graph: A) {
          "Says hello."
          hello("Whom to greet." name: String = "you", old: Int @deprecated(reason: "use name")): Greeting
          gone: Int @deprecated
          hidden: Int @inaccessible
        }
        "A greeting."
        type Greeting @join__type(graph: A) { text(style: Style = LOUD): [String!]! at: Time }
        enum Style @join__type(graph: A) {
          LOUD @join__enumValue(graph: A)
          "No longer in use."
          SOFT @join__enumValue(graph: A) @deprecated(reason: "too soft")
        }
        scalar Time @join__type(graph: A) @specifiedBy(url: "https://www.rfc-editor.org/rfc/rfc3339")
    "#;
    let platform = Blueprint::new(types, vec![("a", json!({ "Query": {} }))]).build();
    let document = r#"query($all: Boolean = true) {
      Query: __type(name: "Query") {
        fields { name description args { name description defaultValue type { name } } }
        all: fields(includeDeprecated: $all) { name isDeprecated deprecationReason args(includeDeprecated: true) { name deprecationReason } }
      }
      Greeting: __type(name: "Greeting") { kind description fields { type { kind ofType { kind ofType { kind ofType { name } } } } args { defaultValue } } }
      Style: __type(name: "Style") { enumValues { name } all: enumValues(includeDeprecated: true) { name description deprecationReason } }
      Time: __type(name: "Time") { kind specifiedByURL fields { name } }
      none: __type(name: "join__Graph") { name }
    }"#;
    insta::assert_snapshot!(platform.run(document).await, @r#"
    {
      "data": {
        "Query": {
          "fields": [
            {
              "name": "hello",
              "description": "Says hello.",
              "args": [
                {
                  "name": "name",
                  "description": "Whom to greet.",
                  "defaultValue": "\"you\"",
                  "type": {
                    "name": "String"
                  }
                }
              ]
            }
          ],
          "all": [
            {
              "name": "hello",
              "isDeprecated": false,
              "deprecationReason": null,
              "args": [
                {
                  "name": "name",
                  "deprecationReason": null
                },
                {
                  "name": "old",
                  "deprecationReason": "use name"
                }
              ]
            },
            {
              "name": "gone",
              "isDeprecated": true,
              "deprecationReason": "No longer supported",
              "args": []
            }
          ]
        },
        "Greeting": {
          "kind": "OBJECT",
          "description": "A greeting.",
          "fields": [
            {
              "type": {
                "kind": "NON_NULL",
                "ofType": {
                  "kind": "LIST",
                  "ofType": {
                    "kind": "NON_NULL",
                    "ofType": {
                      "name": "String"
                    }
                  }
                }
              },
              "args": [
                {
                  "defaultValue": "LOUD"
                }
              ]
            },
            {
              "type": {
                "kind": "SCALAR",
                "ofType": null
              },
              "args": []
            }
          ]
        },
        "Style": {
          "enumValues": [
            {
              "name": "LOUD"
            }
          ],
          "all": [
            {
              "name": "LOUD",
              "description": null,
              "deprecationReason": null
            },
            {
              "name": "SOFT",
              "description": "No longer in use.",
              "deprecationReason": "too soft"
            }
          ]
        },
        "Time": {
          "kind": "SCALAR",
          "specifiedByURL": "https://www.rfc-editor.org/rfc/rfc3339",
          "fields": null
        },
        "none": null
      }
    }
    "#);
    assert_eq!(platform.log(), "");
}

#[tokio::test]
async fn introspection_and_data_mix() {
    let platform = shop().build();
    let document = r#"{ me { name } __schema { queryType { name } mutationType { name } subscriptionType { name } } ...More }
      fragment More on Query { __type(name: "Pick") { kind isOneOf inputFields { name } } topReview { id } }"#;
    insta::assert_snapshot!(platform.run(document).await, @r#"
    {
      "data": {
        "me": {
          "name": "Ada"
        },
        "__schema": {
          "queryType": {
            "name": "Query"
          },
          "mutationType": {
            "name": "Mutation"
          },
          "subscriptionType": null
        },
        "__type": {
          "kind": "INPUT_OBJECT",
          "isOneOf": true,
          "inputFields": [
            {
              "name": "one"
            },
            {
              "name": "other"
            }
          ]
        },
        "topReview": {
          "id": "r1"
        }
      }
    }
    "#);
}

#[tokio::test]
async fn abstract_types_and_directives_are_listed() {
    let platform = shop().build();
    let document = "{ __schema { directives { name isRepeatable locations args { name type { kind } } } types { name } } }";
    insta::assert_snapshot!(platform.run(document).await, @r#"
    {
      "data": {
        "__schema": {
          "directives": [
            {
              "name": "skip",
              "isRepeatable": false,
              "locations": [
                "FIELD",
                "FRAGMENT_SPREAD",
                "INLINE_FRAGMENT"
              ],
              "args": [
                {
                  "name": "if",
                  "type": {
                    "kind": "NON_NULL"
                  }
                }
              ]
            },
            {
              "name": "include",
              "isRepeatable": false,
              "locations": [
                "FIELD",
                "FRAGMENT_SPREAD",
                "INLINE_FRAGMENT"
              ],
              "args": [
                {
                  "name": "if",
                  "type": {
                    "kind": "NON_NULL"
                  }
                }
              ]
            },
            {
              "name": "deprecated",
              "isRepeatable": false,
              "locations": [
                "FIELD_DEFINITION",
                "ARGUMENT_DEFINITION",
                "ENUM_VALUE",
                "INPUT_FIELD_DEFINITION"
              ],
              "args": [
                {
                  "name": "reason",
                  "type": {
                    "kind": "SCALAR"
                  }
                }
              ]
            },
            {
              "name": "specifiedBy",
              "isRepeatable": false,
              "locations": [
                "SCALAR"
              ],
              "args": [
                {
                  "name": "url",
                  "type": {
                    "kind": "NON_NULL"
                  }
                }
              ]
            },
            {
              "name": "oneOf",
              "isRepeatable": false,
              "locations": [
                "INPUT_OBJECT"
              ],
              "args": []
            }
          ],
          "types": [
            {
              "name": "Query"
            },
            {
              "name": "Mutation"
            },
            {
              "name": "User"
            },
            {
              "name": "Product"
            },
            {
              "name": "Review"
            },
            {
              "name": "Kind"
            },
            {
              "name": "Filter"
            },
            {
              "name": "Pick"
            },
            {
              "name": "Time"
            },
            {
              "name": "Any"
            },
            {
              "name": "Boolean"
            },
            {
              "name": "Float"
            },
            {
              "name": "Int"
            },
            {
              "name": "ID"
            },
            {
              "name": "String"
            },
            {
              "name": "__Schema"
            },
            {
              "name": "__Type"
            },
            {
              "name": "__Field"
            },
            {
              "name": "__InputValue"
            },
            {
              "name": "__EnumValue"
            },
            {
              "name": "__TypeKind"
            },
            {
              "name": "__Directive"
            },
            {
              "name": "__DirectiveLocation"
            }
          ]
        }
      }
    }
    "#);
}

/// The query that clients' tools send.
const EVERYTHING: &str = "
  query IntrospectionQuery {
    __schema {
      description
      queryType { name kind }
      mutationType { name kind }
      subscriptionType { name kind }
      types { ...FullType }
      directives { name description isRepeatable locations args(includeDeprecated: true) { ...InputValue } }
    }
  }
  fragment FullType on __Type {
    kind name description specifiedByURL isOneOf
    fields(includeDeprecated: true) {
      name description
      args(includeDeprecated: true) { ...InputValue }
      type { ...TypeRef }
      isDeprecated deprecationReason
    }
    inputFields(includeDeprecated: true) { ...InputValue }
    interfaces { ...TypeRef }
    enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
    possibleTypes { ...TypeRef }
  }
  fragment InputValue on __InputValue {
    name description type { ...TypeRef } defaultValue isDeprecated deprecationReason
  }
  fragment TypeRef on __Type {
    kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType {
      kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } } }
  }";

/// Every `{kind, name}` that is a name must be that of a type listed with this kind.
fn check_references(value: &serde_json::Value, types: &[(String, String)]) {
    match value {
        serde_json::Value::Array(items) => items.iter().for_each(|item| check_references(item, types)),
        serde_json::Value::Object(object) => {
            if let (Some(kind), Some(name)) =
                (object.get("kind"), object.get("name").and_then(|name| name.as_str()))
            {
                let known = (name.to_owned(), kind.as_str().unwrap().to_owned());
                assert!(types.contains(&known), "{name} is not listed");
            }
            object.values().for_each(|value| check_references(value, types));
        }
        _ => {}
    }
}

#[tokio::test]
async fn the_query_of_clients_tools_gets_a_closed_schema() {
    let platform = shop().build();
    let result = platform.execute(EVERYTHING, serde_json::Value::Null).await;
    assert_eq!(result.errors, 0);
    let body: serde_json::Value = serde_json::from_slice(&result.body).unwrap();
    let schema = &body["data"]["__schema"];
    let named = |ty: &serde_json::Value| {
        (ty["name"].as_str().unwrap().to_owned(), ty["kind"].as_str().unwrap().to_owned())
    };
    let types: Vec<_> = schema["types"].as_array().unwrap().iter().map(named).collect();
    check_references(schema, &types);
}
