//! The merged schema, before it is printed.

use std::collections::{BTreeMap, BTreeSet};

use async_graphql_parser::types::{DirectiveLocation, Type};
use async_graphql_value::ConstValue;

use crate::{
    code::Code,
    diagnostic::{Diagnostic, Place},
    subgraph::{Kind, spec::Fed},
};

#[derive(Clone, Debug, Default)]
pub(crate) struct Supergraph {
    pub(crate) graphs: Vec<Graph>,
    pub(crate) types: BTreeMap<String, OutType>,
    /// Federation directives that the supergraph links because they are applied in it.
    pub(crate) features: BTreeSet<Fed>,
    pub(crate) composed: Vec<ComposedDirective>,
    pub(crate) executable: Vec<ExecutableDirective>,
    /// Applied to the schema itself, as printed, without the links.
    pub(crate) schema_directives: Vec<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Graph {
    pub(crate) value: String,
    pub(crate) name: String,
    pub(crate) url: String,
}

/// A directive of the subgraphs' own that goes through to the supergraph.
#[derive(Clone, Debug)]
pub(crate) struct ComposedDirective {
    pub(crate) definition: String,
    pub(crate) name: String,
    /// The specification that it belongs to.
    pub(crate) identity: String,
    pub(crate) link: String,
}

/// A directive that operations may apply.
#[derive(Clone, Debug)]
pub(crate) struct ExecutableDirective {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) args: BTreeMap<String, OutField>,
    pub(crate) is_repeatable: bool,
    pub(crate) locations: Vec<DirectiveLocation>,
}

#[derive(Clone, Debug)]
pub(crate) struct OutType {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) description: Option<String>,
    /// Applied directives as printed, those of `join` first.
    pub(crate) directives: Vec<String>,
    pub(crate) inaccessible: bool,
    pub(crate) implements: BTreeSet<String>,
    pub(crate) fields: BTreeMap<String, OutField>,
    pub(crate) members: BTreeSet<String>,
    pub(crate) values: BTreeMap<String, OutValue>,
    pub(crate) places: Vec<Place>,
}

/// A field of an object or interface, an argument, or a field of an input object.
#[derive(Clone, Debug)]
pub(crate) struct OutField {
    pub(crate) description: Option<String>,
    pub(crate) args: BTreeMap<String, OutField>,
    pub(crate) ty: Type,
    pub(crate) default: Option<ConstValue>,
    pub(crate) directives: Vec<String>,
    pub(crate) inaccessible: bool,
    pub(crate) places: Vec<Place>,
}

#[derive(Clone, Debug)]
pub(crate) struct OutValue {
    pub(crate) description: Option<String>,
    pub(crate) directives: Vec<String>,
    pub(crate) inaccessible: bool,
}

impl OutType {
    pub(crate) fn error(&self, code: Code, message: impl Into<String>) -> Diagnostic {
        Diagnostic { places: self.places.clone(), ..Diagnostic::error(code, &self.name, message) }
    }
}

impl OutField {
    pub(crate) fn error(&self, code: Code, coordinate: &str, message: impl Into<String>) -> Diagnostic {
        Diagnostic { places: self.places.clone(), ..Diagnostic::error(code, coordinate, message) }
    }
}
