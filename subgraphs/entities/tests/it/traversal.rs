//! Walks through a graph in the database.

use pulse_types::Role;
use serde_json::{Value, json};

use crate::{Graph, refusal};

/// a needs b and c, both need d, d needs e and a; s is a section, through which everything is two hops away.
async fn graph() -> Graph {
    let graph = Graph::new().await;
    graph.create_types(&["package", "section"]).await;
    let package = |key: &str| json!({ "key": key, "type": "package", "name": key });
    let section = json!({ "key": "s", "type": "section", "name": "s" });
    let items: Vec<Value> =
        ["a", "b", "c", "d", "e", "f"].map(package).into_iter().chain([section]).collect();
    graph.upsert_entities(json!(items)).await;
    let needs = [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d"), ("d", "e"), ("d", "a")];
    let needs = needs.map(|(source, target)| (source, "needs", target));
    let sections = ["a", "e"].map(|source| (source, "in", "s"));
    graph.relate(&[&needs[..], &sections[..]].concat()).await;
    graph
}

/// Keys of a list, one word each.
fn keys(list: &Value, at: &str) -> String {
    let key = |node: &Value| node.pointer(at).and_then(Value::as_str).unwrap().to_owned();
    list.as_array().unwrap().iter().map(key).collect::<Vec<_>>().join(" ")
}

fn sorted(text: &str) -> String {
    let mut words: Vec<_> = text.split(' ').collect();
    words.sort_unstable();
    words.join(" ")
}

const SUBGRAPH: &str = "query ($from: [ID!]!, $direction: RelationshipDirection, $filter: TraversalFilter, $depth: Int, $limit: Int) \
    { subgraph(from: $from, direction: $direction, filter: $filter, depth: $depth, limit: $limit) \
    { nodes { distance entity { key } } edges { id type source { key } target { key } } cutOff relationshipsRead } }";
const SHORTEST: &str = "query ($from: ID!, $to: ID!, $direction: RelationshipDirection, $filter: TraversalFilter, $max: Int) \
    { shortestPath(from: $from, to: $to, direction: $direction, filter: $filter, maxHops: $max) \
    { path { length nodes { key } edges { type source { key } target { key } } } cutOff relationshipsRead } }";
const PATHS: &str = "query ($from: ID!, $to: ID!, $filter: TraversalFilter, $max: Int, $first: Int, $after: String) \
    { paths(from: $from, to: $to, filter: $filter, maxHops: $max, first: $first, after: $after) \
    { nodes { length nodes { key } } pageInfo { hasNextPage endCursor } totalCount cutOff } }";

#[tokio::test]
async fn a_subgraph_has_what_is_reached_and_how() {
    let graph = graph().await;
    let a = graph.id_of("a").await;
    let walk = async |variables: Value| {
        let mut variables = variables;
        variables["from"] = json!([a]);
        let found = graph.data(SUBGRAPH, variables).await["subgraph"].take();
        let edges = found["edges"].as_array().unwrap().iter();
        let edge = |edge: &Value| {
            assert!(edge["id"].is_string());
            format!("{}{}", edge["source"]["key"].as_str().unwrap(), edge["target"]["key"].as_str().unwrap())
        };
        let edges = edges.map(edge).collect::<Vec<_>>().join(" ");
        (sorted(&keys(&found["nodes"], "/entity/key")), sorted(&edges), found["cutOff"].clone())
    };
    let text = |nodes: &str, edges: &str, cut: Value| (nodes.to_owned(), edges.to_owned(), cut);
    assert_eq!(walk(json!({})).await, text("a b c s", "ab ac as", Value::Null));
    assert_eq!(walk(json!({ "depth": 2 })).await, text("a b c d s", "ab ac as bd cd", Value::Null));
    assert_eq!(
        walk(json!({ "depth": 9 })).await,
        text("a b c d e s", "ab ac as bd cd da de es", Value::Null)
    );
    assert_eq!(walk(json!({ "direction": "INCOMING" })).await, text("a d", "da", Value::Null));
    assert_eq!(
        walk(json!({ "direction": "BOTH", "depth": 1 })).await,
        text("a b c d s", "ab ac as da", Value::Null)
    );
    assert_eq!(
        walk(json!({ "filter": { "types": ["in"] }, "depth": 5 })).await,
        text("a s", "as", Value::Null)
    );
    assert_eq!(
        walk(json!({ "filter": { "entityTypes": ["package"] } })).await,
        text("a b c", "ab ac", Value::Null)
    );
    assert_eq!(walk(json!({ "filter": { "minConfidence": 1.0 } })).await.0, "a b c s");
    let cut = walk(json!({ "depth": 9, "limit": 3 })).await;
    assert_eq!((cut.0.split(' ').count(), cut.2), (3, json!("ENTITIES")));
}

#[tokio::test]
async fn a_shortest_path_is_told_hop_by_hop() {
    let graph = graph().await;
    let way = async |from: &str, to: &str, mut variables: Value| {
        variables["from"] = json!(graph.id_of(from).await);
        variables["to"] = json!(graph.id_of(to).await);
        let found = graph.data(SHORTEST, variables).await["shortestPath"].take();
        assert_eq!(found["cutOff"], Value::Null);
        match &found["path"] {
            Value::Null => "none".to_owned(),
            path => {
                let nodes = keys(&path["nodes"], "/key");
                assert_eq!(path["length"], path["edges"].as_array().unwrap().len());
                assert_eq!(path["length"], nodes.split(' ').count() - 1);
                nodes
            }
        }
    };
    assert_eq!(way("a", "a", json!({})).await, "a");
    assert_eq!(way("a", "b", json!({})).await, "a b");
    assert!(["a b d e", "a c d e"].contains(&&*way("a", "e", json!({})).await));
    assert_eq!(way("a", "e", json!({ "max": 2 })).await, "none");
    assert_eq!(way("a", "e", json!({ "direction": "BOTH" })).await.split(' ').count(), 3);
    assert_eq!(way("b", "a", json!({ "filter": { "types": ["needs"] } })).await, "b d a");
    assert_eq!(
        way("a", "s", json!({ "filter": { "entityTypes": ["package"] } })).await,
        "a s",
        "ends may be of any type"
    );
    assert_eq!(
        way("e", "a", json!({ "direction": "BOTH", "filter": { "entityTypes": ["package"] } })).await,
        "e d a"
    );
    assert_eq!(way("a", "f", json!({})).await, "none");
}

#[tokio::test]
async fn paths_come_in_pages() {
    let graph = graph().await;
    let (a, e) = (graph.id_of("a").await, graph.id_of("e").await);
    let page = async |first: usize, after: &Value| {
        let variables = json!({ "from": a, "to": e, "max": 4, "first": first, "after": after });
        graph.data(PATHS, variables).await["paths"].take()
    };
    let all = page(10, &Value::Null).await;
    let ways = |page: &Value| {
        page["nodes"].as_array().unwrap().iter().map(|way| keys(&way["nodes"], "/key")).collect::<Vec<_>>()
    };
    let mut found = ways(&all);
    assert_eq!((found.len(), &all["totalCount"], &all["cutOff"]), (2, &json!(2), &Value::Null));
    let one = page(1, &Value::Null).await;
    let two = page(1, &one["pageInfo"]["endCursor"]).await;
    assert_eq!([ways(&one), ways(&two)].concat(), found);
    assert_eq!(
        (&one["pageInfo"]["hasNextPage"], &two["pageInfo"]["hasNextPage"]),
        (&json!(true), &json!(false))
    );
    found.sort_unstable();
    assert_eq!(found, ["a b d e", "a c d e"]);
}

#[tokio::test]
async fn what_is_asked_wrongly_is_refused() {
    let graph = graph().await;
    let a = graph.id_of("a").await;
    let nobody = "01900000-0000-7000-8000-000000000000";
    let injection = "x' }) DETACH DELETE (n) //";
    for (query, variables, code, field) in [
        (SUBGRAPH, json!({ "from": [] }), "BAD_USER_INPUT", "from"),
        (SUBGRAPH, json!({ "from": vec![&a; 101] }), "BAD_USER_INPUT", "from"),
        (SUBGRAPH, json!({ "from": [a], "depth": 0 }), "BAD_USER_INPUT", "depth"),
        (SUBGRAPH, json!({ "from": [a], "depth": 11 }), "BAD_USER_INPUT", "depth"),
        (SUBGRAPH, json!({ "from": [a], "limit": 1001 }), "BAD_USER_INPUT", "limit"),
        (SUBGRAPH, json!({ "from": [a], "filter": { "types": [injection] } }), "BAD_USER_INPUT", "types"),
        (
            SUBGRAPH,
            json!({ "from": [a], "filter": { "entityTypes": vec!["t"; 51] } }),
            "BAD_USER_INPUT",
            "entityTypes",
        ),
        (
            SUBGRAPH,
            json!({ "from": [a], "filter": { "minConfidence": 1.5 } }),
            "BAD_USER_INPUT",
            "minConfidence",
        ),
        (SHORTEST, json!({ "from": a, "to": nobody }), "NOT_FOUND", "to"),
        (SHORTEST, json!({ "from": nobody, "to": a }), "NOT_FOUND", "from"),
        (SHORTEST, json!({ "from": a, "to": a, "max": 1_000_000 }), "BAD_USER_INPUT", "maxHops"),
        (PATHS, json!({ "from": a, "to": a, "max": 7 }), "BAD_USER_INPUT", "maxHops"),
        (PATHS, json!({ "from": a, "to": nobody }), "NOT_FOUND", "to"),
        (PATHS, json!({ "from": a, "to": a, "first": 0 }), "BAD_USER_INPUT", "first"),
        (PATHS, json!({ "from": a, "to": a, "after": "x" }), "BAD_USER_INPUT", ""),
    ] {
        let (given, on, text) = refusal(&graph.ask(query, variables.clone()).await);
        assert_eq!((given.as_str(), on.as_str()), (code, field), "{variables}: {text}");
    }
}

#[tokio::test]
async fn nobody_walks_through_the_graph_of_another_organization() {
    let graph = graph().await;
    let (a, e) = (graph.id_of("a").await, graph.id_of("e").await);
    let outsider = graph.of_another_organization();
    let walked = graph.ask_as(&outsider, SUBGRAPH, json!({ "from": [a], "depth": 3 })).await;
    assert_eq!(walked["data"]["subgraph"]["nodes"], json!([]));
    assert_eq!(walked["data"]["subgraph"]["edges"], json!([]));
    assert_eq!(
        refusal(&graph.ask_as(&outsider, SHORTEST, json!({ "from": a, "to": e })).await).0,
        "NOT_FOUND"
    );
    let viewer = graph.with_role(Role::Viewer);
    assert_eq!(graph.ask_as(&viewer, SUBGRAPH, json!({ "from": [a] })).await.get("errors"), None);
}
