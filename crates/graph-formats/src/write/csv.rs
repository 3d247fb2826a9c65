//! Two tables: of entities, and of relationships.

use serde_json::{Map, Value};

use super::json;
use crate::{Entity, Relationship};

pub(super) fn entities(out: &mut Vec<u8>) {
    out.extend_from_slice(b"key,type,name,description,confidence,properties\n");
}

pub(super) fn relationships(out: &mut Vec<u8>) {
    out.extend_from_slice(b"type,source,target,confidence,properties\n");
}

pub(super) fn entity(out: &mut Vec<u8>, entity: &Entity) {
    let description = entity.description.as_deref().unwrap_or_default();
    let (confidence, properties) = (number(entity.confidence), object(&entity.properties));
    row(out, &[&entity.key, &entity.r#type, &entity.name, description, &confidence, &properties]);
}

pub(super) fn relationship(out: &mut Vec<u8>, relationship: &Relationship) {
    let Relationship { r#type, source, target, confidence, properties } = relationship;
    row(out, &[r#type, source, target, &number(*confidence), &object(properties)]);
}

fn number(value: Option<f64>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn object(properties: &Map<String, Value>) -> String {
    if properties.is_empty() {
        return String::new();
    }
    let mut bytes = Vec::new();
    json(&mut bytes, properties);
    String::from_utf8(bytes).expect("JSON is UTF-8")
}

fn row(out: &mut Vec<u8>, cells: &[&str]) {
    for (index, cell) in cells.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        if cell.contains([',', '"', '\r', '\n']) {
            out.push(b'"');
            out.extend_from_slice(cell.replace('"', "\"\"").as_bytes());
            out.push(b'"');
        } else {
            out.extend_from_slice(cell.as_bytes());
        }
    }
    out.push(b'\n');
}
