//! The API schema, as far as routes are derived from it.

use std::collections::BTreeMap;

use async_graphql_parser::types::{
    BaseType, ConstDirective, FieldDefinition, InputValueDefinition, SchemaDefinition, Type as TypeRef,
    TypeDefinition, TypeKind, TypeSystemDefinition,
};
use async_graphql_parser::{Positioned, parse_schema};
use async_graphql_value::ConstValue;

use crate::RestError;

/// A schema that clients see.
#[derive(Debug, Default)]
pub(crate) struct Schema {
    types: BTreeMap<String, Type>,
    pub(crate) query: String,
    pub(crate) mutation: Option<String>,
    pub(crate) subscription: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Scalar,
    Object,
    /// An interface or a union.
    Abstract,
    Enum,
    Input,
}

#[derive(Debug)]
pub(crate) struct Type {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) description: Option<String>,
    /// Of an object, an interface or an input object.
    pub(crate) fields: Vec<Field>,
    /// Of an enum.
    pub(crate) values: Vec<String>,
    /// Where a scalar is specified.
    pub(crate) specified_by: Option<String>,
}

/// A field or an argument.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) ty: TypeRef,
    pub(crate) args: Vec<Field>,
    pub(crate) default: Option<ConstValue>,
    /// Why it should no longer be used.
    pub(crate) deprecated: Option<String>,
}

impl Schema {
    /// Reads a supergraph.
    pub(crate) fn of_supergraph(supergraph: &str) -> Result<Self, RestError> {
        let sdl = pulse_schema::api_schema(supergraph).map_err(|problems| {
            RestError::Schema(problems.first().map(|problem| format!("{problem:?}")).unwrap_or_default())
        })?;
        let document = parse_schema(sdl).map_err(|error| RestError::Schema(error.to_string()))?;
        let mut schema = Self { query: "Query".to_owned(), ..Self::default() };
        for definition in document.definitions {
            match definition {
                TypeSystemDefinition::Schema(roots) => schema.take_roots(roots.node),
                TypeSystemDefinition::Type(ty) => {
                    let ty = Type::of(ty.node);
                    schema.types.insert(ty.name.clone(), ty);
                }
                TypeSystemDefinition::Directive(_) => {}
            }
        }
        Ok(schema)
    }

    fn take_roots(&mut self, roots: SchemaDefinition) {
        let name =
            |name: Option<Positioned<async_graphql_value::Name>>| name.map(|name| name.node.to_string());
        self.query = name(roots.query).unwrap_or_else(|| "Query".to_owned());
        self.mutation = name(roots.mutation);
        self.subscription = name(roots.subscription);
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Type> {
        self.types.get(name)
    }

    /// The fields of a type, none of one that is not there.
    pub(crate) fn fields(&self, name: &str) -> &[Field] {
        self.get(name).map(|ty| ty.fields.as_slice()).unwrap_or_default()
    }

    /// The field of a type.
    pub(crate) fn field(&self, ty: &str, name: &str) -> Option<&Field> {
        self.fields(ty).iter().find(|field| field.name == name)
    }

    /// Whether values of this type have no fields.
    pub(crate) fn is_leaf(&self, ty: &TypeRef) -> bool {
        let kind = self.get(named(ty)).map(|ty| ty.kind);
        matches!(kind, None | Some(Kind::Scalar | Kind::Enum))
    }

    pub(crate) fn is_input(&self, ty: &TypeRef) -> bool {
        self.get(named(ty)).is_some_and(|ty| ty.kind == Kind::Input)
    }

    /// The connection of that name, if the type is one.
    pub(crate) fn connection(&self, name: &str) -> Option<Connection<'_>> {
        let nodes = self.field(name, "nodes")?;
        self.field(name, "pageInfo")?;
        let edge = self.field(name, "edges").map(|edges| named(&edges.ty));
        let edge_fields = edge.map(|edge| self.fields(edge)).unwrap_or_default();
        let more = edge_fields.iter().filter(|field| field.name != "node" && self.is_leaf(&field.ty));
        let more: Vec<&Field> = more.collect();
        // An edge that says something of its own is shown itself.
        let edge = edge.filter(|_| more.iter().any(|field| field.name != "cursor"));
        let leaves = self.fields(name).iter().filter(|field| self.is_leaf(&field.ty));
        let own = leaves.filter(|field| field.args.is_empty() && field.name != "totalCount").collect();
        Some(Connection { node: named(&nodes.ty), edge: edge.map(|edge| (edge, more)), own })
    }
}

/// What a connection is of.
pub(crate) struct Connection<'s> {
    pub(crate) node: &'s str,
    /// The type of its edges and their own fields, where they say more than where they are.
    pub(crate) edge: Option<(&'s str, Vec<&'s Field>)>,
    /// What it says of itself, but for how many there are.
    pub(crate) own: Vec<&'s Field>,
}

impl Type {
    fn of(definition: TypeDefinition) -> Self {
        let specified_by = directive(&definition.directives, "specifiedBy", "url");
        let mut values = Vec::new();
        let (kind, fields) = match definition.kind {
            TypeKind::Scalar => (Kind::Scalar, Vec::new()),
            TypeKind::Object(object) => (Kind::Object, fields(object.fields)),
            TypeKind::Interface(interface) => (Kind::Abstract, fields(interface.fields)),
            TypeKind::Union(_) => (Kind::Abstract, Vec::new()),
            TypeKind::Enum(definition) => {
                values =
                    definition.values.into_iter().map(|value| value.node.value.node.to_string()).collect();
                (Kind::Enum, Vec::new())
            }
            TypeKind::InputObject(input) => {
                (Kind::Input, input.fields.into_iter().map(|field| Field::input(field.node)).collect())
            }
        };
        Self {
            name: definition.name.node.to_string(),
            kind,
            description: definition.description.map(|text| text.node),
            fields,
            values,
            specified_by,
        }
    }
}

impl Field {
    fn output(field: FieldDefinition) -> Self {
        Self {
            deprecated: directive(&field.directives, "deprecated", "reason"),
            name: field.name.node.to_string(),
            description: field.description.map(|text| text.node),
            ty: field.ty.node,
            args: field.arguments.into_iter().map(|argument| Self::input(argument.node)).collect(),
            default: None,
        }
    }

    fn input(field: InputValueDefinition) -> Self {
        Self {
            deprecated: directive(&field.directives, "deprecated", "reason"),
            name: field.name.node.to_string(),
            description: field.description.map(|text| text.node),
            ty: field.ty.node,
            args: Vec::new(),
            default: field.default_value.map(|value| value.node),
        }
    }

    /// Whether it has to be given.
    pub(crate) const fn is_required(&self) -> bool {
        !self.ty.nullable && self.default.is_none()
    }

    /// Whether it can be asked for without saying more.
    pub(crate) fn needs_nothing(&self) -> bool {
        !self.args.iter().any(Self::is_required)
    }
}

fn fields(fields: Vec<Positioned<FieldDefinition>>) -> Vec<Field> {
    fields.into_iter().map(|field| Field::output(field.node)).collect()
}

/// The argument of a directive; empty for a directive without it.
fn directive(directives: &[Positioned<ConstDirective>], name: &str, argument: &str) -> Option<String> {
    let directive = directives.iter().find(|directive| directive.node.name.node == name)?;
    let value = directive.node.arguments.iter().find(|(key, _)| key.node == argument);
    Some(match value.map(|(_, value)| &value.node) {
        Some(ConstValue::String(text)) => text.clone(),
        _ => String::new(),
    })
}

/// The name of the type that lists and marks are around.
pub(crate) fn named(ty: &TypeRef) -> &str {
    match &ty.base {
        BaseType::Named(name) => name,
        BaseType::List(inner) => named(inner),
    }
}

/// Whether it is a list.
pub(crate) const fn is_list(ty: &TypeRef) -> bool {
    matches!(ty.base, BaseType::List(_))
}
