//! Entities: found by whole keys, as the SDL declares them.

use graphql_tools::static_graphql::query::{Definition, OperationDefinition, Selection, SelectionSet};
use pulse_gateway::value::{Object, Value};

use super::TestSubgraph;

impl TestSubgraph {
    /// The entity that a representation means, as the type that it is of here. The error says what is wrong with the
    /// representation.
    pub(super) fn entity(&self, representation: &Value) -> Result<Value, String> {
        let name = representation.get("__typename").and_then(Value::as_str);
        let name = name.ok_or_else(|| format!("no __typename in {representation}"))?;
        let keys = self.schema.keys(name);
        if keys.is_empty() {
            return Err(format!("{name} cannot be resolved here"));
        }
        let parts = keys.iter().find_map(|key| key_parts(&parse(key), representation));
        let parts = parts.ok_or_else(|| format!("no key of {name} in {representation}"))?;
        let known = self.entities_of(name).unwrap_or_default();
        Ok(known.into_iter().find(|entity| includes(entity, &parts)).unwrap_or_default())
    }

    /// The first entity that has these fields.
    pub(super) fn find_like(&self, wanted: &Value) -> Value {
        let name = wanted.get("__typename").and_then(Value::as_str).unwrap_or_default();
        let fields: Object = wanted
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(key, _)| key.as_str() != "__typename")
            .cloned()
            .collect();
        let known = self.entities_of(name).unwrap_or_default();
        known.into_iter().find(|entity| includes(entity, &Value::Object(fields.clone()))).unwrap_or_default()
    }

    /// All entities of an object type, or of all types behind an abstract one.
    pub(super) fn entities_of(&self, name: &str) -> Option<Vec<Value>> {
        if self.schema.is_abstract(name) {
            let all = self.schema.possible(name).filter_map(|name| self.entities_of(name)).flatten();
            return Some(all.collect());
        }
        let list = self.data.get(name)?.as_list()?.iter().map(|entity| {
            let mut entity = entity.clone();
            if let Some(object) = entity.as_object_mut()
                && object.get("__typename").is_none()
            {
                object.insert("__typename".into(), name.into());
            }
            entity
        });
        Some(list.collect())
    }
}

fn parse(field_set: &str) -> SelectionSet {
    let text = format!("{{{field_set}}}");
    let document = graphql_tools::parser::parse_query::<String>(&text).unwrap().into_static();
    match document.definitions.into_iter().next() {
        Some(Definition::Operation(OperationDefinition::SelectionSet(set))) => set,
        _ => unreachable!("a field set in braces is a selection set"),
    }
}

/// The part of a representation that a key consists of; `None` when some of it is not there.
fn key_parts(key: &SelectionSet, representation: &Value) -> Option<Value> {
    let mut parts = Object::new();
    for item in &key.items {
        match item {
            Selection::Field(field) => {
                let value = representation.get(&field.name)?;
                let value = match value {
                    _ if field.selection_set.items.is_empty() => value.clone(),
                    Value::List(items) => {
                        let items = items.iter().map(|item| key_parts(&field.selection_set, item));
                        Value::List(items.collect::<Option<_>>()?)
                    }
                    Value::Object(_) => key_parts(&field.selection_set, value)?,
                    other => other.clone(),
                };
                parts.push(field.name.as_str().into(), value);
            }
            Selection::InlineFragment(fragment) => {
                let more = key_parts(&fragment.selection_set, representation)?;
                more.as_object()?.iter().cloned().for_each(|(key, value)| parts.insert(key, value));
            }
            Selection::FragmentSpread(_) => return None,
        }
    }
    Some(Value::Object(parts))
}

/// Whether a value has all that is wanted. Ids are the same as text and as number.
fn includes(value: &Value, wanted: &Value) -> bool {
    match (value, wanted) {
        (Value::Object(_), Value::Object(wanted)) => {
            wanted.iter().all(|(key, wanted)| includes(value.get(key).unwrap_or(&Value::Null), wanted))
        }
        (Value::List(items), Value::List(wanted)) => {
            items.len() == wanted.len()
                && items.iter().zip(wanted).all(|(item, wanted)| includes(item, wanted))
        }
        (Value::Int(number), Value::String(text)) | (Value::String(text), Value::Int(number)) => {
            *number.to_string() == **text
        }
        _ => value == wanted,
    }
}
