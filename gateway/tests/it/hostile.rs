//! Documents of a hundred kilobytes that mean no good: each is refused or answered in bounded time.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use pulse_gateway::{GatewayConfig, GatewayParts, LimitsConfig, StaticSource, Subgraphs};
use tokio::time::timeout;

use crate::support::clock;
use crate::support::gateway::{SUPERGRAPH, TestGateway, parts};

const SIZE: usize = 100_000;

fn repeated(before: &str, part: &str, after: &str) -> String {
    [before, &part.repeat(SIZE / part.len()), after].concat()
}

/// Fragments of which each spreads the next one twice.
fn doubling() -> String {
    let mut document = String::from("{ ...f0 }");
    for number in 0..1500 {
        let next = number + 1;
        write!(document, "fragment f{number} on Query {{ a{number}: hello ...f{next} ...f{next} }}").unwrap();
    }
    document.push_str("fragment f1500 on Query { hello }");
    document
}

fn documents() -> Vec<(&'static str, String)> {
    let numbered = |part: &dyn Fn(usize) -> String| (0..5000).map(part).collect::<String>();
    vec![
        ("open braces", "{".repeat(SIZE)),
        ("nested selections", ["{a".repeat(SIZE / 3), "}".repeat(SIZE / 3)].concat()),
        ("nested inline fragments", ["{...".repeat(SIZE / 5), "}".repeat(SIZE / 5)].concat()),
        ("open lists", ["{ echo(text: ", &"[".repeat(SIZE), ") }"].concat()),
        ("nested lists", ["{ echo(text: ", &"[".repeat(SIZE / 2), &"]".repeat(SIZE / 2), ") }"].concat()),
        (
            "nested objects",
            ["{ echo(text: ", &"{a:".repeat(SIZE / 4), "1", &"}".repeat(SIZE / 4), ") }"].concat(),
        ),
        (
            "nested types",
            ["query($a: ", &"[".repeat(SIZE / 2), "Int", &"]".repeat(SIZE / 2), ") { hello }"].concat(),
        ),
        ("aliases", format!("{{ {} }}", numbered(&|n| format!("a{n}: hello ")))),
        ("the same field", repeated("{ ", "hello ", "}")),
        ("unknown fields", format!("{{ {} }}", numbered(&|n| format!("unknown{n} ")))),
        ("directives", repeated("{ hello ", "@include(if: true) ", "}")),
        ("unknown directives", repeated("{ hello ", "@x ", "}")),
        ("variables", format!("query({}) {{ hello }}", numbered(&|n| format!("$v{n}: Int ")))),
        ("arguments", format!("{{ echo({}) }}", numbered(&|n| format!("a{n}: 1 ")))),
        ("operations", numbered(&|n| format!("query q{n} {{ hello }} "))),
        ("unused fragments", numbered(&|n| format!("fragment f{n} on Query {{ hello }} "))),
        ("spreads", format!("{} fragment f on Query {{ hello }}", repeated("{ ", "...f ", "}"))),
        ("fragments that double", doubling()),
        (
            "fragments in a circle",
            format!(
                "{{ ...a }} fragment a on Query {{ ...b {} }} fragment b on Query {{ ...a }}",
                "hello ".repeat(9000)
            ),
        ),
        ("a comment", format!("{{ hello }} #{}", "x".repeat(SIZE))),
        ("commas", repeated("{ hello ", ",", "}")),
        ("a long name", repeated("{ ", "a", " }")),
        ("a long number", repeated("{ echo(text: ", "9", ") }")),
        ("a string without end", repeated("{ echo(text: \"", "a", "")),
        ("block quotes", repeated("{ echo(text: ", "\"\"\"", ") }")),
        ("unicode", repeated("{ echo(text: \"", "\u{1F980}", "\") }")),
        ("null bytes", repeated("{ hello ", "\u{0}", "}")),
        ("type definitions", repeated("{ hello } ", "type A { a: Int } ", "")),
    ]
}

#[tokio::test]
async fn a_hostile_document_is_refused_or_bounded_and_hurts_nobody_else() {
    let gateway = TestGateway::start().await;
    let mut outcomes = Vec::new();
    for (name, document) in documents() {
        let body = serde_json::json!({ "query": document }).to_string();
        let asked = async { tokio::join!(gateway.post(body), gateway.post(r#"{"query":"{ hello }"}"#)) };
        let (reply, healthy) =
            timeout(Duration::from_secs(30), asked).await.unwrap_or_else(|_| panic!("{name}"));
        assert_eq!(healthy.text(), r#"{"data":{"hello":"hello"}}"#, "{name}");
        assert!(reply.body.len() < 2 * SIZE, "{name}: {} bytes", reply.body.len());
        let text = reply.text();
        let shown: String = text.chars().take(150).collect();
        outcomes.push(format!("{name}: {} {shown}", reply.status.as_u16()));
    }
    insta::assert_snapshot!(outcomes.join("\n"), @r#"
    open braces: 400 {"errors":[{"message":"the document has 100000 tokens, the limit is 10000","extensions":{"code":"BAD_USER_INPUT","reason":"GRAPHQL_LIMIT_EXCEEDED"}}]}
    nested selections: 400 {"errors":[{"message":"the document has 99999 tokens, the limit is 10000","extensions":{"code":"BAD_USER_INPUT","reason":"GRAPHQL_LIMIT_EXCEEDED"}}]}
    nested inline fragments: 400 {"errors":[{"message":"the document has 60000 tokens, the limit is 10000","extensions":{"code":"BAD_USER_INPUT","reason":"GRAPHQL_LIMIT_EXCEEDED"}}]}
    open lists: 400 {"errors":[{"message":"the document has 100007 tokens, the limit is 10000","extensions":{"code":"BAD_USER_INPUT","reason":"GRAPHQL_LIMIT_EXCEEDED"}}]}
    nested lists: 400 {"errors":[{"message":"the document has 100007 tokens, the limit is 10000","extensions":{"code":"BAD_USER_INPUT","reason":"GRAPHQL_LIMIT_EXCEEDED"}}]}
    nested objects: 400 {"errors":[{"message":"the document has 100008 tokens, the limit is 10000","extensions":{"code":"BAD_USER_INPUT","reason":"GRAPHQL_LIMIT_EXCEEDED"}}]}
    nested types: 400 {"errors":[{"message":"the document has 100010 tokens, the limit is 10000","extensions":{"code":"BAD_USER_INPUT","reason":"GRAPHQL_LIMIT_EXCEEDED"}}]}
    aliases: 400 {"errors":[{"message":"the document has 15002 tokens, the limit is 10000","extensions":{"code":"BAD_USER_INPUT","reason":"GRAPHQL_LIMIT_EXCEEDED"}}]}
    the same field: 400 {"errors":[{"message":"the document has 16668 tokens, the limit is 10000","extensions":{"code":"BAD_USER_INPUT","reason":"GRAPHQL_LIMIT_EXCEEDED"}}]}
    unknown fields: 400 {"errors":[{"message":"query selects 5000 root fields, the limit is 30","extensions":{"code":"BAD_USER_INPUT","reason":"GRAPHQL_LIMIT_EXCEEDED"}}]}
    directives: 400 {"errors":[{"message":"the document has 36844 tokens, the limit is 10000","extensions":{"code":"BAD_USER_INPUT","reason":"GRAPHQL_LIMIT_EXCEEDED"}}]}
    unknown directives: 400 {"errors":[{"message":"the document has 66669 tokens, the limit is 10000","extensions":{"code":"BAD_USER_INPUT","reason":"GRAPHQL_LIMIT_EXCEEDED"}}]}
    variables: 400 {"errors":[{"message":"the document has 20006 tokens, the limit is 10000","extensions":{"code":"BAD_USER_INPUT","reason":"GRAPHQL_LIMIT_EXCEEDED"}}]}
    arguments: 400 {"errors":[{"message":"the document has 15005 tokens, the limit is 10000","extensions":{"code":"BAD_USER_INPUT","reason":"GRAPHQL_LIMIT_EXCEEDED"}}]}
    operations: 400 {"errors":[{"message":"the document has 25000 tokens, the limit is 10000","extensions":{"code":"BAD_USER_INPUT","reason":"GRAPHQL_LIMIT_EXCEEDED"}}]}
    unused fragments: 400 {"errors":[{"message":"the document has 35000 tokens, the limit is 10000","extensions":{"code":"BAD_USER_INPUT","reason":"GRAPHQL_LIMIT_EXCEEDED"}}]}
    spreads: 400 {"errors":[{"message":"the document has 40009 tokens, the limit is 10000","extensions":{"code":"BAD_USER_INPUT","reason":"GRAPHQL_LIMIT_EXCEEDED"}}]}
    fragments that double: 400 {"errors":[{"message":"the document has 19511 tokens, the limit is 10000","extensions":{"code":"BAD_USER_INPUT","reason":"GRAPHQL_LIMIT_EXCEEDED"}}]}
    fragments in a circle: 400 {"errors":[{"message":"query selects `hello` 9000 times in one place, the limit is 50","extensions":{"code":"BAD_USER_INPUT","reason":"GRAPHQL_LIMIT_E
    a comment: 200 {"data":{"hello":"hello"}}
    commas: 200 {"data":{"hello":"hello"}}
    a long name: 400 {"errors":[{"message":"Cannot query field \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    a long number: 400 {"errors":[{"message":"the document is not valid GraphQL: number too large to fit in target type","locations":[{"line":1,"column":14}],"extensions":{"
    a string without end: 400 {"errors":[{"message":"the document is not valid GraphQL: unexpected unterminated string value, unexpected end of input, expected intvalue or floatval
    block quotes: 400 {"errors":[{"message":"the document has 16672 tokens, the limit is 10000","extensions":{"code":"BAD_USER_INPUT","reason":"GRAPHQL_LIMIT_EXCEEDED"}}]}
    unicode: 200 {"data":{"echo":"echo"}}
    null bytes: 400 {"errors":[{"message":"the document has 100003 tokens, the limit is 10000","extensions":{"code":"BAD_USER_INPUT","reason":"GRAPHQL_LIMIT_EXCEEDED"}}]}
    type definitions: 400 {"errors":[{"message":"the document has 38888 tokens, the limit is 10000","extensions":{"code":"BAD_USER_INPUT","reason":"GRAPHQL_LIMIT_EXCEEDED"}}]}
    "#);
}

/// A supergraph whose subgraphs can all do nearly everything, so that there are very many ways to fetch anything.
fn tangled() -> String {
    let graphs = 8;
    let (head, _) = SUPERGRAPH.split_once("enum join__Graph").unwrap();
    let (_, purposes) = SUPERGRAPH.split_once("enum link__Purpose").unwrap();
    let purposes = purposes.split_once('}').unwrap().0;
    let head = head.replace("  mutation: Mutation\n  subscription: Subscription\n", "");
    let every = |part: &dyn Fn(usize) -> String| (0..graphs).map(part).collect::<String>();
    let listed =
        every(&|n| format!("  G{n} @join__graph(name: \"g{n}\", url: \"http://localhost:1/graphql\")\n"));
    let roots = every(&|n| format!(" @join__type(graph: G{n})"));
    let keys = every(&|n| {
        format!(" @join__type(graph: G{n}, key: \"id\") @join__type(graph: G{n}, key: \"id{n}\")")
    });
    let ids = every(&|n| format!("  id{n}: ID!\n  only{n}: Int @join__field(graph: G{n})\n"));
    format!(
        "{head}enum join__Graph {{\n{listed}}}\nenum link__Purpose{purposes}}}\n\
         type Query{roots} {{ start: T }}\n\
         type T{keys} {{\n  id: ID!\n  next: T\n  other: T\n{ids}}}\n"
    )
}

#[tokio::test]
async fn a_plan_that_explodes_is_given_up_in_time_and_others_are_planned_meanwhile() {
    let limits = LimitsConfig { planning_timeout: Duration::from_millis(500), ..LimitsConfig::default() };
    let config = GatewayConfig { limits, ..GatewayConfig::default() };
    let parts = GatewayParts {
        subgraphs: Subgraphs::remote(&config, None, clock()),
        source: Arc::new(StaticSource::new(tangled())),
        ..parts()
    };
    let gateway = TestGateway::with(parts, config).await;
    let mut selection = "only0 only1 only2 only3 only4 only5 only6 only7".to_owned();
    for level in 0..9 {
        selection = format!(
            "only{} next {{ {selection} }} other {{ only3 only5 next {{ only1 only7 }} }}",
            level % 8
        );
    }
    let body = serde_json::json!({ "query": format!("{{ start {{ {selection} }} }}") }).to_string();
    let asked = async { tokio::join!(gateway.post(body), gateway.post(r#"{"query":"{ __typename }"}"#)) };
    let (reply, healthy) = timeout(Duration::from_mins(1), asked).await.unwrap();
    assert_eq!(healthy.text(), r#"{"data":{"__typename":"Query"}}"#);
    // A fast machine may be done in time; nobody answers at those addresses.
    let text = reply.text();
    assert!(text.contains("PLANNING_TIMED_OUT") || text.contains("UNAVAILABLE"), "{text}");
}
