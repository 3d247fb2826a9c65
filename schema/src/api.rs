//! The API schema: what a client may see of a supergraph.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    SubgraphSdl,
    code::Code,
    diagnostic::Diagnostic,
    diff::deprecation,
    print,
    subgraph::{Directive, DirectiveDef, Field, Subgraph, TypeDef, base_name, has, parse, spec::Fed},
    supergraph::{ExecutableDirective, OutField, OutType, OutValue},
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
    let directives: String = schema
        .directives
        .iter()
        .filter_map(|(name, definition)| executable(name, definition, &hidden))
        .collect();
    let roots = print::roots(|name| types.contains_key(name));
    Ok(format!("schema {roots}{directives}{}", print::types(types.values())))
}

/// A supergraph or an API schema, read to be compared and to look operations up in it.
#[derive(Clone, Debug)]
pub struct ApiSchema {
    /// Without what is `@inaccessible`.
    pub(crate) schema: Subgraph,
}

impl ApiSchema {
    /// Reads a supergraph or an API schema.
    pub fn read(sdl: &str) -> Result<Self, Vec<Diagnostic>> {
        let mut schema = read(sdl)?;
        let hidden: BTreeSet<String> = schema
            .types
            .iter()
            .filter(|(_, ty)| ty.has(Fed::Inaccessible))
            .map(|(name, _)| name.clone())
            .collect();
        schema.types.retain(|name, _| !hidden.contains(name));
        for ty in schema.types.values_mut() {
            retain_shown(&mut ty.fields, &hidden);
            ty.fields.values_mut().for_each(|field| retain_shown(&mut field.args, &hidden));
            ty.implements.retain(|name, _| !hidden.contains(name));
            ty.members.retain(|name, _| !hidden.contains(name));
            ty.values.retain(|_, value| !has(&value.directives, Fed::Inaccessible));
        }
        Ok(Self { schema })
    }

    /// Why what is at a [coordinate](https://spec.graphql.org/draft/#sec-Schema-Coordinates) is deprecated, if it is.
    pub fn deprecation(&self, coordinate: &str) -> Option<&str> {
        let (ty, member) = coordinate.split_once('.')?;
        let ty = self.schema.types.get(ty)?;
        let (member, argument) = match member.split_once('(') {
            Some((field, argument)) => (field, Some(argument.trim_end_matches(":)"))),
            None => (member, None),
        };
        if let Some(value) = ty.values.get(member) {
            return deprecation(&value.directives);
        }
        let field = ty.fields.get(member)?;
        match argument {
            Some(argument) => deprecation(&field.args.get(argument)?.directives),
            None => deprecation(&field.directives),
        }
    }
}

fn retain_shown(fields: &mut BTreeMap<String, Field>, hidden: &BTreeSet<String>) {
    fields.retain(|_, field| !field.has(Fed::Inaccessible) && !hidden.contains(base_name(&field.ty)));
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

fn executable(name: &str, directive: &DirectiveDef, hidden: &BTreeSet<&str>) -> Option<String> {
    let locations: Vec<_> = directive.executable_locations().collect();
    let description = directive.definition.description.as_ref().map(|text| text.node.clone());
    let printed = print::executable_directive(&ExecutableDirective {
        name: name.to_owned(),
        description,
        args: fields(&directive.args, hidden),
        is_repeatable: directive.definition.is_repeatable,
        locations: locations.clone(),
    });
    (!locations.is_empty()).then_some(printed)
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
