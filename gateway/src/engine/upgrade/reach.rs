//! Types that Federation 1 wants to be the same wherever they are: it does not write where that is. A subgraph has those
//! that the fields lead to which it answers for.

use graphql_tools::parser::schema::TypeDefinition;
use graphql_tools::static_graphql::schema as sdl;
use rustc_hash::FxHashSet;

use super::placed::{Place, Placed, fields, interfaces, named};

/// Types and the subgraphs in which they were met.
type Met<'d> = Vec<(&'d str, &'d str)>;

impl<'d> Placed<'d> {
    /// Places all types that were not placed by what the directives say.
    pub(super) fn reached(&mut self) {
        let mut met = Met::new();
        for ((parent, field), graphs) in &self.fields {
            let field = fields(self.definitions[parent]).iter().find(|known| known.name == *field);
            for graph in graphs.keys() {
                if let Some(field) = field {
                    meet(field, graph, &mut met);
                }
            }
        }
        let mut seen = FxHashSet::default();
        while let Some((name, graph)) = met.pop() {
            if seen.insert((name, graph))
                && let Some(definition) = self.definitions.get(name).copied()
            {
                self.enter(definition, graph, &mut met);
            }
        }
    }

    fn enter(&mut self, definition: &'d sdl::TypeDefinition, graph: &'d str, met: &mut Met<'d>) {
        let name = definition.name();
        match definition {
            TypeDefinition::Object(object) => {
                // An entity is where it says that it is.
                if !self.is_placed(name) {
                    self.put(name, graph);
                    object.fields.iter().for_each(|field| meet(field, graph, met));
                }
            }
            TypeDefinition::Interface(interface) => self.enter_interface(interface, graph, met),
            TypeDefinition::Union(union) => {
                self.put(name, graph);
                let shared = union.types.iter().filter(|member| !self.is_placed(member));
                met.extend(shared.map(|member| (member.as_str(), graph)));
            }
            TypeDefinition::InputObject(input) => {
                self.put(name, graph);
                met.extend(input.fields.iter().map(|field| (named(&field.value_type), graph)));
            }
            TypeDefinition::Enum(_) | TypeDefinition::Scalar(_) => self.put(name, graph),
        }
    }

    /// An interface brings its implementers along: entities that the subgraph has, with the fields of the interface, and
    /// shared types that it may have.
    fn enter_interface(&mut self, interface: &'d sdl::InterfaceType, graph: &'d str, met: &mut Met<'d>) {
        let name = interface.name.as_str();
        let is_declared = self.is_placed(name);
        if is_declared && !self.is_in(name, graph) {
            for field in &interface.fields {
                self.place(name, &field.name, graph, Place::default());
            }
        }
        self.put(name, graph);
        let is_here = |placed: &Self, field: &sdl::Field| {
            !is_declared || placed.places(name, &field.name).any(|(of, _)| of == graph)
        };
        let here: Vec<_> = interface.fields.iter().filter(|field| is_here(self, field)).collect();
        for field in &here {
            meet(field, graph, met);
        }
        for member in self.implementers(name) {
            if !self.is_placed(member) {
                if self.may_be_in(member, graph) {
                    met.push((member, graph));
                }
            } else if self.is_in(member, graph) {
                for field in &here {
                    self.place(member, &field.name, graph, Place { external: true, ..Place::default() });
                }
            }
        }
    }

    /// Whether a subgraph can have a shared type: it then has the entities that the type's fields lead to.
    fn may_be_in(&self, name: &str, graph: &str) -> bool {
        let leads_to = fields(self.definitions[name]).iter().map(|field| named(&field.field_type));
        let is_object = |name: &&str| matches!(self.definitions.get(name), Some(TypeDefinition::Object(_)));
        leads_to.filter(is_object).all(|name| !self.is_placed(name) || self.is_in(name, graph))
    }

    /// Types that no field leads to are in all subgraphs; an interface is where its implementers are.
    pub(super) fn unreached(&mut self) {
        let all = self.all_graphs().clone();
        let definitions: Vec<_> = self.definitions.values().copied().collect();
        for definition in &definitions {
            if !matches!(definition, TypeDefinition::Interface(_)) {
                self.types.entry(definition.name()).or_insert_with(|| all.clone());
            }
        }
        for definition in &definitions {
            let graphs: Vec<_> = self.graphs(definition.name()).collect();
            for interface in interfaces(definition) {
                if !graphs.iter().any(|graph| self.is_in(interface, graph)) {
                    for graph in &graphs {
                        self.put(interface, graph);
                    }
                }
            }
        }
        for definition in definitions {
            self.types.entry(definition.name()).or_insert_with(|| all.clone());
        }
    }
}

/// Notes the types that a field leads to, its own and those of its arguments.
fn meet<'d>(field: &'d sdl::Field, graph: &'d str, met: &mut Met<'d>) {
    met.push((named(&field.field_type), graph));
    met.extend(field.arguments.iter().map(|argument| (named(&argument.value_type), graph)));
}
