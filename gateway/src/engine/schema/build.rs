//! The index out of the planner's two views of a supergraph.

use std::sync::Arc;

use graphql_tools::parser::schema::{self as ast, DirectiveLocation};
use graphql_tools::static_graphql::schema as sdl;
use hive_router_query_planner::state::supergraph_state::{SupergraphDefinition, SupergraphState};
use rustc_hash::FxHashSet;

use super::{
    DefaultValue, Directive, EnumValue, Field, InputValue, Kind, Ordered, Schema, Type, TypeConditions,
    TypeRef, literal,
};

/// What belongs to composition and says nothing to clients.
const HIDDEN_PREFIXES: [&str; 4] = ["join__", "link__", "federation__", "core__"];
const HIDDEN_DIRECTIVES: [&str; 5] =
    ["policy", "composeDirective", "interfaceObject", "context", "fromContext"];

impl Schema {
    /// Indexes the API schema that the planner derived from the supergraph.
    pub(in crate::engine) fn new(document: &sdl::Document) -> Self {
        let mut types = Ordered::default();
        let mut directives = Vec::new();
        for definition in &document.definitions {
            match definition {
                ast::Definition::TypeDefinition(definition) => {
                    let ty = type_of(definition);
                    if !is_hidden(&ty.name) {
                        types.insert(Arc::clone(&ty.name), ty);
                    }
                }
                ast::Definition::DirectiveDefinition(definition) => {
                    if !is_hidden(&definition.name) && !HIDDEN_DIRECTIVES.contains(&definition.name.as_str())
                    {
                        directives.push(directive(definition));
                    }
                }
                ast::Definition::SchemaDefinition(_) | ast::Definition::TypeExtension(_) => {}
            }
        }
        fill_possible_types(&mut types);
        Self {
            query: document.query_type_name().map_or("Query", String::as_str).into(),
            mutation: document.mutation_type_name().map(|name| name.as_str().into()),
            subscription: document.subscription_type_name().map(|name| name.as_str().into()),
            types,
            directives,
        }
    }
}

impl TypeConditions {
    /// Reads the supergraph's interfaces and unions.
    pub(in crate::engine) fn new(supergraph: &SupergraphState) -> Self {
        let mut possible = Self::default();
        for (name, definition) in &supergraph.definitions {
            match definition {
                SupergraphDefinition::Interface(_) => {
                    let members = supergraph.interface_members(name).into_iter().flatten();
                    let members = members.map(|member| member.as_str().into()).collect();
                    possible.possible.insert(name.as_str().into(), members);
                }
                SupergraphDefinition::Union(union) => {
                    let members = union.types.iter().map(|member| member.as_str().into()).collect();
                    possible.possible.insert(name.as_str().into(), members);
                }
                _ => {}
            }
        }
        possible
    }
}

fn is_hidden(name: &str) -> bool {
    HIDDEN_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Gives interfaces their members, and drops references to types that clients do not see.
fn fill_possible_types(types: &mut Ordered<Type>) {
    let mut members: Vec<(Arc<str>, Arc<str>)> = Vec::new();
    for ty in types.values().filter(|ty| ty.kind == Kind::Object) {
        members.extend(ty.interfaces.iter().map(|interface| (Arc::clone(interface), Arc::clone(&ty.name))));
    }
    for (interface, object) in members {
        if let Some(ty) = types.get_mut(&interface) {
            ty.possible.push(object);
        }
    }
    let seen: FxHashSet<Arc<str>> = types.keys().cloned().collect();
    for ty in types.values_mut() {
        ty.possible.retain(|name| seen.contains(name));
        ty.interfaces.retain(|name| seen.contains(name));
    }
}

fn type_of(definition: &sdl::TypeDefinition) -> Type {
    match definition {
        ast::TypeDefinition::Scalar(ty) => Type {
            specified_by: argument(&ty.directives, "specifiedBy", "url"),
            ..empty(Kind::Scalar, &ty.name, ty.description.as_ref())
        },
        ast::TypeDefinition::Object(ty) => Type {
            fields: fields(&ty.fields),
            interfaces: names(&ty.implements_interfaces),
            ..empty(Kind::Object, &ty.name, ty.description.as_ref())
        },
        ast::TypeDefinition::Interface(ty) => Type {
            fields: fields(&ty.fields),
            interfaces: names(&ty.implements_interfaces),
            ..empty(Kind::Interface, &ty.name, ty.description.as_ref())
        },
        ast::TypeDefinition::Union(ty) => {
            Type { possible: names(&ty.types), ..empty(Kind::Union, &ty.name, ty.description.as_ref()) }
        }
        ast::TypeDefinition::Enum(ty) => Type {
            values: ty.values.iter().map(enum_value).collect(),
            value_names: Arc::new(ty.values.iter().map(|value| value.name.as_str().into()).collect()),
            ..empty(Kind::Enum, &ty.name, ty.description.as_ref())
        },
        ast::TypeDefinition::InputObject(ty) => Type {
            inputs: ty.fields.iter().map(input_value).map(|input| (Arc::clone(&input.name), input)).collect(),
            one_of: ty.directives.iter().any(|directive| directive.name == "oneOf"),
            ..empty(Kind::InputObject, &ty.name, ty.description.as_ref())
        },
    }
}

fn empty(kind: Kind, name: &str, description: Option<&String>) -> Type {
    Type {
        name: name.into(),
        kind,
        description: description.cloned(),
        fields: Ordered::default(),
        interfaces: Vec::new(),
        possible: Vec::new(),
        values: Vec::new(),
        value_names: Arc::default(),
        inputs: Ordered::default(),
        one_of: false,
        specified_by: None,
    }
}

fn names(names: &[String]) -> Vec<Arc<str>> {
    names.iter().map(|name| name.as_str().into()).collect()
}

fn fields(fields: &[sdl::Field]) -> Ordered<Field> {
    let field = |field: &sdl::Field| Field {
        name: field.name.as_str().into(),
        description: field.description.clone(),
        arguments: field.arguments.iter().map(input_value).collect(),
        ty: TypeRef::from(&field.field_type),
        deprecated: deprecation(&field.directives),
    };
    fields.iter().map(field).map(|field| (Arc::clone(&field.name), field)).collect()
}

fn input_value(input: &sdl::InputValue) -> InputValue {
    InputValue {
        name: input.name.as_str().into(),
        description: input.description.clone(),
        ty: TypeRef::from(&input.value_type),
        default: input
            .default_value
            .as_ref()
            .map(|default| DefaultValue { value: literal(default), text: default.to_string() }),
        deprecated: deprecation(&input.directives),
    }
}

fn enum_value(value: &sdl::EnumValue) -> EnumValue {
    EnumValue {
        name: value.name.as_str().into(),
        description: value.description.clone(),
        deprecated: deprecation(&value.directives),
    }
}

fn directive(definition: &sdl::DirectiveDefinition) -> Directive {
    let mut locations: Vec<_> = definition.locations.iter().map(DirectiveLocation::as_str).collect();
    // The planner's own SDL for these two says less than the specification.
    match definition.name.as_str() {
        "oneOf" => locations = vec![DirectiveLocation::InputObject.as_str()],
        "deprecated" if !locations.contains(&DirectiveLocation::ArgumentDefinition.as_str()) => {
            locations.insert(1, DirectiveLocation::ArgumentDefinition.as_str());
        }
        _ => {}
    }
    Directive {
        name: definition.name.clone(),
        description: definition.description.clone(),
        arguments: definition.arguments.iter().map(input_value).collect(),
        repeatable: definition.repeatable,
        locations,
    }
}

fn deprecation(directives: &[sdl::Directive]) -> Option<String> {
    let deprecated = directives.iter().any(|directive| directive.name == "deprecated");
    deprecated
        .then(|| argument(directives, "deprecated", "reason").unwrap_or_else(|| "No longer supported".into()))
}

fn argument(directives: &[sdl::Directive], directive: &str, argument: &str) -> Option<String> {
    let directive = directives.iter().find(|candidate| candidate.name == directive)?;
    directive.arguments.iter().find_map(|(name, value)| match value {
        ast::Value::String(text) if name == argument => Some(text.clone()),
        _ => None,
    })
}
