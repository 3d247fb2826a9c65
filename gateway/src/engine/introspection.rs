//! `__schema` and `__type`: the API schema as data, for the fields that an operation selects.

use graphql_tools::static_graphql::query;

use super::schema::{Directive, EnumValue, Field, InputValue, Kind, Schema, Type, TypeRef};
use super::selection::{Content, Field as Selected, Selection, holds};
use crate::value::{Object, Value};

/// The introspection fields of an operation's root.
pub(super) fn resolve(schema: &Schema, root: &Selection, flags: &[bool], variables: &Object) -> Object {
    let resolver = Resolver { schema, flags, variables };
    let mut data = Object::new();
    let Selection::One(_, fields) = root else { return data };
    for field in fields.iter().filter(|field| holds(field.when.as_ref(), flags)) {
        let value = match &*field.name {
            "__schema" => resolver.one(field, Node::Schema),
            "__type" => {
                let name = resolver.argument(field, "name");
                let ty = name.as_str().and_then(|name| schema.get(name));
                ty.map_or(Value::Null, |ty| resolver.one(field, Node::Type(ty)))
            }
            _ => continue,
        };
        data.push(std::sync::Arc::clone(&field.key).into(), value);
    }
    data
}

/// Something that introspection shows.
#[derive(Clone, Copy)]
enum Node<'a> {
    Schema,
    Type(&'a Type),
    /// A list of something, or something that is not null.
    Wrapped(&'a TypeRef),
    Field(&'a Field),
    Input(&'a InputValue),
    Value(&'a EnumValue),
    Directive(&'a Directive),
}

struct Resolver<'a> {
    schema: &'a Schema,
    flags: &'a [bool],
    variables: &'a Object,
}

impl<'a> Resolver<'a> {
    fn one(&self, field: &Selected, node: Node<'a>) -> Value {
        let Content::Composite(selection) = &field.content else { return Value::Null };
        let Selection::One(_, fields) = selection.as_ref() else { return Value::Null };
        let mut object = Object::with_capacity(fields.len());
        for field in fields.iter().filter(|field| holds(field.when.as_ref(), self.flags)) {
            let value = match node {
                Node::Schema => self.schema_field(field),
                Node::Type(ty) => self.type_field(field, ty),
                Node::Wrapped(ty) => self.wrapped_field(field, ty),
                Node::Field(definition) => self.field_field(field, definition),
                Node::Input(input) => self.input_field(field, input),
                Node::Value(value) => value_field(field, value),
                Node::Directive(directive) => self.directive_field(field, directive),
            };
            object.push(std::sync::Arc::clone(&field.key).into(), value);
        }
        Value::Object(object)
    }

    fn many(&self, field: &Selected, nodes: impl Iterator<Item = Node<'a>>) -> Value {
        Value::List(nodes.map(|node| self.one(field, node)).collect())
    }

    fn named(&self, field: &Selected, name: &str) -> Value {
        self.schema.get(name).map_or(Value::Null, |ty| self.one(field, Node::Type(ty)))
    }

    fn reference(&self, field: &Selected, ty: &'a TypeRef) -> Value {
        match ty {
            TypeRef::Named(name) => self.named(field, name),
            TypeRef::List(_) | TypeRef::NonNull(_) => self.one(field, Node::Wrapped(ty)),
        }
    }

    fn schema_field(&self, field: &Selected) -> Value {
        let optional =
            |name: Option<&std::sync::Arc<str>>| name.map_or(Value::Null, |name| self.named(field, name));
        match &*field.name {
            "types" => self.many(field, self.schema.types.values().map(Node::Type)),
            "queryType" => self.named(field, &self.schema.query),
            "mutationType" => optional(self.schema.mutation.as_ref()),
            "subscriptionType" => optional(self.schema.subscription.as_ref()),
            "directives" => self.many(field, self.schema.directives.iter().map(Node::Directive)),
            _ => Value::Null,
        }
    }

    fn type_field(&self, field: &Selected, ty: &'a Type) -> Value {
        let types = |names: &'a [std::sync::Arc<str>]| {
            self.many(field, names.iter().filter_map(|name| self.schema.get(name)).map(Node::Type))
        };
        let deprecated = || self.argument(field, "includeDeprecated").as_bool() == Some(true);
        match (&*field.name, ty.kind) {
            ("kind", kind) => kind_name(kind).into(),
            ("name", _) => (&*ty.name).into(),
            ("description", _) => text(ty.description.as_ref()),
            ("specifiedByURL", _) => text(ty.specified_by.as_ref()),
            ("fields", Kind::Object | Kind::Interface) => {
                let all = deprecated();
                let visible = ty.fields.values().filter(|field| !field.name.starts_with("__"));
                self.many(field, visible.filter(|field| all || field.deprecated.is_none()).map(Node::Field))
            }
            ("interfaces", Kind::Object | Kind::Interface) => types(&ty.interfaces),
            ("possibleTypes", Kind::Interface | Kind::Union) => types(&ty.possible),
            ("enumValues", Kind::Enum) => {
                let all = deprecated();
                let values = ty.values.iter().filter(|value| all || value.deprecated.is_none());
                self.many(field, values.map(Node::Value))
            }
            ("inputFields", Kind::InputObject) => self.inputs(field, ty.inputs.values()),
            ("isOneOf", Kind::InputObject) => ty.one_of.into(),
            _ => Value::Null,
        }
    }

    fn wrapped_field(&self, field: &Selected, ty: &'a TypeRef) -> Value {
        match (&*field.name, ty) {
            ("kind", TypeRef::List(_)) => "LIST".into(),
            ("kind", _) => "NON_NULL".into(),
            ("ofType", TypeRef::List(inner) | TypeRef::NonNull(inner)) => self.reference(field, inner),
            _ => Value::Null,
        }
    }

    fn field_field(&self, field: &Selected, definition: &'a Field) -> Value {
        match &*field.name {
            "name" => (&*definition.name).into(),
            "description" => text(definition.description.as_ref()),
            "args" => self.inputs(field, definition.arguments.iter()),
            "type" => self.reference(field, &definition.ty),
            other => deprecation(other, definition.deprecated.as_ref()),
        }
    }

    fn input_field(&self, field: &Selected, input: &'a InputValue) -> Value {
        match &*field.name {
            "name" => (&*input.name).into(),
            "description" => text(input.description.as_ref()),
            "type" => self.reference(field, &input.ty),
            "defaultValue" => text(input.default.as_ref().map(|default| &default.text)),
            other => deprecation(other, input.deprecated.as_ref()),
        }
    }

    fn directive_field(&self, field: &Selected, directive: &'a Directive) -> Value {
        match &*field.name {
            "name" => directive.name.as_str().into(),
            "description" => text(directive.description.as_ref()),
            "locations" => {
                Value::List(directive.locations.iter().map(|location| (*location).into()).collect())
            }
            "args" => self.inputs(field, directive.arguments.iter()),
            "isRepeatable" => directive.repeatable.into(),
            _ => Value::Null,
        }
    }

    fn inputs(&self, field: &Selected, inputs: impl Iterator<Item = &'a InputValue>) -> Value {
        let all = self.argument(field, "includeDeprecated").as_bool() == Some(true);
        self.many(field, inputs.filter(|input| all || input.deprecated.is_none()).map(Node::Input))
    }

    fn argument(&self, field: &Selected, name: &str) -> Value {
        let argument = field.arguments.iter().find(|(argument, _)| argument == name);
        match argument.map(|(_, value)| value) {
            Some(query::Value::Variable(name)) => self.variables.get(name).cloned().unwrap_or_default(),
            Some(value) => super::schema::literal(value),
            None => Value::Null,
        }
    }
}

fn value_field(field: &Selected, value: &EnumValue) -> Value {
    match &*field.name {
        "name" => (&*value.name).into(),
        "description" => text(value.description.as_ref()),
        other => deprecation(other, value.deprecated.as_ref()),
    }
}

fn deprecation(field: &str, reason: Option<&String>) -> Value {
    match field {
        "isDeprecated" => reason.is_some().into(),
        "deprecationReason" => text(reason),
        _ => Value::Null,
    }
}

fn text(text: Option<&String>) -> Value {
    text.map_or(Value::Null, |text| text.as_str().into())
}

const fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Scalar => "SCALAR",
        Kind::Object => "OBJECT",
        Kind::Interface => "INTERFACE",
        Kind::Union => "UNION",
        Kind::Enum => "ENUM",
        Kind::InputObject => "INPUT_OBJECT",
    }
}
