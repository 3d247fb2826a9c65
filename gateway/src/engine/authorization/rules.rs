//! What a supergraph demands of callers, element by element.

use graphql_tools::parser::schema::{Definition, TypeDefinition, Value};
use graphql_tools::static_graphql::schema as sdl;
use indexmap::IndexSet;
use pulse_types::Permission;
use rustc_hash::{FxBuildHasher, FxHashMap};

use super::links::{Guard, Names};
use super::{Alternatives, Requirement, RuleId};

/// The requirements of a supergraph.
#[derive(Debug, Default)]
pub(in crate::engine) struct Rules {
    requirements: IndexSet<Requirement, FxBuildHasher>,
    types: FxHashMap<String, TypeRules>,
    pub(in crate::engine) names: Names,
}

#[derive(Debug, Default)]
struct TypeRules {
    own: Vec<RuleId>,
    fields: FxHashMap<String, Vec<RuleId>>,
}

impl Rules {
    /// Reads them from a supergraph.
    pub(in crate::engine) fn read(document: &sdl::Document) -> Self {
        let mut rules = Self { names: Names::read(document), ..Self::default() };
        for definition in &document.definitions {
            if let Definition::TypeDefinition(definition) = definition {
                rules.read_type(definition);
            }
        }
        rules.inherit_from_interface_objects(document);
        rules
    }

    pub(in crate::engine) fn is_empty(&self) -> bool {
        self.requirements.is_empty()
    }

    pub(super) fn of_type(&self, name: &str) -> &[RuleId] {
        self.types.get(name).map(|ty| ty.own.as_slice()).unwrap_or_default()
    }

    pub(super) fn of_field(&self, parent: &str, field: &str) -> &[RuleId] {
        let fields = self.types.get(parent).map(|ty| &ty.fields);
        fields.and_then(|fields| fields.get(field)).map(Vec::as_slice).unwrap_or_default()
    }

    pub(super) fn requirement(&self, id: RuleId) -> &Requirement {
        let index = usize::try_from(id).expect("a number of 32 bits is an index");
        self.requirements.get_index(index).expect("the number was given to a requirement")
    }

    fn read_type(&mut self, definition: &sdl::TypeDefinition) {
        let (name, directives, fields) = match definition {
            TypeDefinition::Scalar(ty) => (&ty.name, &ty.directives, [].as_slice()),
            TypeDefinition::Enum(ty) => (&ty.name, &ty.directives, [].as_slice()),
            TypeDefinition::Object(ty) => (&ty.name, &ty.directives, ty.fields.as_slice()),
            TypeDefinition::Interface(ty) => (&ty.name, &ty.directives, ty.fields.as_slice()),
            TypeDefinition::Union(_) | TypeDefinition::InputObject(_) => return,
        };
        let own: Vec<_> = self.rule(directives).into_iter().collect();
        let fields: FxHashMap<_, _> = fields
            .iter()
            .filter_map(|field| Some((field.name.clone(), vec![self.rule(&field.directives)?])))
            .collect();
        if !own.is_empty() || !fields.is_empty() {
            self.types.insert(name.clone(), TypeRules { own, fields });
        }
    }

    fn rule(&mut self, directives: &[sdl::Directive]) -> Option<RuleId> {
        let mut requirement = Requirement::default();
        for directive in directives {
            let Some(guard) = self.names.guard(&directive.name) else { continue };
            match guard {
                Guard::Authenticated => requirement.authenticated = true,
                Guard::RequiresScopes => {
                    let alternatives = alternatives(directive, guard);
                    let scopes = alternatives
                        .into_iter()
                        .map(|all| all.into_iter().map(Permission::from).collect())
                        .collect();
                    requirement.scopes = Some(scopes);
                }
                Guard::Policy => requirement.policies = Some(alternatives(directive, guard)),
            }
        }
        if requirement == Requirement::default() {
            return None;
        }
        let (index, _) = self.requirements.insert_full(requirement);
        Some(RuleId::try_from(index).expect("a supergraph has fewer than 2^32 requirements"))
    }

    /// Fields that an `@interfaceObject` adds are its interface's in one subgraph alone: what is demanded there holds for
    /// each implementation.
    fn inherit_from_interface_objects(&mut self, document: &sdl::Document) {
        for definition in &document.definitions {
            let Definition::TypeDefinition(TypeDefinition::Object(object)) = definition else { continue };
            for interface in &object.implements_interfaces {
                if !is_interface_object(document, interface) {
                    continue;
                }
                let Some(from) = self.types.get(interface) else { continue };
                let (own, fields) = (from.own.clone(), from.fields.clone());
                let into = self.types.entry(object.name.clone()).or_default();
                into.own.extend(own);
                for (field, rules) in fields {
                    into.fields.entry(field).or_default().extend(rules);
                }
            }
        }
    }
}

fn is_interface_object(document: &sdl::Document, name: &str) -> bool {
    document.definitions.iter().any(|definition| {
        let Definition::TypeDefinition(TypeDefinition::Interface(interface)) = definition else {
            return false;
        };
        interface.name == name
            && interface.directives.iter().any(|directive| {
                let is_set = |(name, value): &(String, sdl::Value)| {
                    name == "isInterfaceObject" && *value == Value::Boolean(true)
                };
                directive.name == "join__type" && directive.arguments.iter().any(is_set)
            })
    })
}

/// The lists of an argument; by the rules of GraphQL, one item stands for a list of one. Without the argument, or with
/// something that is no name, nobody passes.
fn alternatives(directive: &sdl::Directive, guard: Guard) -> Alternatives<String> {
    let value = directive.arguments.iter().find(|(name, _)| name == guard.argument()).map(|(_, value)| value);
    let alternatives = value.map(items).unwrap_or_default().iter().map(|all| {
        let names = items(all).iter().map(|name| match name {
            Value::String(name) => Some(name.clone()),
            _ => None,
        });
        names.collect::<Option<Vec<_>>>()
    });
    alternatives.flatten().collect()
}

fn items(value: &sdl::Value) -> &[sdl::Value] {
    match value {
        Value::List(items) => items,
        single => std::slice::from_ref(single),
    }
}
