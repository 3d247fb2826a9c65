//! Join v0.2: it does not say which subgraph has which values of an enum and which members of a union.

use graphql_tools::parser::schema::{Definition, TypeDefinition, Value};
use graphql_tools::static_graphql::schema as sdl;
use rustc_hash::FxHashMap;

use super::write::{directive, graph};

/// Says it: every subgraph has all values, and those members that it has as types.
pub(super) fn complete(document: &mut sdl::Document) {
    let graphs = document.definitions.iter().filter_map(|definition| match definition {
        Definition::TypeDefinition(TypeDefinition::Object(object)) => {
            Some((object.name.clone(), graphs_of(&object.directives)))
        }
        _ => None,
    });
    let graphs: FxHashMap<String, Vec<String>> = graphs.collect();
    for definition in &mut document.definitions {
        let Definition::TypeDefinition(definition) = definition else { continue };
        match definition {
            TypeDefinition::Union(union) => {
                for (of, member) in pairs(&graphs_of(&union.directives), &union.types) {
                    if graphs.get(&member).is_some_and(|graphs| graphs.contains(&of)) {
                        let member = ("member", Value::String(member));
                        union.directives.push(directive("join__unionMember", [graph(&of), member]));
                    }
                }
            }
            TypeDefinition::Enum(list) => {
                let graphs = graphs_of(&list.directives);
                for value in &mut list.values {
                    let known = graphs.iter().map(|of| directive("join__enumValue", [graph(of)]));
                    value.directives.extend(known);
                }
            }
            TypeDefinition::Interface(interface) => drop_keys(&mut interface.directives),
            TypeDefinition::Object(_) | TypeDefinition::Scalar(_) | TypeDefinition::InputObject(_) => {}
        }
    }
}

fn pairs(graphs: &[String], members: &[String]) -> Vec<(String, String)> {
    let pairs = graphs.iter().flat_map(|of| members.iter().map(move |member| (of.clone(), member.clone())));
    pairs.collect()
}

/// Keys of interfaces meant nothing before join v0.3: there was no way to ask for an entity by its interface.
fn drop_keys(directives: &mut Vec<sdl::Directive>) {
    for directive in directives.iter_mut().filter(|directive| directive.name == "join__type") {
        directive.arguments.retain(|(name, _)| name == "graph");
    }
    let mut known = Vec::new();
    directives.retain(|directive| {
        let is_new = directive.name != "join__type" || !known.contains(&directive.arguments);
        known.push(directive.arguments.clone());
        is_new
    });
}

/// The subgraphs that have a type.
fn graphs_of(directives: &[sdl::Directive]) -> Vec<String> {
    let mut graphs = Vec::new();
    for directive in directives.iter().filter(|directive| directive.name == "join__type") {
        for (name, value) in &directive.arguments {
            if let Value::Enum(of) = value
                && name == "graph"
                && !graphs.contains(of)
            {
                graphs.push(of.clone());
            }
        }
    }
    graphs
}
