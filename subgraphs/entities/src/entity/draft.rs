//! An entity as a caller or a file gives it.

use serde::Serialize;
use serde_json::{Map, Value};

use super::row::{Details, EntityRow};
use crate::check::{self, Problem};

/// All that a caller decides about an entity. What is left out of an upsert is as in a new entity, so that the same
/// batch always leaves the same entities.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct EntityDraft {
    pub(crate) key: String,
    pub(crate) type_name: String,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) confidence: f64,
    pub(crate) properties: Map<String, Value>,
}

impl EntityDraft {
    /// Whether each field is well-formed; whether the properties fit the type is not asked here.
    pub(crate) fn check(&self) -> Result<(), Problem> {
        check::line("key", &self.key)?;
        check::type_name("type", &self.type_name)?;
        check::line("name", &self.name)?;
        self.description.as_deref().map_or(Ok(()), check::description)?;
        check::confidence(self.confidence)?;
        check::properties(&self.properties)
    }

    /// The draft that would leave `row` as it is.
    pub(crate) fn of(row: EntityRow) -> Self {
        let details = row.details.unwrap_or_else(|| Details { properties: Map::new(), description: None });
        Self {
            key: row.key,
            type_name: row.type_name,
            name: row.name,
            description: details.description,
            confidence: row.confidence,
            properties: details.properties,
        }
    }

    /// The names of the fields in which `row`, read with its details, differs.
    pub(crate) fn changes(&self, row: &EntityRow) -> Vec<&'static str> {
        let mut changed = Vec::new();
        let mut note = |differs: bool, name| {
            if differs {
                changed.push(name);
            }
        };
        note(self.type_name != row.type_name, "type");
        note(self.name != row.name, "name");
        note(self.confidence.total_cmp(&row.confidence).is_ne(), "confidence");
        if let Some(details) = &row.details {
            note(self.description != details.description, "description");
            note(!check::same_object(&self.properties, &details.properties), "properties");
        }
        changed
    }
}
