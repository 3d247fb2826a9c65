//! Random queries that are valid: a random walk through the schema, with aliases, arguments, variables, fragments with
//! and without names, `__typename`, and conditions.

use std::collections::BTreeMap;

use graphql_tools::static_graphql::schema::{Document, Field, Type, TypeDefinition};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde_json::{Map, Value as Json, json};

/// Makes queries; the same ones from the same seed.
pub(super) struct Generator {
    schema: Document,
    random: StdRng,
    declared: Vec<String>,
    variables: Map<String, Json>,
    fragments: Vec<String>,
    named: u32,
}

/// How deep queries go.
const DEPTH: usize = 6;

impl Generator {
    pub(super) fn new(sdl: &str, seed: u64) -> Self {
        let schema = graphql_tools::parser::parse_schema::<String>(sdl).unwrap().into_static();
        Self {
            schema,
            random: StdRng::seed_from_u64(seed),
            declared: Vec::new(),
            variables: Map::new(),
            fragments: Vec::new(),
            named: 0,
        }
    }

    /// A query and its variables.
    pub(super) fn query(&mut self) -> (String, Json) {
        (self.declared, self.variables, self.fragments, self.named) = Default::default();
        let set = self.set("Query", 0);
        let declared = std::mem::take(&mut self.declared);
        let head = if declared.is_empty() { String::new() } else { format!("({})", declared.join(", ")) };
        let fragments = std::mem::take(&mut self.fragments).concat();
        (format!("query {head} {set}{fragments}"), Json::Object(std::mem::take(&mut self.variables)))
    }

    fn fields(&self, name: &str) -> Vec<Field> {
        let found = self.schema.definitions.iter().find_map(|definition| match definition {
            graphql_tools::parser::schema::Definition::TypeDefinition(TypeDefinition::Object(object))
                if object.name == name =>
            {
                Some(object.fields.clone())
            }
            _ => None,
        });
        found.unwrap_or_default()
    }

    /// A selection set. Within one set every response key means one thing.
    fn set(&mut self, parent: &str, depth: usize) -> String {
        let fields = self.fields(parent);
        let (leaves, objects): (Vec<_>, Vec<_>) =
            fields.iter().partition(|field| self.fields(named(&field.field_type)).is_empty());
        let mut parts = Vec::new();
        let mut keys = BTreeMap::new();
        for _ in 0..self.random.random_range(1..=3) {
            if let Some(field) = leaves.choose(&mut self.random) {
                parts.push(self.field(field, "", &mut keys));
            }
        }
        let inner = if depth == 0 { 3 } else { 2 };
        for _ in 0..self.random.random_range(0..=inner) {
            if depth < DEPTH
                && let Some(field) = objects.choose(&mut self.random)
            {
                let set = self.set(named(&field.field_type), depth + 1);
                parts.push(self.field(field, &format!(" {set}"), &mut keys));
            }
        }
        if parts.is_empty() || self.random.random_bool(0.15) {
            // No variable here: the subgraphs' server does not count it as used.
            let condition = ["", " @include(if: true)", " @skip(if: true)"].choose(&mut self.random).copied();
            let condition = condition.unwrap_or_default();
            parts.push(if self.random.random_bool(0.5) {
                format!("__typename{condition}")
            } else {
                format!("t{}: __typename{condition}", self.fresh())
            });
        }
        let inside = parts.join(" ");
        match self.random.random_range(0..8) {
            0 => format!("{{ ... on {parent}{} {{ {inside} }} }}", self.condition()),
            1 => {
                let name = format!("F{}", self.fresh());
                self.fragments.push(format!(" fragment {name} on {parent} {{ {inside} }}"));
                format!("{{ ...{name}{} }}", self.condition())
            }
            2 => format!("{{ {inside} ...{} {{ {inside} }} }}", self.condition()),
            _ => format!("{{ {inside} }}"),
        }
    }

    fn field(&mut self, field: &Field, set: &str, keys: &mut BTreeMap<String, String>) -> String {
        // A field with arguments or fields of its own may be there twice with other ones.
        let is_plain = field.arguments.is_empty() && set.is_empty();
        let mut key = field.name.clone();
        if !is_plain || self.random.random_bool(0.3) {
            // At times the name of another field, a key's or a required one's among them.
            let names = ["id", "upc", "price", "name", "weight", "username", "__typename"];
            (*names.choose(&mut self.random).expect("there are some")).clone_into(&mut key);
        }
        if keys.get(&key).is_some_and(|known| !is_plain || *known != field.name) || key == "__typename" {
            key = format!("a{}", self.fresh());
        }
        keys.insert(key.clone(), field.name.clone());
        let alias = if key == field.name { String::new() } else { format!("{key}: ") };
        let arguments: Vec<_> = field
            .arguments
            .iter()
            .filter_map(|argument| {
                let value = self.argument(&argument.value_type)?;
                Some(format!("{}: {value}", argument.name))
            })
            .collect();
        let arguments =
            if arguments.is_empty() { String::new() } else { format!("({})", arguments.join(", ")) };
        format!("{alias}{}{arguments}{}{set}", field.name, self.condition())
    }

    /// A value, or a variable with it; `None` where the argument is left out.
    fn argument(&mut self, ty: &Type) -> Option<String> {
        if (!matches!(ty, Type::NonNullType(_)) || named(ty) == "Int") && self.random.random_bool(0.3) {
            return None;
        }
        let value = match named(ty) {
            "Int" => json!(self.random.random_range(0..12)),
            _ => json!(self.random.random_range(0..12_u32).to_string()),
        };
        if self.random.random_bool(0.5) {
            return Some(value.to_string());
        }
        let name = format!("v{}", self.fresh());
        let required = if matches!(ty, Type::NonNullType(_)) { "!" } else { "" };
        if self.random.random_bool(0.3) {
            self.declared.push(format!("${name}: {}{required} = {value}", named(ty)));
        } else {
            self.declared.push(format!("${name}: {}{required}", named(ty)));
            self.variables.insert(name.clone(), value);
        }
        Some(format!("${name}"))
    }

    fn condition(&mut self) -> String {
        let directive = match self.random.random_range(0..12) {
            0 => "include",
            1 => "skip",
            _ => return String::new(),
        };
        let value = self.random.random_bool(0.5);
        if self.random.random_bool(0.3) {
            return format!(" @{directive}(if: {value})");
        }
        let name = format!("c{}", self.fresh());
        self.declared.push(format!("${name}: Boolean!"));
        self.variables.insert(name.clone(), value.into());
        format!(" @{directive}(if: ${name})")
    }

    fn fresh(&mut self) -> u32 {
        self.named += 1;
        self.named
    }
}

fn named(ty: &Type) -> &str {
    match ty {
        Type::NamedType(name) => name,
        Type::ListType(inner) | Type::NonNullType(inner) => named(inner),
    }
}
