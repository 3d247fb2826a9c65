//! The API schema: what a client may see of a supergraph.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    SubgraphSdl,
    diagnostic::{Code, Diagnostic},
    print,
    subgraph::{Directive, Field, Subgraph, TypeDef, base_name, has, parse, spec::Fed},
    supergraph::{OutField, OutType, OutValue},
};

/// Prints the API schema of a supergraph: without the machinery of composition and without what is
/// `@inaccessible`.
pub fn api_schema(supergraph: &str) -> Result<String, Vec<Diagnostic>> {
    let schema = read(supergraph)?;
    let hidden: BTreeSet<&str> =
        schema.types.values().filter(|ty| ty.has(Fed::Inaccessible)).map(|ty| ty.name.as_str()).collect();
    let types: BTreeMap<&str, OutType> = schema
        .types
        .iter()
        .filter(|(name, _)| !hidden.contains(name.as_str()))
        .map(|(name, ty)| (name.as_str(), visible(ty, &hidden)))
        .collect();
    if !types.contains_key("Query") {
        let error = Diagnostic::error(Code::NoQueries, "Query", "the supergraph has no query");
        return Err(vec![error.help("pass a composed supergraph")]);
    }
    Ok(format!("schema {}{}", print::roots(|name| types.contains_key(name)), print::types(types.values())))
}

/// Reads a supergraph as if it were a subgraph, which drops the types of linked specifications.
pub(crate) fn read(supergraph: &str) -> Result<Subgraph, Vec<Diagnostic>> {
    let input = SubgraphSdl { name: "supergraph".to_owned(), url: None, sdl: supergraph.to_owned() };
    let mut report = Vec::new();
    match parse::parse(&input, String::new(), &mut report) {
        Some(schema) if report.is_empty() => Ok(schema),
        _ => Err(report),
    }
}

fn visible(ty: &TypeDef, hidden: &BTreeSet<&str>) -> OutType {
    let shown = |names: &BTreeMap<String, async_graphql_parser::Pos>| {
        names.keys().filter(|name| !hidden.contains(name.as_str())).cloned().collect()
    };
    let values = ty.values.iter().filter(|(_, value)| !has(&value.directives, Fed::Inaccessible));
    let value = |value: &crate::subgraph::EnumValue| OutValue {
        description: value.description.clone(),
        directives: builtin(&value.directives),
        inaccessible: false,
    };
    OutType {
        name: ty.name.clone(),
        kind: ty.kind,
        description: ty.description.clone(),
        directives: builtin(&ty.directives),
        inaccessible: false,
        implements: shown(&ty.implements),
        fields: fields(&ty.fields, hidden),
        members: shown(&ty.members),
        values: values.map(|(name, definition)| (name.clone(), value(definition))).collect(),
        places: Vec::new(),
    }
}

fn fields(all: &BTreeMap<String, Field>, hidden: &BTreeSet<&str>) -> BTreeMap<String, OutField> {
    let shown = all
        .iter()
        .filter(|(_, field)| !field.has(Fed::Inaccessible) && !hidden.contains(base_name(&field.ty)));
    let field = |field: &Field| OutField {
        description: field.description.clone(),
        args: fields(&field.args, hidden),
        ty: field.ty.clone(),
        default: field.default.clone(),
        directives: builtin(&field.directives),
        inaccessible: false,
        places: Vec::new(),
    };
    shown.map(|(name, definition)| (name.clone(), field(definition))).collect()
}

/// The directives that introspection shows.
fn builtin(directives: &[Directive]) -> Vec<String> {
    directives
        .iter()
        .filter(|directive| ["deprecated", "specifiedBy", "oneOf"].contains(&directive.name.as_str()))
        .map(Directive::print)
        .collect()
}
