//! Which columns are what.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Number, Value};

use crate::{Entity, Item, Relationship};

/// What comes before the name of a property that would otherwise be taken for something else.
pub(crate) const PROPERTY_PREFIX: &str = "property:";

/// Which columns of CSV, or attributes of GraphML, are what. `@id`, `@source` and `@target` are those of nodes and edges.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mapping {
    delimiter: Option<char>,
    entities: Option<EntityColumns>,
    relationships: Option<RelationshipColumns>,
}

/// A mapping that makes no sense.
#[derive(Debug, thiserror::Error)]
pub enum MappingError {
    /// It is not written as one.
    #[error("the mapping is not as it should be: {0}")]
    Form(String),
    /// CSV has delimiters of one byte.
    #[error(
        "the mapping's `delimiter` is {0:?}: allowed is one character of ASCII, such as \";\" or \"\\t\""
    )]
    Delimiter(char),
}

/// Columns of an entity.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EntityColumns {
    key: Field,
    r#type: Field,
    /// The key, where there is none.
    name: Option<Field>,
    description: Option<Field>,
    confidence: Option<Field>,
    #[serde(default)]
    properties: Properties,
    #[serde(default)]
    others: Others,
    /// Whether columns that are named may be missing.
    #[serde(skip)]
    lenient: bool,
}

/// Columns of a relationship.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RelationshipColumns {
    r#type: Field,
    source: Field,
    target: Field,
    confidence: Option<Field>,
    #[serde(default)]
    properties: Properties,
    #[serde(default)]
    others: Others,
    #[serde(skip)]
    lenient: bool,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(
    untagged,
    deny_unknown_fields,
    expecting = "expected a column's name, {\"column\": …, \"prefix\": …} or {\"value\": …}"
)]
enum Field {
    Column(String),
    Prefixed {
        column: String,
        #[serde(default)]
        prefix: String,
    },
    Value {
        value: String,
    },
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged, expecting = "expected the name of a column of JSON, or an object of properties")]
enum Properties {
    Column(String),
    Each(BTreeMap<String, Property>),
}

impl Default for Properties {
    fn default() -> Self {
        Self::Each(BTreeMap::new())
    }
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(
    untagged,
    deny_unknown_fields,
    expecting = "expected a column's name, or {\"column\": …, \"as\": \"text\", \"integer\", \"number\", \"boolean\" or \"json\"}"
)]
enum Property {
    Column(String),
    Typed { column: String, r#as: Kind },
}

/// What a text is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Text,
    Integer,
    Number,
    Boolean,
    Json,
}

/// What becomes of columns that are not named.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Others {
    #[default]
    Refuse,
    Ignore,
    Properties,
}

/// A row of a table, or a node or an edge.
pub(crate) trait Row {
    /// The value in this column, unless there is none.
    fn value(&self, column: &str) -> Option<Value>;
    /// All columns that have a name of the file's.
    fn columns(&self) -> impl Iterator<Item = &str>;
}

impl Mapping {
    /// Reads a mapping, which is JSON.
    pub fn try_new(text: &str) -> Result<Self, MappingError> {
        let mapping: Self =
            serde_json::from_str(text).map_err(|error| MappingError::Form(error.to_string()))?;
        match mapping.delimiter {
            Some(delimiter) if !delimiter.is_ascii() || matches!(delimiter, '"' | '\r' | '\n' | '\0') => {
                Err(MappingError::Delimiter(delimiter))
            }
            _ => Ok(mapping),
        }
    }

    pub(crate) fn delimiter(&self) -> u8 {
        self.delimiter.and_then(|delimiter| u8::try_from(delimiter).ok()).unwrap_or(b',')
    }

    /// What tables may be.
    pub(crate) fn of_csv(&self) -> (Option<EntityColumns>, Option<RelationshipColumns>) {
        if self.entities.is_none() && self.relationships.is_none() {
            let json = || Properties::Column("properties".to_owned());
            let entities = EntityColumns::usual("key", json(), Others::Refuse);
            let relationships = RelationshipColumns::usual(("source", "target"), json(), Others::Refuse);
            return (Some(entities), Some(relationships));
        }
        (self.entities.clone(), self.relationships.clone())
    }

    pub(crate) fn of_graphml(&self) -> (EntityColumns, RelationshipColumns) {
        let others = Others::Properties;
        let entities = self.entities.clone();
        let entities = entities.unwrap_or_else(|| EntityColumns::usual("@id", Properties::default(), others));
        let relationships = self.relationships.clone().unwrap_or_else(|| {
            RelationshipColumns::usual(("@source", "@target"), Properties::default(), others)
        });
        (entities, relationships)
    }
}

fn column(name: &str) -> Field {
    Field::Column(name.to_owned())
}

impl EntityColumns {
    fn usual(key: &str, properties: Properties, others: Others) -> Self {
        Self {
            key: column(key),
            r#type: column("type"),
            name: Some(column("name")),
            description: Some(column("description")),
            confidence: Some(column("confidence")),
            properties,
            others,
            lenient: true,
        }
    }

    /// Which of the columns that it needs are not in the table.
    pub(crate) fn missing<'a>(&'a self, row: &impl Row) -> Vec<&'a str> {
        let needed = [Some(&self.key), Some(&self.r#type)];
        let more = [self.name.as_ref(), self.description.as_ref(), self.confidence.as_ref()];
        missing(row, needed.into_iter().chain(more), (&self.properties, self.lenient))
    }

    pub(crate) fn item(&self, row: &impl Row) -> Result<Item, String> {
        let key = needed("key", &self.key, row)?;
        let fields = [&self.key, &self.r#type];
        let more = [&self.name, &self.description, &self.confidence];
        let named = named(fields.into_iter().chain(more.into_iter().flatten()), &self.properties);
        Ok(Item::Entity(Entity {
            r#type: needed("type", &self.r#type, row)?,
            name: optional(self.name.as_ref(), row).unwrap_or_else(|| key.clone()),
            description: optional(self.description.as_ref(), row),
            confidence: confidence(self.confidence.as_ref(), row)?,
            properties: properties(&self.properties, (self.others, &named), row)?,
            key,
        }))
    }
}

impl RelationshipColumns {
    fn usual((source, target): (&str, &str), properties: Properties, others: Others) -> Self {
        Self {
            r#type: column("type"),
            source: column(source),
            target: column(target),
            confidence: Some(column("confidence")),
            properties,
            others,
            lenient: true,
        }
    }

    /// Which of the columns that it needs are not in the table.
    pub(crate) fn missing<'a>(&'a self, row: &impl Row) -> Vec<&'a str> {
        let fields = [Some(&self.r#type), Some(&self.source), Some(&self.target), self.confidence.as_ref()];
        missing(row, fields.into_iter(), (&self.properties, self.lenient))
    }

    pub(crate) fn item(&self, row: &impl Row) -> Result<Item, String> {
        let fields = [&self.r#type, &self.source, &self.target];
        let named = named(fields.into_iter().chain(&self.confidence), &self.properties);
        Ok(Item::Relationship(Relationship {
            r#type: needed("type", &self.r#type, row)?,
            source: needed("source", &self.source, row)?,
            target: needed("target", &self.target, row)?,
            confidence: confidence(self.confidence.as_ref(), row)?,
            properties: properties(&self.properties, (self.others, &named), row)?,
        }))
    }
}

impl Field {
    fn column(&self) -> Option<&str> {
        match self {
            Self::Column(column) | Self::Prefixed { column, .. } => Some(column),
            Self::Value { .. } => None,
        }
    }

    fn text(&self, row: &impl Row) -> Option<String> {
        match self {
            Self::Column(column) => row.value(column).map(plain),
            Self::Prefixed { column, prefix } => {
                row.value(column).map(|value| format!("{prefix}{}", plain(value)))
            }
            Self::Value { value } => Some(value.clone()),
        }
    }
}

/// Names that fields and properties have.
fn named<'a>(fields: impl Iterator<Item = &'a Field>, properties: &'a Properties) -> Vec<&'a str> {
    let mut names: Vec<&str> = fields.filter_map(Field::column).collect();
    match properties {
        Properties::Column(column) => names.push(column),
        Properties::Each(each) => names.extend(each.values().map(Property::column)),
    }
    names
}

fn missing<'a>(
    row: &impl Row,
    fields: impl Iterator<Item = Option<&'a Field>>,
    (properties, lenient): (&'a Properties, bool),
) -> Vec<&'a str> {
    let has = |name: &str| row.columns().any(|column| column == name);
    let fields = fields.flatten().filter_map(Field::column);
    if lenient {
        // What everything has to have, to be one.
        let optional = ["name", "description", "confidence"];
        return fields.filter(|name| !optional.contains(name) && !has(name)).collect();
    }
    let properties = named(std::iter::empty(), properties);
    fields.chain(properties).filter(|name| !has(name)).collect()
}

/// What a header has that nothing is said of.
pub(crate) fn unknown<'a>(
    (entities, relationships): (Option<&EntityColumns>, Option<&RelationshipColumns>),
    row: &'a impl Row,
) -> Option<&'a str> {
    let (names, others) = match (entities, relationships) {
        (Some(entities), _) => {
            let more = [&entities.name, &entities.description, &entities.confidence].into_iter().flatten();
            let fields = [&entities.key, &entities.r#type].into_iter().chain(more);
            (named(fields, &entities.properties), entities.others)
        }
        (None, Some(relationships)) => {
            let fields = [&relationships.r#type, &relationships.source, &relationships.target];
            let fields = fields.into_iter().chain(&relationships.confidence);
            (named(fields, &relationships.properties), relationships.others)
        }
        (None, None) => return None,
    };
    (others == Others::Refuse).then(|| row.columns().find(|column| !names.contains(column)))?
}

fn needed(what: &str, field: &Field, row: &impl Row) -> Result<String, String> {
    field.text(row).filter(|text| !text.is_empty()).ok_or_else(|| match field.column() {
        Some(column) if column != what => format!("`{what}` is missing: there is nothing in {column:?}"),
        _ => format!("`{what}` is missing"),
    })
}

fn optional(field: Option<&Field>, row: &impl Row) -> Option<String> {
    field?.text(row)
}

fn confidence(field: Option<&Field>, row: &impl Row) -> Result<Option<f64>, String> {
    let Some(text) = optional(field, row) else { return Ok(None) };
    text.trim()
        .parse()
        .map(Some)
        .map_err(|_| format!("`confidence` is {}: expected a number from 0 to 1", shown(&text)))
}

impl Property {
    fn column(&self) -> &str {
        match self {
            Self::Column(column) | Self::Typed { column, .. } => column,
        }
    }
}

fn properties(
    properties: &Properties,
    (others, named): (Others, &[&str]),
    row: &impl Row,
) -> Result<Map<String, Value>, String> {
    let mut found = match properties {
        Properties::Column(column) => match row.value(column).map(plain) {
            Some(text) => serde_json::from_str(&text)
                .map_err(|error| format!("`{column}` is no JSON object of properties: {error}"))?,
            None => Map::new(),
        },
        Properties::Each(each) => {
            let mut found = Map::new();
            for (name, property) in each {
                let Some(value) = row.value(property.column()) else { continue };
                let value = match property {
                    Property::Column(_) => value,
                    Property::Typed { column, r#as } => read_as(*r#as, column, plain(value))?,
                };
                found.insert(name.clone(), value);
            }
            found
        }
    };
    for column in row.columns().filter(|column| !named.contains(column)) {
        match others {
            Others::Ignore => {}
            Others::Refuse => {
                return Err(format!(
                    "nothing is said of {}: name it in the mapping, or say there what becomes of `others`",
                    shown(column)
                ));
            }
            Others::Properties => {
                if let Some(value) = row.value(column) {
                    let name = column.strip_prefix(PROPERTY_PREFIX).unwrap_or(column);
                    found.insert(name.to_owned(), value);
                }
            }
        }
    }
    Ok(found)
}

/// A text as a value of this kind.
pub(crate) fn read_as(kind: Kind, column: &str, text: String) -> Result<Value, String> {
    let trimmed = text.trim();
    let value = match kind {
        Kind::Text => return Ok(Value::String(text)),
        Kind::Integer => trimmed.parse::<i64>().ok().map(Value::from),
        Kind::Number => trimmed.parse().ok().and_then(Number::from_f64).map(Value::Number),
        Kind::Boolean => match trimmed {
            "true" | "1" => Some(Value::Bool(true)),
            "false" | "0" => Some(Value::Bool(false)),
            _ => None,
        },
        Kind::Json => {
            return serde_json::from_str(trimmed)
                .map_err(|error| format!("`{column}` is {}, which is no JSON: {error}", shown(&text)));
        }
    };
    let expected = match kind {
        Kind::Integer => "a whole number",
        Kind::Boolean => "`true` or `false`",
        _ => "a number",
    };
    value.ok_or_else(|| format!("`{column}` is {}: expected {expected}", shown(&text)))
}

/// The beginning of a text, for messages.
pub(crate) fn shown(text: &str) -> String {
    let mut short: String = text.chars().take(100).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("{short:?}")
}

fn plain(value: Value) -> String {
    match value {
        Value::String(text) => text,
        value => value.to_string(),
    }
}
