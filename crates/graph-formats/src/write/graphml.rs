//! GraphML 1.0.

use serde_json::{Map, Value};

use super::attributes::{Kind, as_json, name_of};
use super::xml::{attribute, is_writable, text};
use super::{Attributes, WriteError};
use crate::{Entity, Relationship};

const BEGIN: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns" xmlns:pulse="urn:pulse:graph">
"#;

pub(super) fn begin(out: &mut Vec<u8>, attributes: &Attributes) {
    out.extend_from_slice(BEGIN.as_bytes());
    let description = if attributes.has_odd_descriptions { Kind::Json } else { Kind::Text };
    for (id, name, kind) in [
        ("type", "type", Kind::Text),
        ("name", "name", Kind::Text),
        ("description", "description", description),
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
    if !is_writable(&entity.name) {
        return Err(WriteError::Unwritable { what: "the name", text: entity.name.clone() });
    }
    data(out, "node.name", &entity.name);
    if let Some(description) = &entity.description {
        if attributes.has_odd_descriptions {
            data(out, "node.description", &as_json(&Value::from(description.as_str())));
        } else {
            data(out, "node.description", description);
        }
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
    let name = match kind {
        Kind::Boolean => "boolean",
        Kind::Long => "long",
        Kind::Double => "double",
        Kind::Text | Kind::Json => "string",
    };
    attribute(out, "attr.type", name);
    if kind == Kind::Json {
        attribute(out, "pulse:as", "json");
    }
    out.extend_from_slice(b"/>\n");
}

/// An attribute of the element itself.
fn own(out: &mut Vec<u8>, name: &str, (what, value): (&'static str, &str)) -> Result<(), WriteError> {
    if !is_writable(value) {
        return Err(WriteError::Unwritable { what, text: value.to_owned() });
    }
    attribute(out, name, value);
    Ok(())
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
    for (index, (name, kind)) in declared.enumerate() {
        if let Some(value) = properties.get(name) {
            data(out, &format!("{prefix}{index}"), &kind.text(value));
        }
    }
}
