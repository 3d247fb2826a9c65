//! What files have: entities, and relationships between them.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// One thing that a file has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Item {
    /// An entity.
    Entity(Entity),
    /// A relationship.
    Relationship(Relationship),
}

/// An entity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entity {
    /// By what relationships name it.
    pub key: String,
    /// What kind of thing it is.
    pub r#type: String,
    /// What people call it.
    pub name: String,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How sure it is, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// What else is known of it.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Map::is_empty")]
    pub properties: Map<String, Value>,
}

/// A relationship.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relationship {
    /// What kind of connection it is.
    pub r#type: String,
    /// The key of the entity that it goes out from.
    pub source: String,
    /// The key of the entity that it comes in to.
    pub target: String,
    /// How sure it is, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// What else is known of it.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Map::is_empty")]
    pub properties: Map<String, Value>,
}

/// `null` stands for no properties.
fn or_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Map<String, Value>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
