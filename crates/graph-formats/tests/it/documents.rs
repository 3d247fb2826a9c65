//! What each format looks like.

use insta::assert_snapshot;
use pulse_graph_formats::{Entity, Item, Output, Relationship, WriteError, Writer};
use serde_json::json;

fn graph() -> Vec<Item> {
    let entity = |key: &str, name: &str, properties: serde_json::Value| {
        Item::Entity(Entity {
            key: key.to_owned(),
            r#type: "person".to_owned(),
            name: name.to_owned(),
            description: (key == "a").then(|| "first & \"best\"\nof all".to_owned()),
            confidence: Some(1.0),
            properties: properties.as_object().cloned().unwrap_or_default(),
        })
    };
    vec![
        entity("a", "Ada", json!({ "age": 36, "tags": ["x"], "height": 1.5 })),
        entity("b<c", "Bé", json!({ "height": 2, "name": "other", "active": true })),
        Item::Relationship(Relationship {
            r#type: "knows".to_owned(),
            source: "a".to_owned(),
            target: "b<c".to_owned(),
            confidence: Some(0.5),
            properties: json!({ "since": "1833" }).as_object().cloned().unwrap_or_default(),
        }),
    ]
}

fn document(output: Output) -> String {
    String::from_utf8(Writer::document(output, &graph()).expect("it can be written")).expect("it is UTF-8")
}

#[test]
fn lines_of_json() {
    assert_snapshot!(document(Output::JsonLines));
}

#[test]
fn graphml() {
    assert_snapshot!(document(Output::GraphMl));
}

#[test]
fn gexf() {
    assert_snapshot!(document(Output::Gexf));
}

#[test]
fn json_ld() {
    assert_snapshot!(document(Output::JsonLd));
}

#[test]
fn a_key_that_xml_cannot_have_is_named() {
    let mut graph = graph();
    if let Item::Entity(entity) = &mut graph[0] {
        entity.key = "a\u{ffff}".to_owned();
    }
    for output in [Output::GraphMl, Output::Gexf] {
        let expected = WriteError::Unwritable { what: "the key", text: "a\u{ffff}".to_owned() };
        assert_eq!(Writer::document(output, &graph), Err(expected));
    }
    assert!(Writer::document(Output::JsonLd, &graph).is_ok());
}
