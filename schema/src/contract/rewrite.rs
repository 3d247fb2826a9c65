//! A supergraph printed again, with more of it `@inaccessible`.

use std::collections::BTreeMap;

use super::hide::Hidden;
use crate::{
    print,
    subgraph::{Directive, Field, Subgraph, TypeDef, has, spec::Fed},
    supergraph::{OutField, OutType, OutValue},
};

const IDENTITY: &str = "https://specs.apollo.dev/inaccessible";

pub(super) fn with_hidden(schema: &Subgraph, hidden: &Hidden) -> String {
    let link = schema.links.all.iter().find(|link| link.identity == IDENTITY);
    let mark = Mark { hidden, directive: link.map_or("inaccessible", |link| &link.namespace) };
    let mut links: Vec<String> = schema.schema_directives.iter().map(Directive::print).collect();
    let mut definitions: Vec<String> = schema
        .directives
        .values()
        .map(|directive| print::directive_definition(&directive.definition))
        .collect();
    if link.is_none() {
        links.push(print::INACCESSIBLE_LINK.to_owned());
    }
    if !schema.directives.contains_key(mark.directive) {
        definitions.push(print::INACCESSIBLE.trim_end().to_owned());
    }
    definitions.sort();
    let types: BTreeMap<&String, OutType> =
        schema.types.iter().map(|(name, ty)| (name, mark.of_type(ty))).collect();
    let links: String = links.iter().flat_map(|link| ["\n  ", link]).collect();
    let definitions: String = definitions.iter().flat_map(|definition| [definition, "\n\n"]).collect();
    let roots = print::roots(|name| types.contains_key(&name.to_owned()));
    format!("schema{links}\n{roots}{definitions}{}", print::types(types.values()))
}

struct Mark<'a> {
    hidden: &'a Hidden,
    /// What `@inaccessible` is called here.
    directive: &'a str,
}

impl Mark<'_> {
    fn directives(&self, coordinate: &str, directives: &[Directive]) -> Vec<String> {
        let mut printed: Vec<String> = directives.iter().map(Directive::print).collect();
        if self.hidden.contains(coordinate) && !has(directives, Fed::Inaccessible) {
            printed.push(format!("@{}", self.directive));
        }
        printed
    }

    fn of_type(&self, ty: &TypeDef) -> OutType {
        let value = |(name, value): (&String, &crate::subgraph::EnumValue)| {
            let out = OutValue {
                description: value.description.clone(),
                directives: self.directives(&format!("{}.{name}", ty.name), &value.directives),
                inaccessible: false,
            };
            (name.clone(), out)
        };
        OutType {
            name: ty.name.clone(),
            kind: ty.kind,
            description: ty.description.clone(),
            directives: self.directives(&ty.name, &ty.directives),
            inaccessible: false,
            implements: ty.implements.keys().cloned().collect(),
            fields: self.fields(&ty.fields, |name| format!("{}.{name}", ty.name)),
            members: ty.members.keys().cloned().collect(),
            values: ty.values.iter().map(value).collect(),
            places: Vec::new(),
        }
    }

    fn fields(
        &self,
        fields: &BTreeMap<String, Field>,
        coordinate: impl Fn(&str) -> String,
    ) -> BTreeMap<String, OutField> {
        let mut out = BTreeMap::new();
        for (name, field) in fields {
            let own = coordinate(name);
            let args = field.args.iter().map(|(argument, input)| {
                let coordinate = format!("{own}({argument}:)");
                (argument.clone(), self.field(&coordinate, input, BTreeMap::new()))
            });
            out.insert(name.clone(), self.field(&own, field, args.collect()));
        }
        out
    }

    fn field(&self, coordinate: &str, field: &Field, args: BTreeMap<String, OutField>) -> OutField {
        OutField {
            description: field.description.clone(),
            args,
            ty: field.ty.clone(),
            default: field.default.clone(),
            directives: self.directives(coordinate, &field.directives),
            inaccessible: false,
            places: Vec::new(),
        }
    }
}
