//! Objects in the data whose only or first key begins with `$` say how to make a value:
//!
//! | in the data | the value |
//! | --- | --- |
//! | `{"$error": TEXT, "extensions": …}` | `null`, and an error |
//! | `{"$raw": VALUE}` | this, whatever the field's type is |
//! | `{"$find": {"__typename": T, FIELD: …}}` | the entity of that type with these fields, else `null` |
//! | `{"$list": T}` | all entities of a type |
//! | `{"$arg": PATH}` | an argument of this field, or of the nearest field around it that has it |
//! | `{"$args": true}` | all arguments of this field |
//! | `{"$rep": PATH}` | what the representation of the entity around says |
//! | `{"$switch": VALUE, "cases": {TEXT: …}, "else": …}` | the case of that text |
//! | `{"$step": true}` | how many such values all subgraphs together have given, this one included |
//!
//! At the top of a subgraph's data, `{"$fault": "unreachable"}` or `{"$fault": "malformed"}` means no answer at all,
//! `{"$refuse": TEXT}` an answer with this error and no data.

use pulse_gateway::value::{Object, Value};

use super::TestSubgraph;

/// What values may refer to.
#[derive(Default)]
pub(super) struct Scope {
    /// The arguments of the fields around, the innermost last.
    pub(super) arguments: Vec<Object>,
    /// The representations of the entities around, the innermost last.
    pub(super) representations: Vec<Value>,
}

/// What a marker stands for.
pub(super) enum Made {
    /// A value to complete.
    Value(Value),
    /// A value that is sent as it is.
    Raw(Value),
    /// An error with its extensions.
    Error(String, Value),
}

impl TestSubgraph {
    /// What a value of the data stands for.
    pub(super) fn make(&self, value: &Value, scope: &Scope) -> Made {
        let Some((marker, inner)) = marker(value) else { return Made::Value(value.clone()) };
        let made = match marker {
            "$error" => {
                let extensions = value.get("extensions").cloned().unwrap_or_default();
                return Made::Error(text(inner), extensions);
            }
            "$raw" => return Made::Raw(inner.clone()),
            "$find" => self.find_like(&self.plain(inner, scope)),
            "$list" => self.entities_of(&text(inner)).map(Value::List).unwrap_or_default(),
            "$arg" => {
                let path = text(inner);
                let name = path.split('.').next().unwrap_or_default();
                let around = scope.arguments.iter().rev().find(|arguments| arguments.get(name).is_some());
                around.map(|arguments| at(&Value::Object(arguments.clone()), &path)).unwrap_or_default()
            }
            "$args" => scope.arguments.last().cloned().map(Value::Object).unwrap_or_default(),
            "$rep" => scope.representations.last().map(|it| at(it, &text(inner))).unwrap_or_default(),
            "$switch" => {
                let chosen = text(&self.plain(inner, scope));
                let cases = value.get("cases").and_then(|cases| cases.get(&chosen));
                let case = cases.or_else(|| value.get("else")).cloned().unwrap_or_default();
                return self.make(&case, scope);
            }
            "$step" => self.journal.step().into(),
            other => panic!("{other} is no marker"),
        };
        Made::Value(made)
    }

    /// A value with all markers in it replaced.
    pub(super) fn plain(&self, value: &Value, scope: &Scope) -> Value {
        match self.make(value, scope) {
            Made::Raw(value) => value,
            Made::Error(text, _) => panic!("an error inside a plain value: {text}"),
            Made::Value(Value::List(items)) => {
                items.iter().map(|item| self.plain(item, scope)).collect::<Vec<_>>().into()
            }
            Made::Value(made @ Value::Object(_)) if marker(value).is_none() => {
                let entries = made.as_object().into_iter().flatten();
                let entries = entries.map(|(key, value)| (key.clone(), self.plain(value, scope)));
                Value::Object(entries.collect())
            }
            Made::Value(made) => made,
        }
    }
}

fn marker(value: &Value) -> Option<(&str, &Value)> {
    let (key, inner) = value.as_object()?.iter().next()?;
    key.starts_with('$').then_some((key.as_str(), inner))
}

fn at(value: &Value, path: &str) -> Value {
    let mut at = value;
    for step in path.split('.') {
        let next = match at {
            Value::List(items) => step.parse::<usize>().ok().and_then(|index| items.get(index)),
            other => other.get(step),
        };
        let Some(next) = next else { return Value::Null };
        at = next;
    }
    at.clone()
}

/// A string without its quotes, anything else as JSON.
pub(super) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}
