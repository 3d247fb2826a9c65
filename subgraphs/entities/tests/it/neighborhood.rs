use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::{Graph, shown};

async fn graph() -> Graph {
    let graph = Graph::with_packages().await;
    let relationships = [
        ("a", "depends_on", "b"),
        ("a", "depends_on", "c"),
        ("a", "depends_on", "a"),
        ("a", "suggests", "b"),
        ("b", "depends_on", "a"),
        ("c", "suggests", "a"),
        ("a", "in_section", "libs"),
    ];
    graph.relate(&relationships).await;
    graph
}

const RELATIONSHIPS: &str = "query ($direction: RelationshipDirection!, $type: String, $first: Int, $after: String) \
    { entity(key: \"a\") { relationships(direction: $direction, type: $type, first: $first, after: $after) \
    { nodes { type source { key } target { key } } pageInfo { hasNextPage endCursor } totalCount } } }";
const NEIGHBORS: &str = "query ($direction: RelationshipDirection!, $type: String, $first: Int, $after: String) \
    { entity(key: \"a\") { neighbors(direction: $direction, type: $type, first: $first, after: $after) \
    { nodes { key description } pageInfo { hasNextPage endCursor } totalCount } } }";

fn lines(connection: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let nodes = connection["nodes"].as_array().unwrap();
    nodes
        .iter()
        .map(|node| match node.get("key") {
            Some(key) => text(key),
            None => [&node["source"]["key"], &node["type"], &node["target"]["key"]].map(text).join(" "),
        })
        .collect()
}

/// The connection in one page, after checking that pages of one and two give the same.
async fn all(graph: &Graph, query: &str, field: &str, variables: &Value) -> Value {
    let page_of = async |size: usize, after: &Value| {
        let mut variables = variables.clone();
        (variables["first"], variables["after"]) = (json!(size), after.clone());
        graph.data(query, variables).await["entity"][field].take()
    };
    let whole = page_of(50, &Value::Null).await;
    assert_eq!(whole["totalCount"], lines(&whole).len(), "{variables}");
    for size in [1, 2] {
        let (mut paged, mut after) = (Vec::new(), Value::Null);
        loop {
            let page = page_of(size, &after).await;
            paged.extend(lines(&page));
            assert!(paged.len() < 50, "{variables} does not end: {paged:?}");
            after = page["pageInfo"]["endCursor"].clone();
            if page["pageInfo"]["hasNextPage"] == false {
                break;
            }
        }
        assert_eq!(paged, lines(&whole), "{variables}");
    }
    whole
}

#[tokio::test]
async fn relationships_are_read_by_direction_and_type() {
    let graph = graph().await;
    let mut found = String::new();
    for direction in ["OUTGOING", "INCOMING", "BOTH"] {
        for name in [None, Some("depends_on"), Some("none")] {
            let variables = json!({ "direction": direction, "type": name });
            let mut lines = lines(&all(&graph, RELATIONSHIPS, "relationships", &variables).await);
            // Within a type they are in order of ids, which are random within a batch.
            lines.sort_unstable();
            let lines = if lines.is_empty() { "nothing".to_owned() } else { lines.join(", ") };
            found.push_str(&format!("{direction} {}: {lines}\n", name.unwrap_or("any")));
        }
    }
    assert_snapshot!(found, @r"
    OUTGOING any: a depends_on a, a depends_on b, a depends_on c, a in_section libs, a suggests b
    OUTGOING depends_on: a depends_on a, a depends_on b, a depends_on c
    OUTGOING none: nothing
    INCOMING any: a depends_on a, b depends_on a, c suggests a
    INCOMING depends_on: a depends_on a, b depends_on a
    INCOMING none: nothing
    BOTH any: a depends_on a, a depends_on b, a depends_on c, a in_section libs, a suggests b, b depends_on a, c suggests a
    BOTH depends_on: a depends_on a, a depends_on b, a depends_on c, b depends_on a
    BOTH none: nothing
    ");
}

#[tokio::test]
async fn neighbors_are_found_once_each() {
    let graph = graph().await;
    let mut found = String::new();
    for direction in ["OUTGOING", "INCOMING", "BOTH"] {
        for name in [None, Some("suggests")] {
            let variables = json!({ "direction": direction, "type": name });
            let mut lines = lines(&all(&graph, NEIGHBORS, "neighbors", &variables).await);
            lines.sort_unstable();
            let lines = if lines.is_empty() { "nothing".to_owned() } else { lines.join(", ") };
            found.push_str(&format!("{direction} {}: {lines}\n", name.unwrap_or("any")));
        }
    }
    assert_snapshot!(found, @r"
    OUTGOING any: a, b, c, libs
    OUTGOING suggests: b
    INCOMING any: a, b, c
    INCOMING suggests: c
    BOTH any: a, b, c, libs
    BOTH suggests: b, c
    ");
}

#[tokio::test]
async fn entities_and_relationships_resolve_by_their_keys() {
    let graph = graph().await;
    let of_a = graph.data(RELATIONSHIPS, json!({ "direction": "INCOMING", "type": "suggests" })).await;
    assert_eq!(lines(&of_a["entity"]["relationships"]), ["c suggests a"]);
    let find = "query ($representations: [_Any!]!) { _entities(representations: $representations) \
        { ... on Entity { key } ... on Relationship { type } } }";
    let relationship =
        graph.data("{ relationships(filter: { type: \"in_section\" }) { nodes { id } } }", json!({})).await;
    let representations = json!([
        { "__typename": "Entity", "id": graph.id_of("b").await },
        { "__typename": "Entity", "id": "01890a5d-ac96-774b-bcce-b302099a8057" },
        { "__typename": "Relationship", "id": relationship["relationships"]["nodes"][0]["id"] },
        { "__typename": "Entity", "id": graph.id_of("a").await },
    ]);
    let before = graph.store.statistics().statements();
    let response = graph.ask(find, json!({ "representations": representations })).await;
    assert_eq!(graph.store.statistics().statements() - before, 2);
    assert_snapshot!(shown(&response), @r#"
    {
      "data": {
        "_entities": [
          {
            "key": "b"
          },
          null,
          {
            "type": "in_section"
          },
          {
            "key": "a"
          }
        ]
      }
    }
    "#);
}

/// Statements of one request for entities with all that a request can ask of them.
async fn statements(size: usize, query: &str) -> u64 {
    let graph = Graph::new().await;
    graph.create_types(&["package"]).await;
    let key = |n: usize| format!("k{:03}", n % size);
    let items: Vec<_> = (0..size).map(|n| json!({ "key": key(n), "type": "package", "name": "K" })).collect();
    graph.upsert_entities(json!(items)).await;
    let pairs: Vec<_> = (0..size).flat_map(|n| (1..4).map(move |step| (key(n), key(n + step)))).collect();
    let pairs: Vec<_> = pairs.iter().map(|(source, target)| (&**source, "depends_on", &**target)).collect();
    graph.relate(&pairs).await;
    let before = graph.store.statistics().statements();
    let data = graph.data(query, json!({ "first": size })).await;
    assert_eq!(data["entities"]["nodes"].as_array().unwrap().len(), size);
    graph.store.statistics().statements() - before
}

#[tokio::test]
async fn entities_with_relationships_and_targets_are_two_statements_however_many() {
    let query = "query ($first: Int) { entities(filter: { type: \"package\" }, first: $first) { nodes { id key name type \
        relationships(direction: OUTGOING, first: 10) { nodes { id type source { key } target { id key name } } } } } }";
    assert_eq!(statements(5, query).await, 2);
    assert_eq!(statements(50, query).await, 2);
}

/// Which fields meet in one statement depends a little on which answers come first, so this is a bound: that of the
/// request, for any number of entities.
#[tokio::test]
async fn a_deep_request_has_one_bound_of_statements_for_any_number_of_entities() {
    let query = "query ($first: Int) { entities(first: $first) { totalCount nodes { description properties entityType { name } \
        neighbors(first: 2) { totalCount nodes { description } } relationships(direction: INCOMING, first: 2) \
        { totalCount nodes { target { key } source { description properties entityType { version } } } } } } }";
    for size in [5, 50] {
        let statements = statements(size, query).await;
        assert!(statements <= 16, "{statements} for {size}");
    }
}

/// Plain fields of nodes are answered without their resolvers, which fragments lead back to.
#[tokio::test]
async fn nodes_are_answered_the_same_with_and_without_resolvers() {
    let graph = graph().await;
    let entity = "__typename id ident: key type name confidence version createdAt updatedAt";
    let ends = format!("source {{ {entity} }} target {{ {entity} }}");
    let relationship = format!("__typename id kind: type {ends} confidence version createdAt updatedAt");
    let resolved = |fields: &str, of: &str| format!("... on {of} {{ {fields} }}");
    let shapes = [
        (relationship.clone(), entity.to_owned()),
        (resolved(&relationship, "Relationship"), resolved(entity, "Entity")),
        // Of each object something is not plain: a field that is read, or the same field in two places.
        (format!("{relationship} properties"), format!("{entity} properties")),
        (format!("{relationship} target {{ id }}"), format!("{entity} id")),
        (relationship.replace("target {", "target { entityType { name }"), entity.to_owned()),
    ];
    let mut answers = Vec::new();
    for (relationship, entity) in shapes {
        let query = format!(
            "{{ entity(key: \"a\") {{ relationships {{ nodes {{ {relationship} }} edges {{ node {{ {relationship} }} }} }} \
             neighbors {{ nodes {{ {entity} }} }} }} entities {{ nodes {{ {entity} }} }} \
             relationships {{ nodes {{ {relationship} }} }} }}"
        );
        let mut answer = graph.data(&query, json!({})).await;
        without(&mut answer, &["properties", "entityType"]);
        answers.push(answer);
    }
    let nodes = answers[0]["entity"]["relationships"]["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 7, "{nodes:?}");
    assert!(nodes.iter().all(|node| node["target"]["ident"].is_string()), "{nodes:?}");
    for answer in &answers[1..] {
        assert_eq!(answer.to_string(), answers[0].to_string());
    }
}

/// Lists of relationships read no more of their rows than is asked for; the rest is loaded where it is asked for after all.
#[tokio::test]
async fn what_a_list_of_relationships_has_left_out_is_loaded() {
    let graph = graph().await;
    let of_both = "confidence version createdAt updatedAt properties";
    let names = "id type source { key } target { key }";
    let asked = |own: &str| {
        format!(
            "{{ entity(key: \"a\") {{ relationships(direction: OUTGOING, type: \"suggests\") {{ nodes {{ target {{ key \
             relationships(direction: OUTGOING) {{ nodes {{ {names} source {{ key {own} }} }} }} }} }} }} }} }}"
        )
    };
    // The own end was read as another one's target, of which nothing but names was asked.
    let data = graph.data(&asked(of_both), json!({})).await;
    let found = &data["entity"]["relationships"]["nodes"][0]["target"]["relationships"]["nodes"][0]["source"];
    let whole = graph.data(&format!("{{ entity(key: \"b\") {{ key {of_both} }} }}"), json!({})).await;
    assert_eq!(*found, whole["entity"]);
    assert!(found["createdAt"].is_string(), "{found}");

    let before = graph.store.statistics().statements();
    graph.data(&asked(""), json!({})).await;
    assert_eq!(graph.store.statistics().statements() - before, 3);
}

fn without(value: &mut Value, names: &[&str]) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| without(item, names)),
        Value::Object(fields) => {
            fields.retain(|name, _| !names.contains(&name.as_str()));
            fields.values_mut().for_each(|field| without(field, names));
        }
        _ => {}
    }
}
