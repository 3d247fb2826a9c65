//! A Federation 1 supergraph, written as join v0.3 has it.

use graphql_tools::parser::Pos;
use graphql_tools::parser::schema::{Definition, TypeDefinition, Value};
use graphql_tools::static_graphql::schema as sdl;

use super::placed::{Place, Placed, is_machinery};

/// A directive.
pub(super) fn directive<const N: usize>(name: &str, arguments: [(&str, sdl::Value); N]) -> sdl::Directive {
    let arguments = arguments.map(|(name, value)| (name.to_owned(), value)).into();
    sdl::Directive { position: Pos::default(), name: name.to_owned(), arguments }
}

/// The argument that names a subgraph.
pub(super) fn graph(of: &str) -> (&'static str, sdl::Value) {
    ("graph", Value::Enum(of.to_owned()))
}

/// Writes what each subgraph has on all types of a supergraph.
pub(super) fn write(placed: &Placed<'_>, document: &mut sdl::Document) {
    for definition in &mut document.definitions {
        if let Definition::TypeDefinition(definition) = definition {
            write_type(placed, definition);
        }
    }
}

fn write_type(placed: &Placed<'_>, definition: &mut sdl::TypeDefinition) {
    match definition {
        TypeDefinition::Object(object) => {
            placed.mark(&object.name, &mut object.directives, true);
            placed.mark_implemented(&object.name, &object.implements_interfaces, &mut object.directives);
            object.fields.iter_mut().for_each(|field| placed.mark_field(&object.name, field));
        }
        TypeDefinition::Interface(interface) => {
            placed.mark(&interface.name, &mut interface.directives, false);
            let interfaces = &interface.implements_interfaces;
            placed.mark_implemented(&interface.name, interfaces, &mut interface.directives);
            interface.fields.iter_mut().for_each(|field| placed.mark_field(&interface.name, field));
        }
        TypeDefinition::Union(union) => {
            placed.mark(&union.name, &mut union.directives, false);
            for of in placed.graphs(&union.name) {
                for member in union.types.iter().filter(|member| placed.is_in(member, of)) {
                    let member = ("member", Value::String(member.clone()));
                    union.directives.push(directive("join__unionMember", [graph(of), member]));
                }
            }
        }
        TypeDefinition::Enum(list) if !is_machinery(&list.name) => {
            placed.mark(&list.name, &mut list.directives, false);
            for value in &mut list.values {
                let known = placed.graphs(&list.name).map(|of| directive("join__enumValue", [graph(of)]));
                value.directives.extend(known);
            }
        }
        TypeDefinition::Scalar(scalar) if !is_machinery(&scalar.name) => {
            placed.mark(&scalar.name, &mut scalar.directives, false);
        }
        TypeDefinition::InputObject(input) => placed.mark(&input.name, &mut input.directives, false),
        TypeDefinition::Enum(_) | TypeDefinition::Scalar(_) => {}
    }
}

impl Placed<'_> {
    /// Says which subgraphs have a type, and by which keys.
    fn mark(&self, name: &str, directives: &mut Vec<sdl::Directive>, with_keys: bool) {
        directives.retain(|directive| !matches!(&*directive.name, "join__type" | "join__owner"));
        for of in self.graphs(name) {
            let keys: Vec<_> = self.keys(name, of).filter(|_| with_keys).collect();
            if keys.is_empty() {
                directives.push(directive("join__type", [graph(of)]));
            }
            for key in keys {
                let key = ("key", Value::String(key.to_owned()));
                directives.push(directive("join__type", [graph(of), key]));
            }
        }
    }

    fn mark_implemented(&self, name: &str, interfaces: &[String], directives: &mut Vec<sdl::Directive>) {
        for interface in interfaces {
            for of in self.graphs(name).filter(|of| self.is_in(interface, of)) {
                let interface = ("interface", Value::String(interface.clone()));
                directives.push(directive("join__implements", [graph(of), interface]));
            }
        }
    }

    /// Says which subgraphs answer for a field. Nothing is said where all that have the type do.
    fn mark_field(&self, parent: &str, field: &mut sdl::Field) {
        field.directives.retain(|directive| directive.name != "join__field");
        for (of, place) in self.places(parent, &field.name) {
            let Place { requires, provides, external } = place;
            let mut join = directive("join__field", [graph(of)]);
            let mut argument = |name: &str, value: sdl::Value| join.arguments.push((name.to_owned(), value));
            if let Some(requires) = requires {
                argument("requires", Value::String((*requires).to_owned()));
            }
            if let Some(provides) = provides {
                argument("provides", Value::String((*provides).to_owned()));
            }
            if *external {
                argument("external", Value::Boolean(true));
            }
            field.directives.push(join);
        }
    }
}
