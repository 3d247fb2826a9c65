//! What a key, a name, a confidence or properties must be like, whichever way they come in.

use serde_json::{Map, Value};

/// What is wrong with one value that a caller gave.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Problem {
    /// The field, as a path such as `confidence` or `properties/versions/0`.
    pub field: String,
    /// What is wrong, as a whole sentence that names the field.
    pub text: String,
    /// Whether the value itself is fine, but names something that does not exist.
    pub missing: bool,
    /// Where several fields are wrong, each of them with its own sentence.
    pub parts: Vec<(String, String)>,
}

impl Problem {
    pub(crate) fn new(field: impl Into<String>, text: impl Into<String>) -> Self {
        Self { field: field.into(), text: text.into(), missing: false, parts: Vec::new() }
    }

    pub(crate) fn missing(field: impl Into<String>, text: impl Into<String>) -> Self {
        Self { missing: true, ..Self::new(field, text) }
    }
}

/// Keys and names are index entries, which PostgreSQL limits to a third of a page.
const MAX_CHARS: usize = 500;
const MAX_DESCRIPTION_CHARS: usize = 10_000;
const MAX_TYPE_CHARS: usize = 64;
/// The largest JSON that properties or a schema may be, in bytes.
const MAX_JSON_BYTES: usize = 65_536;
const MAX_JSON_DEPTH: usize = 32;
/// Each property that has a value is a row by which its entity is found.
const MAX_PROPERTIES: usize = 200;
pub(crate) const MAX_PROPERTY_NAME_CHARS: usize = 100;

/// A key or name: 1 to 500 characters without control characters.
pub(crate) fn line(field: &'static str, text: &str) -> Result<(), Problem> {
    let length = text.chars().count();
    if !(1..=MAX_CHARS).contains(&length) {
        return Err(Problem::new(
            field,
            format!("`{field}` has {length} characters, allowed is 1 to {MAX_CHARS}"),
        ));
    }
    if text.chars().any(char::is_control) {
        return Err(Problem::new(field, format!("`{field}` contains a control character")));
    }
    Ok(())
}

/// A description: text of any lines.
pub(crate) fn description(text: &str) -> Result<(), Problem> {
    let length = text.chars().count();
    if length > MAX_DESCRIPTION_CHARS {
        let text = format!("`description` has {length} characters, allowed are {MAX_DESCRIPTION_CHARS}");
        return Err(Problem::new("description", text));
    }
    if text.contains('\0') {
        return Err(Problem::new("description", "`description` contains the character U+0000"));
    }
    Ok(())
}

/// The name of a type of entities or relationships.
pub(crate) fn type_name(field: &'static str, name: &str) -> Result<(), Problem> {
    let mut characters = name.chars();
    let first = characters.next().is_some_and(|c| c.is_ascii_alphabetic());
    let rest = characters.all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
    if first && rest && name.len() <= MAX_TYPE_CHARS {
        return Ok(());
    }
    let shown: String = name.chars().take(MAX_TYPE_CHARS).collect();
    let text = format!(
        "`{field}` is {shown:?}: a type's name is a letter and up to {} more letters, digits, `_`, `-` or `.`",
        MAX_TYPE_CHARS - 1
    );
    Err(Problem::new(field, text))
}

/// A confidence: 0 to 1.
pub(crate) fn confidence(value: f64) -> Result<(), Problem> {
    if (0.0..=1.0).contains(&value) {
        return Ok(());
    }
    Err(Problem::new("confidence", format!("`confidence` is {value}, allowed is 0 to 1")))
}

/// Properties or a schema: of limited size and depth, and without what PostgreSQL cannot store.
pub(crate) fn object(field: &'static str, object: &Map<String, Value>) -> Result<(), Problem> {
    let size: usize = object.iter().map(|(key, value)| key.len() + size(value)).sum();
    if size > MAX_JSON_BYTES {
        let text = format!("`{field}` has about {size} bytes, allowed are {MAX_JSON_BYTES}");
        return Err(Problem::new(field, text));
    }
    object.iter().try_for_each(|(key, value)| storable(field, key, value, 1))
}

/// Properties of an entity: a limited number of them, with names that an index can hold.
pub(crate) fn properties(properties: &Map<String, Value>) -> Result<(), Problem> {
    object("properties", properties)?;
    if properties.len() > MAX_PROPERTIES {
        let text = format!("`properties` has {} properties, allowed are {MAX_PROPERTIES}", properties.len());
        return Err(Problem::new("properties", text));
    }
    let long = |name: &&String| name.chars().count() > MAX_PROPERTY_NAME_CHARS;
    let Some(name) = properties.keys().find(long) else { return Ok(()) };
    let text = format!(
        "`properties` has a name of {} characters, allowed are {MAX_PROPERTY_NAME_CHARS}",
        name.chars().count()
    );
    Err(Problem::new("properties", text))
}

fn size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 4,
        Value::Number(_) => 8,
        Value::String(text) => text.len() + 2,
        Value::Array(values) => values.iter().map(|value| 1 + size(value)).sum::<usize>() + 2,
        Value::Object(object) => {
            object.iter().map(|(key, value)| key.len() + 4 + size(value)).sum::<usize>() + 2
        }
    }
}

fn storable(field: &'static str, key: &str, value: &Value, depth: usize) -> Result<(), Problem> {
    if depth > MAX_JSON_DEPTH {
        let text = format!("`{field}` is nested deeper than {MAX_JSON_DEPTH} levels");
        return Err(Problem::new(field, text));
    }
    let zero = || Problem::new(field, format!("`{field}` contains the character U+0000"));
    if key.contains('\0') {
        return Err(zero());
    }
    match value {
        Value::String(text) if text.contains('\0') => Err(zero()),
        Value::Array(values) => values.iter().try_for_each(|value| storable(field, "", value, depth + 1)),
        Value::Object(object) => {
            object.iter().try_for_each(|(key, value)| storable(field, key, value, depth + 1))
        }
        _ => Ok(()),
    }
}

/// Whether two values are the same JSON once stored: PostgreSQL keeps a number's value, not its notation.
pub(crate) fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            left == right || ((left.is_f64() || right.is_f64()) && left.as_f64() == right.as_f64())
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Value::Object(left), Value::Object(right)) => same_object(left, right),
        _ => left == right,
    }
}

/// [`same`] for objects; the order of keys does not count.
pub(crate) fn same_object(left: &Map<String, Value>, right: &Map<String, Value>) -> bool {
    left.len() == right.len()
        && left.iter().all(|(key, value)| right.get(key).is_some_and(|other| same(value, other)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_the_same_in_any_notation() {
        assert!(same(&json!({ "a": [1e18, 1.0] }), &json!({ "a": [1_000_000_000_000_000_000_u64, 1] })));
        assert!(!same(&json!(1.5), &json!(1)));
    }

    #[test]
    fn two_large_integers_that_differ_are_not_the_same() {
        assert!(!same(&json!(9_007_199_254_740_993_u64), &json!(9_007_199_254_740_992_u64)));
    }

    #[test]
    fn confidence_is_a_number_from_0_to_1() {
        assert!(confidence(0.0).is_ok() && confidence(1.0).is_ok());
        for value in [1.5, -0.1, f64::NAN, f64::INFINITY] {
            assert!(confidence(value).is_err(), "{value}");
        }
    }

    #[test]
    fn what_postgresql_cannot_store_is_refused() {
        let object_of = |value: Value| value.as_object().cloned().unwrap_or_default();
        assert!(object("properties", &object_of(json!({ "a": ["x\0"] }))).is_err());
        assert!(object("properties", &object_of(json!({ "a\0": 1 }))).is_err());
        assert!(object("properties", &object_of(json!({ "a": "x".repeat(70_000) }))).is_err());
        let deep = (0..40).fold(json!(1), |inner, _| json!([inner]));
        assert!(object("properties", &object_of(json!({ "a": deep }))).is_err());
    }
}
