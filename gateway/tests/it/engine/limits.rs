//! Limits: each has a case that goes past it.

use std::fmt::Write as _;

use pulse_gateway::engine::EngineConfig;

use super::shop::shop;
use super::supergraphs::Blueprint;

#[tokio::test]
async fn depth_bomb_is_refused() {
    let platform = shop().build();
    let document = format!("{{ me {}{{ id }}{} }}", "{ reviews { author ".repeat(20), " } }".repeat(20));
    insta::assert_snapshot!(platform.refusal(&document).await, @r#"
    [
      {
        "message": "query is 42 levels deep, the limit is 20",
        "extensions": {
          "code": "BAD_USER_INPUT",
          "reason": "GRAPHQL_LIMIT_EXCEEDED"
        }
      }
    ]
    "#);
}

#[tokio::test]
async fn depth_counts_through_fragments() {
    let platform = shop().build();
    let mut document = String::from("{ me { ...F0 } } fragment F12 on User { id }");
    for level in 0..12 {
        let _ =
            write!(document, " fragment F{level} on User {{ reviews {{ author {{ ...F{} }} }} }}", level + 1);
    }
    insta::assert_snapshot!(platform.refusal(&document).await, @r#"
    [
      {
        "message": "query is 26 levels deep, the limit is 20",
        "extensions": {
          "code": "BAD_USER_INPUT",
          "reason": "GRAPHQL_LIMIT_EXCEEDED"
        }
      }
    ]
    "#);
}

#[tokio::test]
async fn alias_bomb_is_refused() {
    let platform = shop().build();
    let aliases: Vec<_> = (0..101).map(|n| format!("a{n}: id")).collect();
    let aliases = aliases.join(" ");
    insta::assert_snapshot!(platform.refusal(&format!("{{ me {{ {aliases} }} }}")).await, @r#"
    [
      {
        "message": "query uses 101 aliases, the limit is 100",
        "extensions": {
          "code": "BAD_USER_INPUT",
          "reason": "GRAPHQL_LIMIT_EXCEEDED"
        }
      }
    ]
    "#);
}

#[tokio::test]
async fn fragment_bomb_is_refused_without_being_written_out() {
    let platform = shop().build();
    let mut document = String::from("{ me { ...F0 } } fragment F20 on User { id }");
    for level in 0..20 {
        let next = level + 1;
        let _ = write!(document, " fragment F{level} on User {{ ...F{next} ... on User {{ ...F{next} }} }}");
    }
    insta::assert_snapshot!(platform.refusal(&document).await, @r#"
    [
      {
        "message": "query selects 1048577 fields with its fragments written out, the limit is 5000",
        "extensions": {
          "code": "BAD_USER_INPUT",
          "reason": "GRAPHQL_LIMIT_EXCEEDED"
        }
      }
    ]
    "#);
}

#[tokio::test]
async fn root_field_and_directive_and_token_limits_hold() {
    let config =
        EngineConfig { max_root_fields: 2, max_directives: 1, max_tokens: 30, ..EngineConfig::default() };
    let platform = shop().config(config).build();
    insta::assert_snapshot!(platform.refusal("{ me { id } users { id } grid { upc } }").await, @r#"
    [
      {
        "message": "query selects 3 root fields, the limit is 2",
        "extensions": {
          "code": "BAD_USER_INPUT",
          "reason": "GRAPHQL_LIMIT_EXCEEDED"
        }
      }
    ]
    "#);
    insta::assert_snapshot!(
        platform.refusal("{ me { id @skip(if: false) name @skip(if: false) } }").await,
        @r#"
    [
      {
        "message": "query uses 2 directives, the limit is 1",
        "extensions": {
          "code": "BAD_USER_INPUT",
          "reason": "GRAPHQL_LIMIT_EXCEEDED"
        }
      }
    ]
    "#
    );
    insta::assert_snapshot!(platform.refusal(&format!("{{ me {{ {} }} }}", "id ".repeat(50))).await, @r#"
    [
      {
        "message": "the document has 55 tokens, the limit is 30",
        "extensions": {
          "code": "BAD_USER_INPUT",
          "reason": "GRAPHQL_LIMIT_EXCEEDED"
        }
      }
    ]
    "#);
}

#[tokio::test]
async fn fragments_that_contain_each_other_are_refused() {
    let platform = shop().build();
    let document =
        "{ me { ...A } } fragment A on User { reviews { author { ...B } } } fragment B on User { ...A }";
    insta::assert_snapshot!(platform.refusal(document).await, @r#"
    [
      {
        "message": "the fragment `A` contains itself",
        "locations": [
          {
            "line": 1,
            "column": 17
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
async fn megabyte_of_brackets_is_refused_before_it_is_parsed() {
    let config = EngineConfig { max_tokens: usize::MAX, ..EngineConfig::default() };
    let platform = shop().config(config).build();
    for opening in ["{me", "{a(x:[", "{a(x:{y:", "query($x:[", "{...", "("] {
        let document = opening.repeat(1_000_000 / opening.len());
        let errors = platform.engine.prepare(&document, None).await.unwrap_err();
        assert!(errors[0].message.contains("levels deep, the limit is 48"), "{opening}: {}", errors[0]);
    }
}

#[tokio::test]
async fn deepest_allowed_nesting_fits_the_stack() {
    let config = EngineConfig { max_depth: 100, ..EngineConfig::default() };
    let platform = shop().config(config).build();
    let nested = format!("{{ me {{ {} id {} }} }}", "... {".repeat(44), "}".repeat(44));
    platform.engine.prepare(&nested, None).await.unwrap();
    let deep = format!("{{ me {}{{ id }}{} }}", "{ reviews { author ".repeat(22), " } }".repeat(22));
    platform.engine.prepare(&deep, None).await.unwrap();
    let list = format!("{{ echo(at: {}{}) }}", "[".repeat(45), "]".repeat(45));
    platform.engine.prepare(&list, None).await.unwrap();
}

#[tokio::test]
async fn text_inside_strings_and_comments_is_no_nesting() {
    let platform = shop().build();
    let brackets = "{".repeat(1000);
    let document = format!(
        "# {brackets}\n{{ a: echo(text: \"{brackets}\\\"\") b: echo(text: \"\"\"{brackets}\"\"\") }}"
    );
    assert!(platform.engine.prepare(&document, None).await.is_ok());
}

#[tokio::test]
async fn field_repeated_without_end_is_refused() {
    let platform = shop().build();
    let repeated = "... { reviews { id } } reviews { id } ".repeat(100);
    insta::assert_snapshot!(platform.refusal(&format!("{{ me {{ {repeated} }} }}")).await, @r#"
    [
      {
        "message": "query selects `reviews` 200 times in one place, the limit is 50",
        "extensions": {
          "code": "BAD_USER_INPUT",
          "reason": "GRAPHQL_LIMIT_EXCEEDED"
        }
      }
    ]
    "#);
}

#[tokio::test]
async fn interfaces_that_would_multiply_in_planning_are_refused() {
    let mut types = String::from(
        r"type Query @join__type(graph: A) @join__type(graph: B) { node: Node @join__field(graph: A) }
        interface Node @join__type(graph: A) @join__type(graph: B) {
          id: ID!
          next: Node @join__field(graph: A)
        }",
    );
    for n in 0..8 {
        let _ = write!(
            types,
            r#" type N{n} implements Node
              @join__implements(graph: A, interface: "Node") @join__implements(graph: B, interface: "Node")
              @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {{
              id: ID!
              next: Node @join__field(graph: A)
            }}"#
        );
    }
    let empty = serde_json::json!({ "Query": {} });
    let platform = Blueprint::new(types.leak(), vec![("a", empty.clone()), ("b", empty)]).build();
    let nested = |levels| format!("{{ node {}{{ id }}{} }}", "{ next ".repeat(levels), "}".repeat(levels));
    platform.engine.prepare(&nested(2), None).await.unwrap();
    insta::assert_snapshot!(platform.refusal(&nested(15)).await, @r#"
    [
      {
        "message": "query nests so many fields of interfaces that planning would take too long: nest them less deeply",
        "extensions": {
          "code": "BAD_USER_INPUT",
          "reason": "GRAPHQL_LIMIT_EXCEEDED"
        }
      }
    ]
    "#);
}
