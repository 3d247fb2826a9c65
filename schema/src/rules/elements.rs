//! Everything in a subgraph that directives can be applied to.

use async_graphql_parser::{Pos, types::DirectiveLocation};

use crate::subgraph::{Directive, Field, Kind, Subgraph};

pub(super) struct Element<'a> {
    pub(super) coordinate: String,
    pub(super) directives: &'a [Directive],
    pub(super) location: DirectiveLocation,
    pub(super) pos: Pos,
}

pub(super) fn of(subgraph: &Subgraph) -> Vec<Element<'_>> {
    let mut elements = Vec::new();
    if let Some(first) = subgraph.schema_directives.first() {
        elements.push(Element {
            coordinate: "schema".to_owned(),
            directives: &subgraph.schema_directives,
            location: DirectiveLocation::Schema,
            pos: first.pos,
        });
    }
    for ty in subgraph.types.values() {
        let location = type_location(ty.kind);
        elements.push(Element {
            coordinate: ty.name.clone(),
            directives: &ty.directives,
            location,
            pos: ty.pos,
        });
        let location = if ty.kind == Kind::InputObject {
            DirectiveLocation::InputFieldDefinition
        } else {
            DirectiveLocation::FieldDefinition
        };
        for field in ty.fields.values() {
            let coordinate = format!("{}.{}", ty.name, field.name);
            for argument in field.args.values() {
                let coordinate = format!("{coordinate}({}:)", argument.name);
                elements.push(element(coordinate, argument, DirectiveLocation::ArgumentDefinition));
            }
            elements.push(element(coordinate, field, location));
        }
        for (name, value) in &ty.values {
            let coordinate = format!("{}.{name}", ty.name);
            let location = DirectiveLocation::EnumValue;
            elements.push(Element { coordinate, directives: &value.directives, location, pos: value.pos });
        }
    }
    elements
}

fn element(coordinate: String, field: &Field, location: DirectiveLocation) -> Element<'_> {
    Element { coordinate, directives: &field.directives, location, pos: field.pos }
}

const fn type_location(kind: Kind) -> DirectiveLocation {
    match kind {
        Kind::Scalar => DirectiveLocation::Scalar,
        Kind::Object => DirectiveLocation::Object,
        Kind::Interface => DirectiveLocation::Interface,
        Kind::Union => DirectiveLocation::Union,
        Kind::Enum => DirectiveLocation::Enum,
        Kind::InputObject => DirectiveLocation::InputObject,
    }
}
