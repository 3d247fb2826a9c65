//! GraphML 1.0.

use serde_json::{Map, Value};

use super::attributes::{Kind, name_of, texts};
use super::xml::{attribute, check, own, text};
use super::{Attributes, WriteError};
use crate::{Entity, Relationship};

const BEGIN: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns" xmlns:pulse="urn:pulse:graph">
"#;

pub(super) fn begin(out: &mut Vec<u8>, attributes: &Attributes) {
    out.extend_from_slice(BEGIN.as_bytes());
    for (id, name, kind) in [
        ("type", "type", Kind::Text),
        ("name", "name", Kind::Text),
        ("description", "description", attributes.kind_of_descriptions()),
        ("confidence", "confidence", Kind::Double),
    ] {
        key(out, "node", &format!("node.{id}"), (name, kind));
    }
    for (index, (name, kind)) in attributes.of_entities().enumerate() {
        key(out, "node", &format!("n{index}"), (&name_of(name), kind));
    }
    for (id, kind) in [("type", Kind::Text), ("confidence", Kind::Double)] {
        key(out, "edge", &format!("edge.{id}"), (id, kind));
    }
    for (index, (name, kind)) in attributes.of_relationships().enumerate() {
        key(out, "edge", &format!("e{index}"), (&name_of(name), kind));
    }
    out.extend_from_slice(b"<graph edgedefault=\"directed\">\n");
}

pub(super) fn finish(out: &mut Vec<u8>) {
    out.extend_from_slice(b"</graph>\n</graphml>\n");
}

pub(super) fn entity(out: &mut Vec<u8>, attributes: &Attributes, entity: &Entity) -> Result<(), WriteError> {
    out.extend_from_slice(b"<node");
    own(out, "id", ("the key", &entity.key))?;
    out.push(b'>');
    data(out, "node.type", &entity.r#type);
    check("the name", &entity.name)?;
    data(out, "node.name", &entity.name);
    if let Some(description) = &entity.description {
        data(out, "node.description", &attributes.description(description));
    }
    if let Some(confidence) = entity.confidence {
        data(out, "node.confidence", &confidence.to_string());
    }
    properties(out, "n", attributes.of_entities(), &entity.properties);
    out.extend_from_slice(b"</node>\n");
    Ok(())
}

pub(super) fn relationship(
    out: &mut Vec<u8>,
    attributes: &Attributes,
    relationship: &Relationship,
) -> Result<(), WriteError> {
    out.extend_from_slice(b"<edge");
    own(out, "source", ("the key", &relationship.source))?;
    own(out, "target", ("the key", &relationship.target))?;
    out.push(b'>');
    data(out, "edge.type", &relationship.r#type);
    if let Some(confidence) = relationship.confidence {
        data(out, "edge.confidence", &confidence.to_string());
    }
    properties(out, "e", attributes.of_relationships(), &relationship.properties);
    out.extend_from_slice(b"</edge>\n");
    Ok(())
}

fn key(out: &mut Vec<u8>, of: &str, id: &str, (name, kind): (&str, Kind)) {
    out.extend_from_slice(b"<key");
    attribute(out, "id", id);
    attribute(out, "for", of);
    attribute(out, "attr.name", name);
    attribute(out, "attr.type", kind.name());
    if kind == Kind::Json {
        attribute(out, "pulse:as", "json");
    }
    out.extend_from_slice(b"/>\n");
}

fn data(out: &mut Vec<u8>, key: &str, value: &str) {
    out.extend_from_slice(b"<data");
    attribute(out, "key", key);
    out.push(b'>');
    text(out, value);
    out.extend_from_slice(b"</data>");
}

fn properties<'a>(
    out: &mut Vec<u8>,
    prefix: &str,
    declared: impl Iterator<Item = (&'a str, Kind)>,
    properties: &Map<String, Value>,
) {
    for (id, text) in texts(prefix, declared, properties) {
        data(out, &id, &text);
    }
}
