//! What one line of JSON says.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::batch::Item;
use crate::entity::{EntityDraft, EntityRef};
use crate::relationship::RelationshipDraft;

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum JsonLine {
    Entity(EntityLine),
    Relationship(RelationshipLine),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EntityLine {
    key: String,
    r#type: String,
    name: String,
    description: Option<String>,
    confidence: Option<f64>,
    properties: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RelationshipLine {
    r#type: String,
    source: String,
    target: String,
    confidence: Option<f64>,
    properties: Option<Map<String, Value>>,
}

/// The item of a line, `None` for an empty line, or what is wrong with it.
pub(super) fn parse(line: &[u8], number: u64) -> Result<Option<Item>, String> {
    let line = if number == 1 { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) } else { line };
    let text = std::str::from_utf8(line)
        .map_err(|error| format!("not UTF-8 from byte {} of the line on", error.valid_up_to() + 1))?
        .trim();
    if text.is_empty() {
        return Ok(None);
    }
    if !text.starts_with('{') {
        return Err("not a JSON object".to_owned());
    }
    let line = serde_json::from_str(text).map_err(|error| {
        // serde_json counts lines of what it was given, which is this one line.
        let reason: String = error.to_string().chars().take(300).collect();
        reason.replace(" at line 1 column ", " at column ")
    })?;
    let item = match line {
        JsonLine::Entity(line) => Item::Entity(entity(line)),
        JsonLine::Relationship(line) => Item::Relationship(relationship(line)),
    };
    item.check().map_err(|problem| problem.text)?;
    Ok(Some(item))
}

fn entity(line: EntityLine) -> EntityDraft {
    let EntityLine { key, r#type: type_name, name, description, confidence, properties } = line;
    let (confidence, properties) = (confidence.unwrap_or(1.0), properties.unwrap_or_default());
    EntityDraft { key, type_name, name, description, confidence, properties }
}

fn relationship(line: RelationshipLine) -> RelationshipDraft {
    let RelationshipLine { r#type: type_name, source, target, confidence, properties } = line;
    RelationshipDraft {
        type_name,
        source: EntityRef::Key(source),
        target: EntityRef::Key(target),
        confidence: confidence.unwrap_or(1.0),
        properties: properties.unwrap_or_default(),
    }
}
