//! Writing items, one after the other: entities first, then relationships.

mod attributes;
mod csv;
mod gexf;
mod graphml;
mod json_ld;
mod xml;

use serde::Serialize;

pub use attributes::Attributes;

use crate::{Entity, Item, Relationship};

/// How a graph is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Output {
    /// An object a line.
    JsonLines,
    /// Comma-separated values: a table of entities, and one of relationships.
    Csv,
    /// GraphML 1.0.
    GraphMl,
    /// GEXF 1.3.
    Gexf,
    /// JSON-LD 1.1.
    JsonLd,
}

impl Output {
    /// What file names of it end with.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::JsonLines => "jsonl",
            Self::Csv => "csv",
            Self::GraphMl => "graphml",
            Self::Gexf => "gexf",
            Self::JsonLd => "jsonld",
        }
    }

    /// Whether the attributes of all items have to be known before the first is written.
    pub const fn declares_attributes(self) -> bool {
        matches!(self, Self::GraphMl | Self::Gexf)
    }
}

/// Why a graph cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// XML has no way to write it.
    #[error("{what} {text:?} has a character that XML cannot have: choose JSON Lines or JSON-LD")]
    Unwritable {
        /// What it is of an item.
        what: &'static str,
        /// Itself.
        text: String,
    },
    /// GraphML and GEXF declare each name.
    #[error("properties have more than {0} different names: choose JSON Lines, CSV or JSON-LD")]
    TooManyNames(usize),
}

/// Writes a graph.
#[derive(Debug)]
pub struct Writer {
    output: Output,
    attributes: Attributes,
    /// Items of the list that is being written.
    items: u64,
}

impl Writer {
    /// A writer of items whose attributes are known, if the format declares them.
    pub fn new(output: Output, attributes: Attributes) -> Self {
        Self { output, attributes, items: 0 }
    }

    /// Writes what comes before the first entity.
    pub fn begin(&mut self, out: &mut Vec<u8>) {
        match self.output {
            Output::JsonLines => {}
            Output::Csv => csv::entities(out),
            Output::GraphMl => graphml::begin(out, &self.attributes),
            Output::Gexf => gexf::begin(out, &self.attributes),
            Output::JsonLd => json_ld::begin(out),
        }
    }

    /// Writes an entity.
    pub fn entity(&mut self, out: &mut Vec<u8>, entity: &Entity) -> Result<(), WriteError> {
        match self.output {
            Output::JsonLines => line(out, &Tagged { kind: "entity", item: entity }),
            Output::Csv => csv::entity(out, entity),
            Output::GraphMl => graphml::entity(out, &self.attributes, entity)?,
            Output::Gexf => gexf::entity(out, &self.attributes, entity)?,
            Output::JsonLd => json_ld::entity(out, self.items == 0, entity),
        }
        self.items += 1;
        Ok(())
    }

    /// Goes on to relationships. Of CSV, what is written from here on is another table, and stands in another file.
    pub fn relationships(&mut self, out: &mut Vec<u8>) {
        match self.output {
            Output::JsonLines | Output::GraphMl | Output::JsonLd => return,
            Output::Csv => csv::relationships(out),
            Output::Gexf => gexf::edges(out),
        }
        self.items = 0;
    }

    /// Writes a relationship.
    pub fn relationship(&mut self, out: &mut Vec<u8>, relationship: &Relationship) -> Result<(), WriteError> {
        match self.output {
            Output::JsonLines => line(out, &Tagged { kind: "relationship", item: relationship }),
            Output::Csv => csv::relationship(out, relationship),
            Output::GraphMl => graphml::relationship(out, &self.attributes, relationship)?,
            Output::Gexf => gexf::relationship(out, &self.attributes, (self.items, relationship))?,
            Output::JsonLd => json_ld::relationship(out, self.items == 0, relationship),
        }
        self.items += 1;
        Ok(())
    }

    /// Writes what comes after the last relationship.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        match self.output {
            Output::JsonLines | Output::Csv => {}
            Output::GraphMl => graphml::finish(out),
            Output::Gexf => gexf::finish(out),
            Output::JsonLd => json_ld::finish(out),
        }
    }

    /// A whole graph at once.
    pub fn document(output: Output, items: &[Item]) -> Result<Vec<u8>, WriteError> {
        let mut attributes = Attributes::default();
        if output.declares_attributes() {
            for item in items {
                match item {
                    Item::Entity(entity) => attributes.note_entity(entity)?,
                    Item::Relationship(relationship) => attributes.note_relationship(relationship)?,
                }
            }
        }
        let (mut writer, mut out) = (Self::new(output, attributes), Vec::new());
        writer.begin(&mut out);
        for item in items {
            if let Item::Entity(entity) = item {
                writer.entity(&mut out, entity)?;
            }
        }
        writer.relationships(&mut out);
        for item in items {
            if let Item::Relationship(relationship) = item {
                writer.relationship(&mut out, relationship)?;
            }
        }
        writer.finish(&mut out);
        Ok(out)
    }
}

#[derive(Serialize)]
struct Tagged<'a, T> {
    kind: &'static str,
    #[serde(flatten)]
    item: &'a T,
}

fn line(out: &mut Vec<u8>, value: &impl Serialize) {
    json(out, value);
    out.push(b'\n');
}

fn json(out: &mut Vec<u8>, value: &impl Serialize) {
    serde_json::to_writer(out, value).expect("texts, numbers and objects by text can be written");
}
