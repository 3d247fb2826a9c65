//! What a file says, as what is stored of it.

use pulse_graph_formats as formats;

use super::batch::Item;
use crate::check::Problem;
use crate::entity::{EntityDraft, EntityRef};
use crate::relationship::RelationshipDraft;

/// The item, if each of its fields is well-formed.
pub(super) fn draft(item: formats::Item) -> Result<Item, Problem> {
    let item = match item {
        formats::Item::Entity(entity) => Item::Entity(of_entity(entity)),
        formats::Item::Relationship(relationship) => Item::Relationship(of_relationship(relationship)),
    };
    item.check()?;
    Ok(item)
}

fn of_entity(entity: formats::Entity) -> EntityDraft {
    let formats::Entity { key, r#type: type_name, name, description, confidence, properties } = entity;
    EntityDraft { key, type_name, name, description, confidence: confidence.unwrap_or(1.0), properties }
}

fn of_relationship(relationship: formats::Relationship) -> RelationshipDraft {
    let formats::Relationship { r#type: type_name, source, target, confidence, properties } = relationship;
    RelationshipDraft {
        type_name,
        source: EntityRef::Key(source),
        target: EntityRef::Key(target),
        confidence: confidence.unwrap_or(1.0),
        properties,
    }
}
