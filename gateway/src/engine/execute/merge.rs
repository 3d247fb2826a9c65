//! Answers into the data.

use crate::engine::schema::TypeConditions;
use crate::value::{Object, Value};

/// Merges an answer into what is there already. A `null` takes nothing away, since another subgraph may know more.
pub(super) fn merge(target: &mut Value, source: Value, conditions: &TypeConditions) {
    match (target, source) {
        (Value::Object(target), Value::Object(source)) => merge_objects(target, source, conditions),
        (Value::List(target), Value::List(source)) if target.len() == source.len() => {
            for (target, source) in target.iter_mut().zip(source) {
                merge(target, source, conditions);
            }
        }
        (_, Value::Null) => {}
        (target, source) => *target = source,
    }
}

fn merge_objects(target: &mut Object, source: Object, conditions: &TypeConditions) {
    if target.is_empty() {
        *target = source;
        return;
    }
    for (key, value) in source {
        match target.get_mut(&key) {
            // A subgraph that knows an entity by its interface alone tells less than one that knows its type.
            Some(_)
                if &*key == "__typename"
                    && value.as_str().is_some_and(|name| conditions.is_abstract(name)) => {}
            Some(place) => merge(place, value, conditions),
            None => target.push(key, value),
        }
    }
}
