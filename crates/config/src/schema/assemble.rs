//! What was found, as JSON Schema (draft 2020-12).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{ENTRY, Found, ITEM, Path};
use crate::layers::{Kind, Node};

pub(super) fn assemble(
    found: &BTreeMap<Path, Found>,
    defaults: &Node,
    comments: &BTreeMap<Path, String>,
) -> Value {
    let assembly = Assembly { found, comments };
    let mut schema = Map::new();
    schema.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
    schema.extend(assembly.at(&Vec::new(), Some(defaults)));
    Value::Object(schema)
}

struct Assembly<'a> {
    found: &'a BTreeMap<Path, Found>,
    comments: &'a BTreeMap<Path, String>,
}

impl Assembly<'_> {
    fn at(&self, path: &Path, default: Option<&Node>) -> Map<String, Value> {
        let mut schema = Map::new();
        if let Some(comment) = self.comments.get(path) {
            schema.insert("description".into(), comment.as_str().into());
        }
        if let Some(found) = self.found.get(path) {
            self.describe(found, path, default, &mut schema);
        }
        let is_section = matches!(self.found.get(path), Some(Found::Section(_)));
        if let Some(default) = default.filter(|_| !is_section) {
            schema.insert("default".into(), json(default));
        }
        schema
    }

    fn describe(&self, found: &Found, path: &Path, default: Option<&Node>, schema: &mut Map<String, Value>) {
        let inner = |segment: &str, default| {
            let mut path = path.clone();
            path.push(segment.to_owned());
            Value::Object(self.at(&path, default))
        };
        let mut set = |key: &str, value: Value| schema.insert(key.to_owned(), value);
        match found {
            Found::Bool => drop(set("type", "boolean".into())),
            Found::Signed => drop(set("type", "integer".into())),
            Found::Number => drop(set("type", "number".into())),
            Found::Unsigned => {
                set("type", "integer".into());
                set("minimum", 0.into());
            }
            Found::Text(what) => {
                set("type", "string".into());
                if what == "a duration" {
                    set("examples", json!(["500ms", "30s", "5m", "1h 30m"]));
                }
            }
            Found::Any(what) if what == "an integer or string" || what == "parsable string" => {
                set("type", json!(["string", "integer"]));
                set("examples", json!(["10MB", 10_000_000]));
            }
            Found::Any(_) => {}
            Found::OneOf(words) => drop(set("enum", json!(words))),
            Found::List => {
                set("type", "array".into());
                set("items", inner(ITEM, None));
            }
            Found::Map => {
                set("type", "object".into());
                set("additionalProperties", inner(ENTRY, None));
            }
            Found::Section(fields) => {
                let child = |name: &str| match default.map(|node| &node.kind) {
                    Some(Kind::Table(table)) => table.get(name),
                    _ => None,
                };
                let properties: Map<_, _> =
                    fields.iter().map(|name| ((*name).to_owned(), inner(name, child(name)))).collect();
                set("type", "object".into());
                set("properties", Value::Object(properties));
                set("additionalProperties", false.into());
            }
        }
    }
}

fn json(node: &Node) -> Value {
    match &node.kind {
        Kind::Table(table) => {
            Value::Object(table.iter().map(|(key, node)| (key.clone(), json(node))).collect())
        }
        Kind::List(list) => Value::Array(list.iter().map(json).collect()),
        Kind::Bool(value) => (*value).into(),
        Kind::Integer(value) => (*value).into(),
        Kind::Float(value) => json!(value),
        Kind::String(value) | Kind::Untyped(value) => value.as_str().into(),
    }
}
