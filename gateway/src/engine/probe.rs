//! Trial operations over a supergraph: one for each root field of queries and mutations, so that what cannot be planned
//! is found before a client asks for it.

use std::fmt::Write as _;

use super::Engine;
use super::schema::{Field, Kind, Schema, TypeRef};

/// How deep a trial goes for a field that has a plain value.
const DEPTH: usize = 4;

/// What came of planning a trial operation for each root field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Probe {
    /// How many root fields there are.
    pub root_fields: usize,
    /// Those that cannot be planned, as `Query.field`, and why.
    pub failed: Vec<(String, String)>,
}

impl Engine {
    /// Plans a trial operation for each root field.
    pub async fn probe(&self) -> Probe {
        let schema = &self.preparer.schema;
        let roots = [("query", Some(&schema.query)), ("mutation", schema.mutation.as_ref())];
        let mut probe = Probe::default();
        for (keyword, root) in roots {
            let Some(root) = root.and_then(|name| schema.get(name)) else { continue };
            for field in root.fields.values().filter(|field| !field.name.starts_with("__")) {
                probe.root_fields += 1;
                if let Err(errors) = self.prepare(&trial(schema, keyword, field), None).await {
                    let why = errors.first().map_or_else(String::new, |error| error.message.clone());
                    probe.failed.push((format!("{}.{}", root.name, field.name), why));
                }
            }
        }
        probe
    }
}

/// An operation that selects little of a field, with variables for the arguments that it needs.
fn trial(schema: &Schema, keyword: &str, field: &Field) -> String {
    let mut variables = Vec::new();
    let selected = select(schema, field, DEPTH, &mut variables).unwrap_or_else(|| field.name.to_string());
    let variables = if variables.is_empty() { String::new() } else { format!("({})", variables.join(", ")) };
    format!("{keyword}{variables} {{ {selected} }}")
}

/// The field with its arguments and the first of its fields that leads to a plain value.
fn select(schema: &Schema, field: &Field, depth: usize, variables: &mut Vec<String>) -> Option<String> {
    let mut text = field.name.to_string();
    let needed = |ty: &TypeRef| matches!(ty, TypeRef::NonNull(_));
    let mut arguments = Vec::new();
    for argument in
        field.arguments.iter().filter(|argument| needed(&argument.ty) && argument.default.is_none())
    {
        let variable = format!("v{}", variables.len());
        variables.push(format!("${variable}: {}", argument.ty));
        arguments.push(format!("{}: ${variable}", argument.name));
    }
    if !arguments.is_empty() {
        write!(text, "({})", arguments.join(", ")).expect("writing to a string cannot fail");
    }
    let ty = schema.get(field.ty.name())?;
    match ty.kind {
        Kind::Scalar | Kind::Enum | Kind::InputObject => Some(text),
        Kind::Union => Some(format!("{text} {{ __typename }}")),
        Kind::Object | Kind::Interface => {
            if depth == 0 {
                return Some(format!("{text} {{ __typename }}"));
            }
            let plain = |field: &&Field| {
                let kind = schema.get(field.ty.name()).map(|ty| ty.kind);
                matches!(kind, Some(Kind::Scalar | Kind::Enum)) && field.arguments.is_empty()
            };
            let inner = ty.fields.values().find(plain).or_else(|| ty.fields.values().next())?;
            let inner = select(schema, inner, depth - 1, variables)?;
            Some(format!("{text} {{ {inner} }}"))
        }
    }
}
