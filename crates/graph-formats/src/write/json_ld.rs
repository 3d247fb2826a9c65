//! JSON-LD 1.1: each relationship as a triple, and as a statement of RDF that its confidence and its properties belong to.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::json as write_json;
use crate::{Entity, Relationship};

const ENTITY: &str = "urn:pulse:entity:";
const TYPE: &str = "urn:pulse:type:";
const RELATIONSHIP: &str = "urn:pulse:relationship:";

pub(super) fn begin(out: &mut Vec<u8>) {
    let context = json!({
        "@version": 1.1,
        "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
        "key": "urn:pulse:graph:key",
        "name": "http://schema.org/name",
        "description": "http://schema.org/description",
        "confidence": "urn:pulse:graph:confidence",
        "properties": { "@id": "urn:pulse:graph:properties", "@type": "@json" },
        "source": { "@id": "rdf:subject", "@type": "@id" },
        "relationship": { "@id": "rdf:predicate", "@type": "@id" },
        "target": { "@id": "rdf:object", "@type": "@id" },
    });
    out.extend_from_slice(b"{\"@context\":");
    write_json(out, &context);
    out.extend_from_slice(b",\n\"@graph\":[");
}

pub(super) fn finish(out: &mut Vec<u8>) {
    out.extend_from_slice(b"\n]}\n");
}

pub(super) fn entity(out: &mut Vec<u8>, is_first: bool, entity: &Entity) {
    let Entity { key, r#type, name, description, confidence, properties } = entity;
    let mut node = Map::new();
    node.insert("@id".to_owned(), iri(ENTITY, key).into());
    node.insert("@type".to_owned(), iri(TYPE, r#type).into());
    node.insert("key".to_owned(), key.as_str().into());
    node.insert("name".to_owned(), name.as_str().into());
    if let Some(description) = description {
        node.insert("description".to_owned(), description.as_str().into());
    }
    if let Some(confidence) = confidence {
        node.insert("confidence".to_owned(), (*confidence).into());
    }
    if !properties.is_empty() {
        node.insert("properties".to_owned(), properties.clone().into());
    }
    put(out, is_first, &node.into());
}

pub(super) fn relationship(out: &mut Vec<u8>, is_first: bool, relationship: &Relationship) {
    let Relationship { r#type, source, target, confidence, properties } = relationship;
    let (source, target) = (iri(ENTITY, source), iri(ENTITY, target));
    let predicate = iri(RELATIONSHIP, r#type);
    let mut triple = Map::new();
    triple.insert("@id".to_owned(), source.as_str().into());
    triple.insert(predicate.clone(), json!({ "@id": target }));
    put(out, is_first, &triple.into());
    let mut statement = Map::new();
    statement.insert("@type".to_owned(), "rdf:Statement".into());
    statement.insert("source".to_owned(), source.into());
    statement.insert("relationship".to_owned(), predicate.into());
    statement.insert("target".to_owned(), target.into());
    if let Some(confidence) = confidence {
        statement.insert("confidence".to_owned(), (*confidence).into());
    }
    if !properties.is_empty() {
        statement.insert("properties".to_owned(), properties.clone().into());
    }
    put(out, false, &statement.into());
}

fn put(out: &mut Vec<u8>, is_first: bool, value: &Value) {
    out.extend_from_slice(if is_first { b"\n" } else { b",\n" });
    write_json(out, value);
}

/// An IRI with what is not unreserved written as per cent.
fn iri(prefix: &str, text: &str) -> String {
    let mut iri = prefix.to_owned();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte) {
            iri.push(char::from(byte));
        } else {
            write!(iri, "%{byte:02X}").expect("a String takes everything");
        }
    }
    iri
}
