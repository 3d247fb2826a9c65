//! The JSON Schema of a type, compiled.

use std::sync::Arc;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, PatternOptions, ValidationError, Validator};
use moka::sync::Cache;
use pulse_types::EntityTypeId;
use serde_json::{Map, Value};

use super::EntityTypeRow;
use crate::check::{self, Problem};

/// Compiled schemas that are kept.
const CACHED: u64 = 1_000;
/// Places in a schema, each counted as often as it is referred to: bounds the work for one value.
const MAX_PLACES: usize = 2_000;
const MAX_DEPTH: usize = 64;
/// Each `unevaluatedProperties` or `unevaluatedItems` may double the work for what stands beside it.
const MAX_UNEVALUATED: usize = 8;
/// Bytes of a compiled pattern.
const MAX_PATTERN: usize = 1 << 20;
/// Problems of one object that are told of, each with its field, and those that stand in the error's text.
const MAX_PROBLEMS: usize = 20;
const SHOWN: usize = 3;

/// The compiled schemas of types, each version once in a process.
#[derive(Debug, Clone)]
pub(crate) struct Validators(Cache<(EntityTypeId, i64), Arc<Validator>>);

impl Default for Validators {
    fn default() -> Self {
        Self(Cache::new(CACHED))
    }
}

impl Validators {
    /// The compiled schema of a stored type. It was checked when it was stored.
    pub(crate) fn of(&self, row: &EntityTypeRow) -> Result<Arc<Validator>, Problem> {
        let key = (row.id, row.version);
        if let Some(validator) = self.0.get(&key) {
            return Ok(validator);
        }
        let validator = Arc::new(compile(&row.schema)?);
        self.0.insert(key, Arc::clone(&validator));
        Ok(validator)
    }
}

/// Checks and compiles a schema.
pub(crate) fn compile(schema: &Map<String, Value>) -> Result<Validator, Problem> {
    check::object("propertiesSchema", schema)?;
    let root = Value::Object(schema.clone());
    let mut walk = Walk { root: &root, places: 0, unevaluated: 0 };
    walk.visit(&root, 0)?;
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .with_pattern_options(PatternOptions::regex().size_limit(MAX_PATTERN).dfa_size_limit(MAX_PATTERN))
        .should_validate_formats(true)
        .offline()
        .build(&root)
        .map_err(|error| {
            let place = error.instance_path().to_string();
            refused(format!("`propertiesSchema` is not a JSON Schema 2020-12 at {place:?}: {error}"))
        })
}

/// Checks an entity's properties.
pub(crate) fn check_properties(
    validator: &Validator,
    type_name: &str,
    properties: &Map<String, Value>,
) -> Result<(), Problem> {
    let value = Value::Object(properties.clone());
    if validator.is_valid(&value) {
        return Ok(());
    }
    let mut texts = Vec::new();
    let mut parts = Vec::new();
    for error in validator.iter_errors(&value).take(MAX_PROBLEMS) {
        let text: String = error.to_string().chars().take(200).collect();
        let place = error.instance_path().to_string();
        if texts.len() < SHOWN {
            texts.push(if place.is_empty() { text.clone() } else { format!("{place}: {text}") });
        }
        parts.extend(fields(&error, &place).into_iter().map(|field| (field, text.clone())));
    }
    parts.truncate(MAX_PROBLEMS);
    let text = format!("`properties` do not fit the type {type_name:?}: {}", texts.join("; "));
    let field = parts.first().map_or_else(|| "properties".to_owned(), |(field, _)| field.clone());
    Err(Problem { parts, ..Problem::new(field, text) })
}

/// The fields that an error is about: what is missing, or should not be there, has a place of its own.
fn fields(error: &ValidationError<'_>, place: &str) -> Vec<String> {
    let below = |name: &str| format!("properties{place}/{name}");
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            vec![property.as_str().map_or_else(|| format!("properties{place}"), below)]
        }
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            unexpected.iter().map(|name| below(name)).collect()
        }
        _ => vec![format!("properties{place}")],
    }
}

fn refused(text: String) -> Problem {
    Problem::new("propertiesSchema", text)
}

/// Counts what one value may have to be compared with.
struct Walk<'a> {
    root: &'a Value,
    places: usize,
    unevaluated: usize,
}

impl Walk<'_> {
    fn visit(&mut self, value: &Value, depth: usize) -> Result<(), Problem> {
        self.places += 1;
        if self.places > MAX_PLACES {
            return Err(refused(format!(
                "`propertiesSchema` is too large: with each `$ref` written out it has more than {MAX_PLACES} places"
            )));
        }
        if depth > MAX_DEPTH {
            return Err(refused(format!(
                "`propertiesSchema` refers to itself, or is nested deeper than {MAX_DEPTH} levels"
            )));
        }
        match value {
            Value::Array(values) => values.iter().try_for_each(|value| self.visit(value, depth + 1)),
            Value::Object(object) => {
                object.iter().try_for_each(|(keyword, value)| self.keyword(keyword, value, depth + 1))
            }
            _ => Ok(()),
        }
    }

    fn keyword(&mut self, keyword: &str, value: &Value, depth: usize) -> Result<(), Problem> {
        match (keyword, value) {
            ("$ref", Value::String(reference)) => return self.reference(reference, depth),
            ("$dynamicRef" | "$recursiveRef" | "$id" | "$anchor" | "$dynamicAnchor", Value::String(_)) => {
                return Err(refused(format!(
                    "`propertiesSchema` uses `{keyword}`: use `$ref` with `#/$defs/…`"
                )));
            }
            ("$schema", Value::String(dialect)) if dialect.trim_end_matches('#') != DIALECT => {
                return Err(refused(format!("`propertiesSchema` has another `$schema` than {DIALECT}")));
            }
            ("unevaluatedProperties" | "unevaluatedItems", _) => {
                self.unevaluated += 1;
                if self.unevaluated > MAX_UNEVALUATED {
                    let text =
                        format!("`propertiesSchema` uses `{keyword}` more than {MAX_UNEVALUATED} times");
                    return Err(refused(text));
                }
            }
            _ => {}
        }
        self.visit(value, depth)
    }

    fn reference(&mut self, reference: &str, depth: usize) -> Result<(), Problem> {
        let Some(pointer) =
            reference.strip_prefix('#').filter(|rest| rest.is_empty() || rest.starts_with('/'))
        else {
            return Err(refused(format!(
                "`propertiesSchema` refers to {reference:?}: only references into itself, such as `#/$defs/…`, are followed"
            )));
        };
        let Some(target) = self.root.pointer(pointer) else {
            return Err(refused(format!(
                "`propertiesSchema` refers to {reference:?}, which it does not have"
            )));
        };
        self.visit(target, depth)
    }
}

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn compiled(schema: &Value) -> Result<Validator, String> {
        compile(schema.as_object().expect("the tests give objects")).map_err(|problem| problem.text)
    }

    #[test]
    fn properties_are_checked_with_the_place_of_what_is_wrong() {
        let schema = json!({ "properties": { "size": { "type": "integer" } }, "required": ["size"] });
        let validator = compiled(&schema).expect("a schema");
        let check = |value: Value| {
            check_properties(&validator, "package", value.as_object().expect("an object"))
                .map_err(|problem| (problem.field, problem.text))
        };
        assert_eq!(check(json!({ "size": 1 })), Ok(()));
        insta::assert_debug_snapshot!(check(json!({ "size": "1" })), @r#"
        Err(
            (
                "properties/size",
                "`properties` do not fit the type \"package\": /size: \"1\" is not of type \"integer\"",
            ),
        )
        "#);
        insta::assert_debug_snapshot!(check(json!({})), @r#"
        Err(
            (
                "properties/size",
                "`properties` do not fit the type \"package\": \"size\" is a required property",
            ),
        )
        "#);
    }

    #[test]
    fn a_reference_to_elsewhere_is_refused() {
        let text = compiled(&json!({ "$ref": "https://example.com/schema" })).expect_err("remote");
        assert!(text.contains("only references into itself"), "{text}");
        assert!(compiled(&json!({ "$ref": "file:///etc/passwd" })).is_err());
        assert!(compiled(&json!({ "$id": "https://example.com/a" })).is_err());
    }

    #[test]
    fn a_schema_that_refers_to_itself_is_refused() {
        let text = compiled(&json!({ "properties": { "a": { "$ref": "#" } } })).expect_err("recursive");
        assert!(text.contains("refers to itself") || text.contains("too large"), "{text}");
    }

    #[test]
    fn a_schema_that_unfolds_to_billions_is_refused() {
        let mut defs = Map::new();
        for level in 0..15 {
            let next = format!("#/$defs/d{}", level + 1);
            defs.insert(format!("d{level}"), json!({ "allOf": [{ "$ref": next }, { "$ref": next }] }));
        }
        defs.insert("d15".to_owned(), json!({ "type": "object" }));
        let text = compiled(&json!({ "$ref": "#/$defs/d0", "$defs": defs })).expect_err("a bomb");
        assert!(text.contains("too large"), "{text}");
    }

    #[test]
    fn what_is_no_schema_is_refused() {
        assert!(compiled(&json!({ "type": "text" })).is_err());
        assert!(compiled(&json!({ "properties": { "a": { "pattern": "(" } } })).is_err());
        assert!(compiled(&json!({ "$schema": "http://json-schema.org/draft-07/schema#" })).is_err());
    }
}
