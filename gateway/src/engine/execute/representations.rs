//! Representations: what tells a subgraph which entities are meant.

use std::sync::LazyLock;

use indexmap::IndexSet;
use rustc_hash::FxBuildHasher;

use super::places::{self, Places};
use super::rewrite;
use crate::engine::plan::{EntityList, Required};
use crate::value::{Object, Text, Value};

/// Shared by all representations, which would otherwise make one each.
static TYPENAME: LazyLock<Text> = LazyLock::new(|| "__typename".into());

/// The entities that one `_entities` list asks for.
#[derive(Debug, Default)]
pub(super) struct Representations {
    /// Each once; taken when they are sent.
    pub(super) values: Vec<Value>,
    /// How many there are.
    pub(super) count: usize,
    /// Where they are.
    pub(super) places: Places,
    /// Which of the values is at each place; `None` where nothing is known that a subgraph could find it by.
    pub(super) of_place: Vec<Option<usize>>,
}

impl Representations {
    /// Collects what the data so far holds for a list.
    pub(super) fn collect(data: &Value, list: &EntityList) -> Self {
        let mut found = Self::default();
        for path in &list.paths {
            found.places.find(data, path);
        }
        let mut values = IndexSet::<Value, FxBuildHasher>::default();
        for index in 0..found.places.len() {
            let entity = places::at(data, found.places.get(index)).and_then(Value::as_object);
            let value = entity.and_then(|entity| representation(entity, list));
            found.of_place.push(value.map(|value| values.insert_full(value).0));
        }
        found.count = values.len();
        found.values = values.into_iter().collect();
        found
    }
}

fn representation(entity: &Object, list: &EntityList) -> Option<Value> {
    let mut representation = Object::with_capacity(list.requires.len() + 1);
    project(entity, &list.requires, &mut representation);
    // A key that is null finds nothing, and neither does a type name alone.
    if representation.iter().all(|(key, value)| key == "__typename" || value.is_null()) {
        return None;
    }
    let mut representation = Value::Object(representation);
    for change in &list.input {
        rewrite::apply(change, &mut representation);
    }
    Some(representation)
}

fn project(object: &Object, required: &[Required], into: &mut Object) {
    for part in required {
        match part {
            Required::Field { name, from, inner } => {
                if let Some(value) = from.iter().find_map(|key| object.get(key)) {
                    let value = projected(value, inner);
                    match (into.get_mut(name), value) {
                        (Some(Value::Object(known)), Value::Object(more)) => {
                            more.into_iter().for_each(|(key, value)| known.insert(key, value));
                        }
                        (Some(_), _) => {}
                        (None, value) => into.push(name.clone(), value),
                    }
                }
            }
            Required::Fragment { condition, types, inner } => {
                let name = object.get("__typename").and_then(Value::as_str);
                if name.is_none_or(|name| types.contains(name)) {
                    if into.get("__typename").is_none() {
                        into.push(
                            "__typename".into(),
                            name.map_or_else(|| condition.clone(), Text::from).into(),
                        );
                    }
                    project(object, inner, into);
                }
            }
        }
    }
}

/// A value cut down to what is required; a scalar, of whatever form, stays whole.
fn projected(value: &Value, required: &[Required]) -> Value {
    match value {
        Value::Object(object) if !required.is_empty() => {
            let mut into = Object::with_capacity(required.len());
            if let Some(name) = object.get("__typename") {
                into.push(TYPENAME.clone(), name.clone());
            }
            project(object, required, &mut into);
            Value::Object(into)
        }
        Value::List(items) if !required.is_empty() => {
            Value::List(items.iter().map(|item| projected(item, required)).collect())
        }
        other => other.clone(),
    }
}
