//! Rewrites: renamed keys and set values, in representations and in answers.

use crate::engine::plan::{Change, Rewrite, RewriteStep};
use crate::value::{Object, Text, Value};

/// Applies a rewrite at every place that its path leads to.
pub(super) fn apply(rewrite: &Rewrite, value: &mut Value) {
    step(&rewrite.path, &rewrite.change, value);
}

fn step(path: &[RewriteStep], change: &Change, value: &mut Value) {
    match value {
        Value::List(items) => items.iter_mut().for_each(|item| step(path, change, item)),
        Value::Object(object) => match (path, change) {
            ([RewriteStep::Types(types), rest @ ..], _) => {
                let name = object.get("__typename").and_then(Value::as_str);
                if name.is_none_or(|name| types.contains(name)) {
                    step(rest, change, value);
                }
            }
            ([RewriteStep::Key(key)], Change::RenameTo(name)) => {
                if let Some(value) = object.remove(key) {
                    put(object, name, value);
                }
            }
            ([RewriteStep::Key(key)], Change::SetTo(text)) => {
                if let Some(place) = object.get_mut(key) {
                    *place = Value::String(text.clone());
                }
            }
            ([RewriteStep::Key(key), rest @ ..], _) => {
                if let Some(inner) = object.get_mut(key) {
                    step(rest, change, inner);
                }
            }
            ([], _) => {}
        },
        _ => {}
    }
}

/// Puts a value under a name. Where the object has an answer by that name already, it is the same field's.
fn put(object: &mut Object, name: &Text, value: Value) {
    match (object.get_mut(name), value) {
        (Some(known @ (Value::Object(_) | Value::List(_))), value) => merge(known, value),
        (_, value) => object.insert(name.clone(), value),
    }
}

fn merge(known: &mut Value, value: Value) {
    match (known, value) {
        (Value::Object(known), Value::Object(more)) => {
            more.into_iter().for_each(|(key, value)| put(known, &key, value));
        }
        (Value::List(known), Value::List(more)) if known.len() == more.len() => {
            known.iter_mut().zip(more).for_each(|(known, value)| merge(known, value));
        }
        (known, value) => *known = value,
    }
}

/// The name that clients know a key of an answer by.
pub(super) fn client_key(rewrites: &[Rewrite], key: &Text) -> Text {
    let renamed = rewrites.iter().find_map(|rewrite| match (rewrite.path.last(), &rewrite.change) {
        (Some(RewriteStep::Key(last)), Change::RenameTo(name)) if last == key => Some(name.clone()),
        _ => None,
    });
    renamed.unwrap_or_else(|| key.clone())
}
