//! The API schema: what clients may see and ask for, indexed for execution and introspection.

mod build;

use std::sync::Arc;

use graphql_tools::static_graphql::query;
use indexmap::IndexMap;
use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};

use crate::value::Value;

/// A map in the order of the SDL.
pub(super) type Ordered<T> = IndexMap<Arc<str>, T, FxBuildHasher>;

/// The API schema.
#[derive(Debug)]
pub(super) struct Schema {
    pub(super) types: Ordered<Type>,
    pub(super) directives: Vec<Directive>,
    pub(super) query: Arc<str>,
    pub(super) mutation: Option<Arc<str>>,
    pub(super) subscription: Option<Arc<str>>,
}

/// A type.
#[derive(Debug)]
pub(super) struct Type {
    pub(super) name: Arc<str>,
    pub(super) kind: Kind,
    pub(super) description: Option<String>,
    /// Of objects and interfaces.
    pub(super) fields: Ordered<Field>,
    /// Of objects and interfaces.
    pub(super) interfaces: Vec<Arc<str>>,
    /// Of interfaces and unions: the objects that they can be.
    pub(super) possible: Vec<Arc<str>>,
    /// Of enums.
    pub(super) values: Vec<EnumValue>,
    /// The same, to look up.
    pub(super) value_names: Arc<FxHashSet<Arc<str>>>,
    /// Of input objects.
    pub(super) inputs: Ordered<InputValue>,
    pub(super) one_of: bool,
    /// Of scalars.
    pub(super) specified_by: Option<String>,
}

/// What a type is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Scalar,
    Object,
    Interface,
    Union,
    Enum,
    InputObject,
}

/// An output field.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: Arc<str>,
    pub(super) description: Option<String>,
    pub(super) arguments: Vec<InputValue>,
    pub(super) ty: TypeRef,
    pub(super) deprecated: Option<String>,
}

/// An argument or an input field.
#[derive(Debug)]
pub(super) struct InputValue {
    pub(super) name: Arc<str>,
    pub(super) description: Option<String>,
    pub(super) ty: TypeRef,
    pub(super) default: Option<DefaultValue>,
    pub(super) deprecated: Option<String>,
}

/// A default, as JSON and as it is written in the GraphQL language.
#[derive(Debug)]
pub(super) struct DefaultValue {
    pub(super) value: Value,
    pub(super) text: String,
}

/// A value of an enum.
#[derive(Debug)]
pub(super) struct EnumValue {
    pub(super) name: Arc<str>,
    pub(super) description: Option<String>,
    pub(super) deprecated: Option<String>,
}

/// A directive that clients may use or see.
#[derive(Debug)]
pub(super) struct Directive {
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) arguments: Vec<InputValue>,
    pub(super) repeatable: bool,
    pub(super) locations: Vec<&'static str>,
}

/// A reference to a type.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum TypeRef {
    Named(Arc<str>),
    List(Box<TypeRef>),
    NonNull(Box<TypeRef>),
}

impl TypeRef {
    /// The name inside all wrappers.
    pub(super) fn name(&self) -> &Arc<str> {
        match self {
            Self::Named(name) => name,
            Self::List(inner) | Self::NonNull(inner) => inner.name(),
        }
    }
}

impl std::fmt::Display for TypeRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Named(name) => f.write_str(name),
            Self::List(inner) => write!(f, "[{inner}]"),
            Self::NonNull(inner) => write!(f, "{inner}!"),
        }
    }
}

impl From<&query::Type> for TypeRef {
    fn from(ty: &query::Type) -> Self {
        match ty {
            query::Type::NamedType(name) => Self::Named(name.as_str().into()),
            query::Type::ListType(inner) => Self::List(Box::new(inner.as_ref().into())),
            query::Type::NonNullType(inner) => Self::NonNull(Box::new(inner.as_ref().into())),
        }
    }
}

impl Schema {
    /// Drops directives and types that say nothing to clients.
    pub(super) fn hide(&mut self, is_machinery: impl Fn(&str) -> bool) {
        self.directives.retain(|directive| !is_machinery(&directive.name));
        self.types.retain(|name, ty| ty.kind != Kind::Scalar || !is_machinery(name));
    }

    /// The type of this name.
    pub(super) fn get(&self, name: &str) -> Option<&Type> {
        self.types.get(name)
    }

    /// Whether a value whose type is `concrete` satisfies a fragment on `condition`. A name of an interface counts as
    /// concrete where a subgraph knows an entity by that alone (`@interfaceObject`).
    pub(super) fn satisfies(&self, concrete: &str, condition: &str) -> bool {
        concrete == condition
            || self.get(condition).is_some_and(|ty| ty.possible.iter().any(|name| &**name == concrete))
            || self.get(concrete).is_some_and(|ty| ty.interfaces.iter().any(|name| &**name == condition))
    }
}

/// Which concrete types satisfy which conditions, for the whole supergraph: data on its way between subgraphs may be of
/// types that clients do not see.
#[derive(Debug, Default)]
pub(super) struct TypeConditions {
    possible: FxHashMap<Arc<str>, Vec<Arc<str>>>,
}

impl TypeConditions {
    /// Whether a name is an interface's or a union's.
    pub(super) fn is_abstract(&self, name: &str) -> bool {
        self.possible.contains_key(name)
    }

    /// All type names that satisfy one of these conditions.
    pub(super) fn satisfying<'a>(
        &self,
        conditions: impl IntoIterator<Item = &'a str>,
    ) -> FxHashSet<Arc<str>> {
        let mut names = FxHashSet::default();
        for condition in conditions {
            names.insert(condition.into());
            names.extend(self.possible.get(condition).into_iter().flatten().cloned());
        }
        names
    }

    /// The abstract types that an object of this type satisfies, and its own name.
    pub(super) fn satisfied_by<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let above =
            self.possible.iter().filter(move |(_, members)| members.iter().any(|member| &**member == name));
        std::iter::once(name).chain(above.map(|(condition, _)| &**condition))
    }
}

/// A literal of the GraphQL language as JSON. Variables are not constants and become `null`.
pub(super) fn literal(value: &query::Value) -> Value {
    match value {
        query::Value::Null | query::Value::Variable(_) => Value::Null,
        query::Value::Int(number) => number.as_i64().map_or(Value::Null, Value::Int),
        query::Value::Float(number) => (*number).into(),
        query::Value::String(text) | query::Value::Enum(text) => text.as_str().into(),
        query::Value::Boolean(value) => (*value).into(),
        query::Value::List(items) => Value::List(items.iter().map(literal).collect()),
        query::Value::Object(entries) => {
            Value::Object(entries.iter().map(|(key, value)| (key.as_str().into(), literal(value))).collect())
        }
    }
}
