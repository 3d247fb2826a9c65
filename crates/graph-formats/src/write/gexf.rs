//! GEXF 1.3.

use serde_json::{Map, Value};

use super::attributes::{Kind, name_of, texts};
use super::xml::{attribute, own};
use super::{Attributes, WriteError};
use crate::{Entity, Relationship};

const BEGIN: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<gexf xmlns="http://gexf.net/1.3" version="1.3">
<graph defaultedgetype="directed">
"#;

pub(super) fn begin(out: &mut Vec<u8>, attributes: &Attributes) {
    out.extend_from_slice(BEGIN.as_bytes());
    out.extend_from_slice(b"<attributes class=\"node\">\n");
    for (name, kind) in [("type", Kind::Text), ("description", Kind::Text), ("confidence", Kind::Double)] {
        declare(out, name, (name, kind));
    }
    for (index, (name, kind)) in attributes.of_entities().enumerate() {
        declare(out, &format!("n{index}"), (&name_of(name), kind));
    }
    out.extend_from_slice(b"</attributes>\n<attributes class=\"edge\">\n");
    declare(out, "confidence", ("confidence", Kind::Double));
    for (index, (name, kind)) in attributes.of_relationships().enumerate() {
        declare(out, &format!("e{index}"), (&name_of(name), kind));
    }
    out.extend_from_slice(b"</attributes>\n<nodes>\n");
}

pub(super) fn edges(out: &mut Vec<u8>) {
    out.extend_from_slice(b"</nodes>\n<edges>\n");
}

pub(super) fn finish(out: &mut Vec<u8>) {
    out.extend_from_slice(b"</edges>\n</graph>\n</gexf>\n");
}

pub(super) fn entity(out: &mut Vec<u8>, attributes: &Attributes, entity: &Entity) -> Result<(), WriteError> {
    out.extend_from_slice(b"<node");
    own(out, "id", ("the key", &entity.key))?;
    own(out, "label", ("the name", &entity.name))?;
    out.extend_from_slice(b"><attvalues>");
    value(out, "type", &entity.r#type);
    if let Some(description) = &entity.description {
        value(out, "description", &attributes.description(description));
    }
    if let Some(confidence) = entity.confidence {
        value(out, "confidence", &confidence.to_string());
    }
    values(out, "n", attributes.of_entities(), &entity.properties);
    out.extend_from_slice(b"</attvalues></node>\n");
    Ok(())
}

pub(super) fn relationship(
    out: &mut Vec<u8>,
    attributes: &Attributes,
    (number, relationship): (u64, &Relationship),
) -> Result<(), WriteError> {
    out.extend_from_slice(b"<edge");
    attribute(out, "id", &number.to_string());
    own(out, "source", ("the key", &relationship.source))?;
    own(out, "target", ("the key", &relationship.target))?;
    attribute(out, "kind", &relationship.r#type);
    attribute(out, "label", &relationship.r#type);
    out.extend_from_slice(b"><attvalues>");
    if let Some(confidence) = relationship.confidence {
        value(out, "confidence", &confidence.to_string());
    }
    values(out, "e", attributes.of_relationships(), &relationship.properties);
    out.extend_from_slice(b"</attvalues></edge>\n");
    Ok(())
}

fn declare(out: &mut Vec<u8>, id: &str, (title, kind): (&str, Kind)) {
    out.extend_from_slice(b"<attribute");
    attribute(out, "id", id);
    attribute(out, "title", title);
    attribute(out, "type", kind.name());
    out.extend_from_slice(b"/>\n");
}

fn value(out: &mut Vec<u8>, of: &str, value: &str) {
    out.extend_from_slice(b"<attvalue");
    attribute(out, "for", of);
    attribute(out, "value", value);
    out.extend_from_slice(b"/>");
}

fn values<'a>(
    out: &mut Vec<u8>,
    prefix: &str,
    declared: impl Iterator<Item = (&'a str, Kind)>,
    properties: &Map<String, Value>,
) {
    for (id, text) in texts(prefix, declared, properties) {
        value(out, &id, &text);
    }
}
