use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::{Graph, refusal};

const HISTORY: &str = "query ($at: DateTime, $first: Int, $after: String) { entities(orderBy: { field: KEY }) { nodes { key \
    history(at: $at, first: $first, after: $after) { nodes { version type name properties since until } pageInfo { hasNextPage endCursor } } } } }";

/// `a` in three versions and another type, `b` in one.
async fn graph() -> Graph {
    let graph = Graph::new().await;
    graph.create_types(&["draft", "package"]).await;
    let item = |key: &str, of_type: &str, name: &str, size: i64| json!({ "key": key, "type": of_type, "name": name, "properties": { "size": size } });
    graph.upsert_entities(json!([item("a", "draft", "A", 1)])).await;
    graph.upsert_entities(json!([item("a", "draft", "A", 2), item("b", "package", "B", 1)])).await;
    graph.upsert_entities(json!([item("a", "package", "new A", 2)])).await;
    graph
}

/// Each state of each entity as a line, times apart.
fn lines(data: &Value) -> String {
    let mut lines = String::new();
    for entity in data["entities"]["nodes"].as_array().unwrap() {
        for state in entity["history"]["nodes"].as_array().unwrap() {
            let (key, version) = (&entity["key"], &state["version"]);
            lines.push_str(&format!(
                "{key} {version} {} {} {}\n",
                state["type"], state["name"], state["properties"]
            ));
        }
    }
    lines
}

fn time_of(data: &Value, version: usize, which: &str) -> Value {
    let states = &data["entities"]["nodes"][0]["history"]["nodes"];
    states[3 - version][which].clone()
}

#[tokio::test]
async fn an_entity_tells_what_it_is_and_was() {
    let graph = graph().await;
    let all = graph.data(HISTORY, json!({})).await;
    assert_snapshot!(lines(&all), @r#"
    "a" 3 "package" "new A" {"size":2}
    "a" 2 "draft" "A" {"size":2}
    "a" 1 "draft" "A" {"size":1}
    "b" 1 "package" "B" {"size":1}
    "#);
    // One state ends where the next one begins.
    for version in [1, 2] {
        assert_eq!(time_of(&all, version, "until"), time_of(&all, version + 1, "since"));
    }
    assert_eq!(time_of(&all, 3, "until"), Value::Null);
    for version in 1..=3 {
        let at = time_of(&all, version, "since");
        let then = graph.data(HISTORY, json!({ "at": at, "first": 1 })).await;
        assert_eq!(then["entities"]["nodes"][0]["history"]["nodes"][0]["version"], version, "{at}");
    }
    let long_ago = graph.data(HISTORY, json!({ "at": "2000-01-01T00:00:00Z" })).await;
    assert_eq!(lines(&long_ago), "");
}

#[tokio::test]
async fn a_history_is_read_page_by_page() {
    let graph = graph().await;
    let history = "query ($after: String) { entity(key: \"a\") { history(first: 1, after: $after) \
                   { nodes { version } pageInfo { hasNextPage endCursor } } } }";
    let (mut versions, mut after) = (Vec::new(), Value::Null);
    loop {
        let data = graph.data(history, json!({ "after": after })).await;
        let page = &data["entity"]["history"];
        versions.push(page["nodes"][0]["version"].as_i64().unwrap());
        after = page["pageInfo"]["endCursor"].clone();
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    assert_eq!(versions, [3, 2, 1]);
    let mut refusals = String::new();
    for variables in [json!({ "first": 0 }), json!({ "after": "nonsense" })] {
        let history = "query ($first: Int, $after: String) { entity(key: \"a\") { history(first: $first, after: $after) { nodes { version } } } }";
        let (code, field, text) = refusal(&graph.ask(history, variables).await);
        refusals.push_str(&format!("{code} {field}: {text}\n"));
    }
    assert_snapshot!(refusals, @r"
    BAD_USER_INPUT first: `first` is 0, allowed is 1 to 100
    BAD_USER_INPUT : this cursor is not from this list with this order: start again without it
    ");
}
