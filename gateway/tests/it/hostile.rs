//! Documents of a hundred kilobytes that mean no good: each is refused or answered in bounded time.

use std::time::Duration;

use tokio::time::timeout;

use crate::support::gateway::TestGateway;

const SIZE: usize = 100_000;

fn repeated(before: &str, part: &str, after: &str) -> String {
    [before, &part.repeat(SIZE / part.len()), after].concat()
}

/// Fragments of which each spreads the next one twice.
fn doubling() -> String {
    let mut document = String::from("{ ...f0 }");
    for number in 0..1500 {
        let next = number + 1;
        document
            .push_str(&format!("fragment f{number} on Query {{ a{number}: hello ...f{next} ...f{next} }}"));
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
    insta::assert_snapshot!(outcomes.join("\n"), @"");
}
