//! Tools to find one's way through the schema, for who may look at it.

use std::sync::Arc;

use async_graphql_parser::parse_schema;
use async_graphql_parser::types::{TypeDefinition, TypeKind, TypeSystemDefinition};
use moka::sync::Cache;
use pulse_gateway::Api;
use rmcp::model::{CallToolResult, Tool, ToolAnnotations};
use serde_json::{Map, Value, json};

use crate::handler::refusal;
use crate::tools::object;

pub(crate) const SEARCH: &str = "search_schema";
pub(crate) const DESCRIBE: &str = "describe_type";

/// How long what is searched for may be, in bytes, and how much is found at most.
const MAX_QUERY: usize = 200;
const MAX_FOUND: usize = 50;

const TYPE: &str = "query DescribeType($name: String!) { __type(name: $name) { kind name description \
    fields(includeDeprecated: true) { name description isDeprecated deprecationReason type { ...T } \
      args { name description defaultValue type { ...T } } } \
    inputFields { name description defaultValue type { ...T } } \
    enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason } \
    interfaces { name } possibleTypes { name } } } \
    fragment T on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";

/// The places of the schema that is served.
pub(crate) struct SchemaIndex(Cache<String, Arc<Index>>);

/// The places of one schema.
pub(crate) struct Index(Vec<Entry>);

struct Entry {
    coordinate: String,
    description: String,
    /// Both in small letters.
    searched: String,
}

impl Default for SchemaIndex {
    fn default() -> Self {
        // The one before is asked for by requests that began with it.
        Self(Cache::new(2))
    }
}

impl SchemaIndex {
    /// That of the schema that is served now.
    pub(crate) fn of(&self, api: &Api) -> Arc<Index> {
        self.0.get_with(api.version(), || Arc::new(Index::of(&api.supergraph().sdl)))
    }
}

impl Index {
    fn of(supergraph: &str) -> Self {
        let sdl = pulse_schema::api_schema(supergraph).unwrap_or_default();
        let mut entries = Vec::new();
        for definition in parse_schema(sdl).map(|document| document.definitions).unwrap_or_default() {
            if let TypeSystemDefinition::Type(ty) = definition {
                add(&ty.node, &mut entries);
            }
        }
        Self(entries)
    }
}

fn add(ty: &TypeDefinition, entries: &mut Vec<Entry>) {
    let name = &ty.name.node;
    let mut push = |coordinate: String, description: Option<&str>| {
        let description = description.unwrap_or_default().to_owned();
        let searched = format!("{coordinate} {description}").to_lowercase();
        entries.push(Entry { coordinate, description, searched });
    };
    push(name.to_string(), ty.description.as_ref().map(|text| text.node.as_str()));
    let fields = match &ty.kind {
        TypeKind::Object(object) => object.fields.as_slice(),
        TypeKind::Interface(interface) => interface.fields.as_slice(),
        _ => &[],
    };
    for field in fields {
        let text = field.node.description.as_ref().map(|text| text.node.as_str());
        push(format!("{name}.{}", field.node.name.node), text);
    }
    if let TypeKind::InputObject(input) = &ty.kind {
        for field in &input.fields {
            let text = field.node.description.as_ref().map(|text| text.node.as_str());
            push(format!("{name}.{}", field.node.name.node), text);
        }
    }
}

/// The two tools.
pub(crate) fn tools() -> [Tool; 2] {
    let tool = |name: &'static str, what_for: &'static str, properties: Value, required: Value| {
        let schema = json!({
            "type": "object", "properties": properties, "required": required, "additionalProperties": false,
        });
        let mut tool = Tool::new(name, what_for, Arc::new(object(schema)));
        tool.annotations = Some(ToolAnnotations::new().read_only(true).open_world(false));
        tool
    };
    [
        tool(
            DESCRIBE,
            "Describes a type of the GraphQL schema: its fields, arguments and values.",
            json!({ "name": { "type": "string", "description": "The type's name, such as `Entity`." } }),
            json!(["name"]),
        ),
        tool(
            SEARCH,
            "Finds types and fields of the GraphQL schema by words in their names and descriptions.",
            json!({
                "query": { "type": "string", "maxLength": MAX_QUERY, "description": "Words that all must be there." },
                "limit": { "type": "integer", "minimum": 1, "maximum": MAX_FOUND, "default": 20 },
            }),
            json!(["query"]),
        ),
    ]
}

/// What is found by words: first where the name has them, then where the description has them.
pub(crate) fn search(index: &Index, arguments: &Map<String, Value>) -> CallToolResult {
    let query = arguments.get("query").and_then(Value::as_str).unwrap_or_default();
    if query.trim().is_empty() || query.len() > MAX_QUERY {
        return refusal(&format!("`query` must be words of 1 to {MAX_QUERY} bytes"));
    }
    let limit = match arguments.get("limit").map(Value::as_u64) {
        None => 20,
        Some(Some(limit)) if (1..=MAX_FOUND as u64).contains(&limit) => {
            usize::try_from(limit).unwrap_or(MAX_FOUND)
        }
        Some(_) => return refusal(&format!("`limit` must be a whole number from 1 to {MAX_FOUND}")),
    };
    let words: Vec<String> = query.to_lowercase().split_whitespace().map(ToOwned::to_owned).collect();
    let mut found: Vec<(usize, &Entry)> = index
        .0
        .iter()
        .filter(|entry| words.iter().all(|word| entry.searched.contains(word.as_str())))
        .map(|entry| {
            let name = entry.coordinate.to_lowercase();
            let elsewhere = words.iter().filter(|word| !name.contains(word.as_str())).count();
            (elsewhere, entry)
        })
        .collect();
    found.sort_by_key(|(elsewhere, entry)| (*elsewhere, entry.coordinate.len()));
    let found: Vec<Value> = found
        .into_iter()
        .take(limit)
        .map(|(_, entry)| json!({ "coordinate": entry.coordinate, "description": entry.description }))
        .collect();
    CallToolResult::structured(json!({ "found": found }))
}

/// The operation that describes a type.
pub(crate) fn describe(arguments: &Map<String, Value>) -> Result<(&'static str, Map<String, Value>), String> {
    let name = arguments.get("name").filter(|name| name.is_string());
    let name = name.ok_or_else(|| "`name` must be the name of a type".to_owned())?;
    Ok((TYPE, [("name".to_owned(), name.clone())].into_iter().collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_before_descriptions() {
        let mut entries = Vec::new();
        let schema = "type Book { \"Who wrote it.\" author: String isbn: ID } \"Writes a Book.\" type Author { name: String }";
        for definition in parse_schema(schema).unwrap().definitions {
            if let TypeSystemDefinition::Type(ty) = definition {
                add(&ty.node, &mut entries);
            }
        }
        let index = Index(entries);
        let found = |query: &str| {
            let asked = json!({ "query": query });
            let result = search(&index, asked.as_object().unwrap());
            let found = result.structured_content.unwrap_or_default()["found"].clone();
            let names = found.as_array().cloned().unwrap_or_default();
            names.iter().map(|one| one["coordinate"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(found("book"), ["Book", "Book.isbn", "Book.author", "Author"]);
        assert_eq!(found("BOOK author"), ["Book.author", "Author"]);
        assert!(found("pen").is_empty());
        for bad in [json!({}), json!({ "query": " " }), json!({ "query": "a", "limit": 0 })] {
            assert_eq!(search(&index, bad.as_object().unwrap()).is_error, Some(true), "{bad}");
        }
    }
}
