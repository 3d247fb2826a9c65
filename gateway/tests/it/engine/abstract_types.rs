//! Interfaces and unions.

use serde_json::json;

use super::supergraphs::{Blueprint, Platform};

fn zoo() -> Platform {
    let types = r#"
        type Query @join__type(graph: A) @join__type(graph: B) {
          animals: [Animal!]! @join__field(graph: A)
          search: [Result] @join__field(graph: A)
        }
        interface Animal @join__type(graph: A) {
          id: ID!
          name: String
          friend: Animal
        }
        type Dog implements Animal
          @join__implements(graph: A, interface: "Animal") @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
          id: ID!
          name: String! @join__field(graph: A)
          friend: Animal @join__field(graph: A)
          bark: Int @join__field(graph: A)
          owner: String @join__field(graph: B)
        }
        type Cat implements Animal
          @join__implements(graph: A, interface: "Animal") @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
          id: ID!
          name: String @join__field(graph: A)
          friend: Animal @join__field(graph: A)
          meow: String @join__field(graph: A)
          owner: String @join__field(graph: B)
        }
        type Plant @join__type(graph: A) { height: Int }
        type Hidden @join__type(graph: A) @inaccessible { secret: String }
        union Result @join__type(graph: A)
          @join__unionMember(graph: A, member: "Dog") @join__unionMember(graph: A, member: "Plant")
          @join__unionMember(graph: A, member: "Hidden") = Dog | Plant | Hidden
    "#;
    let cat = json!({ "__typename": "Cat", "id": "2", "name": null, "meow": "loud", "friend": null });
    let dog = json!({ "__typename": "Dog", "id": "1", "name": "Rex", "bark": 3, "friend": cat });
    let a = json!({
        "$types": { "Dog": ["Animal", "Result"], "Cat": ["Animal"], "Plant": ["Result"] },
        "Query": {
            "animals": [dog, cat],
            "search": [{ "__typename": "Plant", "height": 12 }, dog, { "__typename": "Hidden", "secret": "x" }, null],
        },
        "Dog": [dog], "Cat": [cat],
    });
    let b = json!({ "Dog": [{ "id": "1", "owner": "Ada" }], "Cat": [{ "id": "2", "owner": "Bob" }] });
    Blueprint::new(types, vec![("a", a), ("b", b)]).build()
}

#[tokio::test]
async fn fragments_answer_for_their_types_alone() {
    let zoo = zoo();
    insta::assert_snapshot!(
        zoo.run("{ animals { __typename id ... on Dog { bark } ...OfCat } } fragment OfCat on Cat { meow }").await,
        @r#"
    {
      "data": {
        "animals": [
          {
            "__typename": "Dog",
            "id": "1",
            "bark": 3
          },
          {
            "__typename": "Cat",
            "id": "2",
            "meow": "loud"
          }
        ]
      }
    }
    "#
    );
}

#[tokio::test]
async fn fields_of_another_subgraph_are_fetched_behind_fragments() {
    let zoo = zoo();
    insta::assert_snapshot!(
        zoo.run("{ animals { ... on Dog { owner } ... on Cat { meow owner } friend { ... on Cat { owner } } } }").await,
        @r#"
    {
      "data": {
        "animals": [
          {
            "owner": "Ada",
            "friend": {
              "owner": "Bob"
            }
          },
          {
            "meow": "loud",
            "owner": "Bob",
            "friend": null
          }
        ]
      }
    }
    "#
    );
    insta::assert_snapshot!(zoo.log(), @r#"
    a {animals{__typename ...on Dog{__typename id} ...on Cat{__typename meow id} friend{__typename ...on Cat{__typename id}}}} {}
    b query($__batch_reps_0:[_Any!]!, $__batch_reps_1:[_Any!]!){_e0: _entities(representations: $__batch_reps_0){...on Cat{...a}} _e1: _entities(representations: $__batch_reps_1){...on Cat{...a} ...on Dog{owner}}}

    fragment a on Cat {owner} {"__batch_reps_0":[{"__typename":"Cat","id":"2"}],"__batch_reps_1":[{"__typename":"Dog","id":"1"},{"__typename":"Cat","id":"2"}]}
    "#);
}

#[tokio::test]
async fn one_alias_for_types_that_do_not_merge_is_refused() {
    let zoo = zoo();
    insta::assert_snapshot!(
        zoo.refusal("{ animals { ... on Dog { it: bark } ... on Cat { it: meow } } }").await,
        @r#"
    [
      {
        "message": "Fields \"it\" conflict because they return conflicting types \"Int\" and \"String\". Use different aliases on the fields to fetch both if this was intentional.",
        "locations": [
          {
            "line": 1,
            "column": 26
          },
          {
            "line": 1,
            "column": 50
          }
        ],
        "extensions": {
          "code": "BAD_USER_INPUT",
          "reason": "GRAPHQL_VALIDATION_FAILED"
        }
      }
    ]
    "#
    );
}

#[tokio::test]
async fn fields_that_merge_only_by_type_are_told_apart() {
    let zoo = zoo();
    insta::assert_snapshot!(
        zoo.run("{ animals { ... on Dog { label: owner } ... on Cat { label: meow } } }").await,
        @r#"
    {
      "data": {
        "animals": [
          {
            "label": "Ada"
          },
          {
            "label": "loud"
          }
        ]
      }
    }
    "#
    );
    insta::assert_snapshot!(zoo.log(), @r#"
    a {animals{__typename ...on Dog{__typename id} ...on Cat{label: meow}}} {}
    b query($representations:[_Any!]!){_entities(representations: $representations){...on Dog{label: owner}}} {"representations":[{"__typename":"Dog","id":"1"}]}
    "#);
}

#[tokio::test]
async fn selections_of_one_field_merge_by_type() {
    let zoo = zoo();
    let document =
        "{ animals { friend { id } ... on Dog { friend { name } } ... on Cat { friend { __typename } } } }";
    insta::assert_snapshot!(zoo.run(document).await, @r#"
    {
      "data": {
        "animals": [
          {
            "friend": {
              "id": "2",
              "name": null
            }
          },
          {
            "friend": null
          }
        ]
      }
    }
    "#);
}

#[tokio::test]
async fn union_member_that_the_api_hides_is_null_with_an_error() {
    let zoo = zoo();
    insta::assert_snapshot!(
        zoo.run("{ search { __typename ... on Dog { name owner } ... on Plant { height } } }").await,
        @r#"
    {
      "data": {
        "search": [
          {
            "__typename": "Plant",
            "height": 12
          },
          {
            "__typename": "Dog",
            "name": "Rex",
            "owner": "Ada"
          },
          null,
          null
        ]
      },
      "errors": [
        {
          "message": "an object here is of no type that is part of `Result`",
          "path": [
            "search",
            2
          ],
          "extensions": {
            "code": "INTERNAL"
          }
        }
      ]
    }
    "#
    );
}

#[tokio::test]
async fn fragment_on_an_interface_counts_for_a_union_member() {
    let zoo = zoo();
    insta::assert_snapshot!(zoo.run("{ search { ... on Animal { id ... on Dog { bark } } } }").await, @r#"
    {
      "data": {
        "search": [
          {},
          {
            "id": "1",
            "bark": 3
          },
          null,
          null
        ]
      },
      "errors": [
        {
          "message": "an object here is of no type that is part of `Result`",
          "path": [
            "search",
            2
          ],
          "extensions": {
            "code": "INTERNAL"
          }
        }
      ]
    }
    "#);
}
