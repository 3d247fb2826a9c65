//! One subgraph as composition sees it: extensions folded in, root types under their usual names,
//! federation directives recognized whatever they were imported as.

pub(crate) mod field_set;
pub(crate) mod graphs;
pub(crate) mod links;
pub(crate) mod parse;
pub(crate) mod spec;
pub(crate) mod text;
mod upgrade;
mod usage;

use std::collections::{BTreeMap, BTreeSet};

use async_graphql_parser::{
    Pos,
    types::{BaseType, DirectiveDefinition, DirectiveLocation, Type},
};
use async_graphql_value::ConstValue;

use self::{links::Links, spec::Fed};

/// Types that every schema has.
pub(crate) const BUILTIN_SCALARS: [&str; 5] = ["Boolean", "Float", "ID", "Int", "String"];
/// Root types under the names that the supergraph uses.
pub(crate) const ROOT_TYPES: [&str; 3] = ["Query", "Mutation", "Subscription"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Scalar,
    Object,
    Interface,
    Union,
    Enum,
    InputObject,
}

impl Kind {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Object => "object",
            Self::Interface => "interface",
            Self::Union => "union",
            Self::Enum => "enum",
            Self::InputObject => "input object",
        }
    }

    pub(crate) const fn is_composite(self) -> bool {
        matches!(self, Self::Object | Self::Interface | Self::Union)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Subgraph {
    pub(crate) name: String,
    pub(crate) url: Option<String>,
    /// The value of `join__Graph` that stands for it.
    pub(crate) graph: String,
    pub(crate) types: BTreeMap<String, TypeDef>,
    /// Definitions of the subgraph's own.
    pub(crate) directives: BTreeMap<String, DirectiveDef>,
    /// Definitions of what the federation specification defines, as the subgraph repeats them.
    pub(crate) spec_definitions: Vec<(Fed, DirectiveDef)>,
    /// Applied to the schema definition and its extensions, `@link` among them.
    pub(crate) schema_directives: Vec<Directive>,
    pub(crate) links: Links,
    /// `@composeDirective(name:)`, without the `@`.
    pub(crate) composed: Vec<(String, Pos)>,
    /// Fields that some `@key` of this subgraph selects.
    pub(crate) key_fields: BTreeSet<(String, String)>,
    /// Fields that a `@key`, `@requires`, `@provides` or an interface of this subgraph needs.
    pub(crate) used_fields: BTreeSet<(String, String)>,
}

impl Subgraph {
    pub(crate) fn kind(&self, name: &str) -> Option<Kind> {
        match self.types.get(name) {
            Some(ty) => Some(ty.kind),
            None => BUILTIN_SCALARS.contains(&name).then_some(Kind::Scalar),
        }
    }

    /// The object types of this subgraph that implement an interface or belong to a union.
    pub(crate) fn implementations<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a TypeDef> {
        let members = self.types.get(name).map(|ty| &ty.members);
        self.types.values().filter(move |ty| {
            ty.kind == Kind::Object
                && (ty.implements.contains_key(name)
                    || members.is_some_and(|members| members.contains_key(&ty.name)))
        })
    }
}

#[derive(Clone, Debug)]
pub(crate) struct TypeDef {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) description: Option<String>,
    pub(crate) directives: Vec<Directive>,
    pub(crate) implements: BTreeMap<String, Pos>,
    /// Of objects, interfaces and input objects.
    pub(crate) fields: BTreeMap<String, Field>,
    pub(crate) members: BTreeMap<String, Pos>,
    pub(crate) values: BTreeMap<String, EnumValue>,
    pub(crate) pos: Pos,
    /// Defined by `extend type` or `@extends` alone.
    pub(crate) extension: bool,
}

impl TypeDef {
    pub(crate) fn has(&self, fed: Fed) -> bool {
        has(&self.directives, fed)
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &Directive> {
        all(&self.directives, Fed::Key)
    }

    pub(crate) fn is_root(&self) -> bool {
        ROOT_TYPES.contains(&self.name.as_str())
    }
}

/// A field of an object or interface, an argument, or a field of an input object.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) args: BTreeMap<String, Field>,
    pub(crate) ty: Type,
    pub(crate) default: Option<ConstValue>,
    pub(crate) directives: Vec<Directive>,
    pub(crate) pos: Pos,
}

impl Field {
    pub(crate) fn has(&self, fed: Fed) -> bool {
        has(&self.directives, fed)
    }

    pub(crate) fn get(&self, fed: Fed) -> Option<&Directive> {
        all(&self.directives, fed).next()
    }

    /// An argument or input field that a caller must give.
    pub(crate) fn is_required(&self) -> bool {
        !self.ty.nullable && self.default.is_none()
    }
}

/// A directive's definition.
#[derive(Clone, Debug)]
pub(crate) struct DirectiveDef {
    pub(crate) definition: DirectiveDefinition,
    pub(crate) args: BTreeMap<String, Field>,
    pub(crate) pos: Pos,
}

impl DirectiveDef {
    pub(crate) fn has_location(&self, location: DirectiveLocation) -> bool {
        self.definition.locations.iter().any(|own| own.node == location)
    }

    /// The locations in operations.
    pub(crate) fn executable_locations(&self) -> impl Iterator<Item = DirectiveLocation> {
        EXECUTABLE.into_iter().filter(|location| self.has_location(*location))
    }
}

/// Where operations apply directives.
const EXECUTABLE: [DirectiveLocation; 8] = [
    DirectiveLocation::Query,
    DirectiveLocation::Mutation,
    DirectiveLocation::Subscription,
    DirectiveLocation::Field,
    DirectiveLocation::FragmentDefinition,
    DirectiveLocation::FragmentSpread,
    DirectiveLocation::InlineFragment,
    DirectiveLocation::VariableDefinition,
];

#[derive(Clone, Debug)]
pub(crate) struct EnumValue {
    pub(crate) description: Option<String>,
    pub(crate) directives: Vec<Directive>,
    pub(crate) pos: Pos,
}

/// An applied directive.
#[derive(Clone, Debug)]
pub(crate) struct Directive {
    /// The name as applied.
    pub(crate) name: String,
    /// Which directive of the federation specification it is, if one.
    pub(crate) fed: Option<Fed>,
    pub(crate) args: Vec<(String, ConstValue)>,
    pub(crate) pos: Pos,
}

impl Directive {
    pub(crate) fn arg(&self, name: &str) -> Option<&ConstValue> {
        self.args.iter().find(|(arg, _)| arg == name).map(|(_, value)| value)
    }

    pub(crate) fn str_arg(&self, name: &str) -> Option<&str> {
        match self.arg(name) {
            Some(ConstValue::String(text)) => Some(text),
            _ => None,
        }
    }

    /// As SDL writes it.
    pub(crate) fn print(&self) -> String {
        let arguments: Vec<_> = self.args.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        if arguments.is_empty() {
            format!("@{}", self.name)
        } else {
            format!("@{}({})", self.name, arguments.join(", "))
        }
    }

    /// The field set of `@key`, `@requires` or `@provides`.
    pub(crate) fn fields(&self) -> Option<&str> {
        self.str_arg("fields")
    }
}

pub(crate) fn has(directives: &[Directive], fed: Fed) -> bool {
    all(directives, fed).next().is_some()
}

pub(crate) fn all(directives: &[Directive], fed: Fed) -> impl Iterator<Item = &Directive> {
    directives.iter().filter(move |directive| directive.fed == Some(fed))
}

/// The name inside all lists.
pub(crate) fn base_name(ty: &Type) -> &str {
    match &ty.base {
        BaseType::Named(name) => name,
        BaseType::List(inner) => base_name(inner),
    }
}
