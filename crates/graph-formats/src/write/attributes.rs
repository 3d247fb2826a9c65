//! Which attributes the items of a graph have, and of which types.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::xml::{check, is_writable};
use super::{WriteError, json};
use crate::mapping::PROPERTY_PREFIX;
use crate::{Entity, Relationship};

/// How many names of properties a graph may have, of entities and of relationships.
const MAX_NAMES: usize = 5_000;

/// What attributes of Pulse's own are called: properties have other names.
const OWN: [&str; 6] = ["key", "type", "name", "label", "description", "confidence"];

/// The properties that the items of a graph have.
#[derive(Debug, Clone, Default)]
pub struct Attributes {
    of_entities: BTreeMap<String, Kind>,
    of_relationships: BTreeMap<String, Kind>,
    /// Whether a description has what XML cannot have.
    has_odd_descriptions: bool,
}

/// The type of an attribute that has all values of a property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Boolean,
    Long,
    Double,
    Text,
    Json,
}

impl Attributes {
    /// Takes note of an entity.
    pub fn note_entity(&mut self, entity: &Entity) -> Result<(), WriteError> {
        self.has_odd_descriptions |= entity.description.as_deref().is_some_and(|text| !is_writable(text));
        note(&mut self.of_entities, &entity.properties)
    }

    /// Takes note of a relationship.
    pub fn note_relationship(&mut self, relationship: &Relationship) -> Result<(), WriteError> {
        note(&mut self.of_relationships, &relationship.properties)
    }

    pub(super) fn of_entities(&self) -> impl Iterator<Item = (&str, Kind)> {
        self.of_entities.iter().map(|(name, kind)| (name.as_str(), *kind))
    }

    pub(super) fn of_relationships(&self) -> impl Iterator<Item = (&str, Kind)> {
        self.of_relationships.iter().map(|(name, kind)| (name.as_str(), *kind))
    }

    /// Descriptions are texts, or all of them JSON if one has what XML cannot have.
    pub(super) const fn kind_of_descriptions(&self) -> Kind {
        if self.has_odd_descriptions { Kind::Json } else { Kind::Text }
    }

    /// A description as it is written.
    pub(super) fn description<'a>(&self, description: &'a str) -> Cow<'a, str> {
        if self.has_odd_descriptions { as_json(&Value::from(description)).into() } else { description.into() }
    }
}

fn note(known: &mut BTreeMap<String, Kind>, properties: &Map<String, Value>) -> Result<(), WriteError> {
    for (name, value) in properties {
        let kind = Kind::of(value);
        let count = known.len();
        match known.get_mut(name) {
            Some(known) => *known = known.with(kind),
            None if count >= MAX_NAMES => return Err(WriteError::TooManyNames(MAX_NAMES)),
            None => {
                check("the property", name)?;
                known.insert(name.clone(), kind);
            }
        }
    }
    Ok(())
}

impl Kind {
    fn of(value: &Value) -> Self {
        match value {
            Value::Bool(_) => Self::Boolean,
            Value::Number(number) if number.is_i64() => Self::Long,
            Value::Number(number) if number.is_f64() => Self::Double,
            Value::String(text) if is_writable(text) => Self::Text,
            _ => Self::Json,
        }
    }

    fn with(self, other: Self) -> Self {
        match (self, other) {
            (one, other) if one == other => one,
            (Self::Long, Self::Double) | (Self::Double, Self::Long) => Self::Double,
            _ => Self::Json,
        }
    }

    /// What GraphML and GEXF call it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Long => "long",
            Self::Double => "double",
            Self::Text | Self::Json => "string",
        }
    }

    /// The value as a text of this type.
    pub(super) fn text(self, value: &Value) -> String {
        match (self, value) {
            (Self::Text, Value::String(text)) => text.clone(),
            (Self::Json, value) => as_json(value),
            (_, value) => value.to_string(),
        }
    }
}

/// What an item has of the properties that are declared: by the id of each, `prefix` and its number.
pub(super) fn texts<'a>(
    prefix: &str,
    declared: impl Iterator<Item = (&'a str, Kind)>,
    properties: &Map<String, Value>,
) -> impl Iterator<Item = (String, String)> {
    declared.enumerate().filter_map(move |(index, (name, kind))| {
        let property = properties.get(name)?;
        Some((format!("{prefix}{index}"), kind.text(property)))
    })
}

/// JSON in which there is nothing that XML cannot have.
fn as_json(value: &Value) -> String {
    let mut bytes = Vec::new();
    json(&mut bytes, value);
    let text = String::from_utf8(bytes).expect("JSON is UTF-8");
    text.replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff")
}

/// What the attribute of a property is called.
pub(super) fn name_of(property: &str) -> String {
    if OWN.contains(&property) || property.starts_with('@') || property.starts_with(PROPERTY_PREFIX) {
        format!("{PROPERTY_PREFIX}{property}")
    } else {
        property.to_owned()
    }
}
