//! What answers about the graph are made of.

use pulse_types::{EntityId, Tag};
use sha2::{Digest, Sha256};

use crate::entity::filter::{EntityFilter, RelationTest};
use crate::entity::list::{EntityOrder, EntityOrderField};
use crate::relationship::list::RelationshipFilter;
use crate::relationship::of_entities::Direction;
use crate::traversal::Following;
use crate::{entity, entity_type, relationship};

/// The attribute of an entity's events by which those of one key are found.
pub(crate) const KEY_HASH: &str = "keyHash";

/// What events say of an entity's key, which may itself name a person: 12 bits of its hash, which very many keys share.
pub(crate) fn key_hash(key: &str) -> String {
    let digest = Sha256::digest(key.as_bytes());
    format!("{:03x}", u16::from_be_bytes([digest[0], digest[1]]) >> 4)
}

/// The entity that has or might get this key.
pub(crate) fn of_key(key: &str) -> Tag {
    Tag::list(entity::SUBJECT).with(KEY_HASH, key_hash(key))
}

/// The type that has or might get this name.
pub(crate) fn of_type_name(name: &str) -> Tag {
    Tag::list(entity_type::SUBJECT).with("name", name)
}

/// A list of entities, and what it looks at beyond them: relationships, and the entities at their other ends.
pub(crate) fn of_list(filter: &EntityFilter) -> Vec<Tag> {
    let mut tags: Vec<Tag> = of_entities(filter).collect();
    filter.each_relation(&mut |relation| {
        tags.push(of_relationship_type(relation.type_name.as_deref()));
        match &relation.test {
            // What is not asked for does not matter; that an end is there is a matter of the relationship.
            RelationTest::Some(ends) | RelationTest::None(ends) if *ends != EntityFilter::default() => {
                tags.extend(of_entities(ends));
            }
            // One that is no longer like that counts, whatever it has become.
            RelationTest::Every(_) => tags.push(Tag::list(entity::SUBJECT)),
            RelationTest::Some(_) | RelationTest::None(_) | RelationTest::Count { .. } => {}
        }
    });
    tags
}

/// What a list is ordered by beyond what its entities are.
pub(crate) fn of_order(order: &EntityOrder) -> Option<Tag> {
    match &order.field {
        EntityOrderField::Relations(type_name, _) => Some(of_relationship_type(type_name.as_deref())),
        _ => None,
    }
}

/// All relationships of a type, or of any.
fn of_relationship_type(type_name: Option<&str>) -> Tag {
    let all = Tag::list(relationship::SUBJECT);
    match type_name {
        Some(name) => all.with("type", name),
        None => all,
    }
}

/// The entities of a list: one tag, or one for each key that it is narrowed to.
fn of_entities(filter: &EntityFilter) -> impl Iterator<Item = Tag> {
    let narrowed = |tag: Tag| match &filter.type_name {
        Some(name) => tag.with("type", name),
        None => tag,
    };
    let keys = filter.keys.iter().flatten().map(move |key| narrowed(of_key(key)));
    let all = filter.keys.is_none().then(|| narrowed(Tag::list(entity::SUBJECT)));
    keys.chain(all)
}

/// A list of relationships.
pub(crate) fn of_relationships(filter: &RelationshipFilter) -> Tag {
    let RelationshipFilter { type_name, source, target, min_confidence: _, within: _ } = filter;
    let mut tag = Tag::list(relationship::SUBJECT);
    for (name, value) in [
        ("type", type_name.clone()),
        ("source", source.map(|id| id.to_string())),
        ("target", target.map(|id| id.to_string())),
    ] {
        if let Some(value) = value {
            tag = tag.with(name, value);
        }
    }
    tag
}

/// Whatever a walk through the graph may come by.
pub(crate) fn of_walk(following: &Following) -> Vec<Tag> {
    let all = Tag::list(relationship::SUBJECT);
    match &following.types[..] {
        [] => vec![all],
        types => types.iter().map(|name| all.clone().with("type", name.clone())).collect(),
    }
}

/// The relationships of `entities`: a tag for each of them and each direction.
pub(crate) fn of_ends(
    entities: &[EntityId],
    direction: Direction,
    type_name: Option<&str>,
) -> impl Iterator<Item = Tag> {
    let ends: &[&'static str] = match direction {
        Direction::Outgoing => &["source"],
        Direction::Incoming => &["target"],
        Direction::Both => &["source", "target"],
    };
    entities.iter().flat_map(move |entity| {
        ends.iter().map(move |end| {
            let tag = Tag::list(relationship::SUBJECT).with(end, entity.to_string());
            match type_name {
                Some(name) => tag.with("type", name),
                None => tag,
            }
        })
    })
}
