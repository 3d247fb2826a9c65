//! Types of the schema as schemas of OpenAPI.

use std::collections::BTreeSet;

use async_graphql_parser::types::{BaseType, Type as TypeRef};
use serde_json::{Map, Value, json};

use super::Version;
use crate::parameters::{Form, Leaf, Parameter, leaf};
use crate::schema::{Field, Kind, Schema};

/// Writes schemas, and remembers which types they name.
pub(crate) struct Schemas<'s> {
    pub(crate) schema: &'s Schema,
    pub(crate) version: Version,
    /// Under which types are found by their names.
    pub(super) place: &'static str,
    named: BTreeSet<String>,
}

impl<'s> Schemas<'s> {
    pub(crate) const fn new(schema: &'s Schema, version: Version) -> Self {
        Self { schema, version, place: "#/components/schemas/", named: BTreeSet::new() }
    }

    /// For a JSON Schema that stands alone.
    pub(super) const fn standalone(schema: &'s Schema) -> Self {
        Self { schema, version: Version::V3_1, place: "#/$defs/", named: BTreeSet::new() }
    }

    /// The same with all that it names.
    pub(super) fn with_definitions(&mut self, mut schema: Value) -> Value {
        let definitions = self.components();
        if !definitions.is_empty() {
            schema["$defs"] = definitions.into();
        }
        schema
    }

    /// A value of a type, which may be null where the type says so.
    pub(crate) fn of(&mut self, ty: &TypeRef) -> Value {
        let schema = match &ty.base {
            BaseType::List(inner) => json!({ "type": "array", "items": self.of(inner) }),
            BaseType::Named(name) => self.plain(name),
        };
        if ty.nullable { self.nullable(schema) } else { schema }
    }

    /// The same of something that is there.
    pub(crate) fn present(&mut self, ty: &TypeRef) -> Value {
        self.of(&TypeRef { base: ty.base.clone(), nullable: false })
    }

    fn plain(&mut self, name: &str) -> Value {
        let ty = self.schema.get(name);
        if ty.is_some_and(|ty| !matches!(ty.kind, Kind::Scalar | Kind::Enum)) {
            self.named.insert(name.to_owned());
            return json!({ "$ref": format!("{}{name}", self.place) });
        }
        let specified_by = ty.and_then(|ty| ty.specified_by.as_deref()).unwrap_or_default();
        match leaf(self.schema, name) {
            // Section 4 of RFC 8259 is that of objects.
            Leaf::Json if specified_by.ends_with("#section-4") => {
                json!({ "type": "object", "additionalProperties": true })
            }
            Leaf::Text if specified_by.contains("rfc3339") => {
                json!({ "type": "string", "format": "date-time" })
            }
            leaf => leaf_schema(&leaf),
        }
    }

    pub(crate) fn nullable(&self, mut schema: Value) -> Value {
        let Some(object) = schema.as_object_mut() else { return schema };
        if object.is_empty() {
            return schema;
        }
        if self.version == Version::V3_0 {
            if let Some(reference) = object.remove("$ref") {
                object.insert("allOf".to_owned(), json!([{ "$ref": reference }]));
            }
            object.insert("nullable".to_owned(), true.into());
        } else if object.contains_key("$ref") {
            return json!({ "anyOf": [schema, { "type": "null" }] });
        } else if let Some(kind) = object.get("type").cloned() {
            object.insert("type".to_owned(), json!([kind, "null"]));
        }
        if let Some(values) = object.get_mut("enum").and_then(Value::as_array_mut) {
            values.push(Value::Null);
        }
        schema
    }

    /// An input's fields as an object that has no others.
    pub(crate) fn input(&mut self, fields: &[Field]) -> Value {
        let required: Vec<&str> =
            fields.iter().filter(|field| field.is_required()).map(|field| field.name.as_str()).collect();
        let properties: Map<String, Value> =
            fields.iter().map(|field| (field.name.clone(), self.described(field, true))).collect();
        let mut schema = json!({ "type": "object", "properties": properties, "additionalProperties": false });
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        schema
    }

    fn described(&mut self, field: &Field, is_input: bool) -> Value {
        let mut schema = self.of(&field.ty);
        // What stands beside a reference is not read in 3.0.
        if schema.get("$ref").is_some() && self.version == Version::V3_0 {
            schema = json!({ "allOf": [schema] });
        }
        if let Some(description) = &field.description {
            schema["description"] = description.as_str().into();
        }
        if let Some(default) =
            field.default.clone().and_then(|value| value.into_json().ok()).filter(|_| is_input)
        {
            schema["default"] = default;
        }
        if field.deprecated.is_some() {
            schema["deprecated"] = true.into();
        }
        schema
    }

    /// The types that were named, and those that they name.
    pub(crate) fn components(&mut self) -> Map<String, Value> {
        let mut components = Map::new();
        loop {
            let missing: Vec<String> =
                self.named.iter().filter(|name| !components.contains_key(*name)).cloned().collect();
            if missing.is_empty() {
                break;
            }
            for name in missing {
                let schema = self.component(&name);
                components.insert(name, schema);
            }
        }
        components.sort_keys();
        components
    }

    fn component(&mut self, name: &str) -> Value {
        let Some(ty) = self.schema.get(name) else { return json!({}) };
        let mut schema = match ty.kind {
            Kind::Input => self.input(&ty.fields),
            _ => self.object(name),
        };
        if let Some(description) = &ty.description {
            schema["description"] = description.as_str().into();
        }
        schema
    }

    /// An object. Which of its fields are there, the request chooses; its id and version always are.
    fn object(&mut self, name: &str) -> Value {
        let connection = self.schema.connection(name);
        let fields = self.schema.fields(name).iter().filter(|field| field.needs_nothing());
        let (fields, required): (Vec<&Field>, Vec<&str>) = if let Some(connection) = &connection {
            let rows = if connection.edge.is_some() { "edges" } else { "nodes" };
            let own = connection.own.iter().map(|field| field.name.as_str());
            let required: Vec<&str> = ["pageInfo", rows].into_iter().chain(own).collect();
            let is_shown =
                |field: &&Field| required.contains(&field.name.as_str()) || field.name == "totalCount";
            (fields.filter(is_shown).collect(), required)
        } else {
            let fields: Vec<&Field> = fields.collect();
            let always = |field: &&&Field| {
                ["id", "version"].contains(&field.name.as_str()) && self.schema.is_leaf(&field.ty)
            };
            let required = fields.iter().filter(always).map(|field| field.name.as_str()).collect();
            (fields, required)
        };
        let properties: Map<String, Value> =
            fields.into_iter().map(|field| (field.name.clone(), self.described(field, false))).collect();
        let mut schema = json!({ "type": "object", "properties": properties });
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        schema
    }

    /// A parameter behind the question mark or in the path.
    pub(crate) fn parameter(&mut self, parameter: &Parameter) -> Value {
        let mut written = json!({
            "name": parameter.name,
            "in": if parameter.is_in_path { "path" } else { "query" },
            "required": parameter.is_required,
        });
        if let Some(description) = &parameter.description {
            written["description"] = description.as_str().into();
        }
        let present = |schemas: &mut Self| schemas.present(&parameter.ty);
        let mut schema = match &parameter.form {
            Form::Json | Form::One(Leaf::Json) => {
                written["content"] = json!({ "application/json": { "schema": present(self) } });
                return written;
            }
            Form::Order(fields) => {
                let names = fields.iter().flat_map(|(name, _)| [name.clone(), format!("-{name}")]);
                json!({ "type": "string", "enum": names.collect::<Vec<_>>() })
            }
            Form::Many(_) => {
                written["style"] = "form".into();
                written["explode"] = true.into();
                present(self)
            }
            Form::One(_) => present(self),
        };
        if parameter.is_in_path {
            schema["minLength"] = 1.into();
        }
        let default = parameter.default.clone().and_then(|value| value.into_json().ok());
        if let Some(default) = default.filter(|default| !default.is_null() && !parameter.is_in_path) {
            schema["default"] = default;
        }
        written["schema"] = schema;
        written
    }
}

fn leaf_schema(leaf: &Leaf) -> Value {
    match leaf {
        Leaf::Int => {
            json!({ "type": "integer", "format": "int32", "minimum": i32::MIN, "maximum": i32::MAX })
        }
        Leaf::Float => json!({ "type": "number" }),
        Leaf::Boolean => json!({ "type": "boolean" }),
        Leaf::Text => json!({ "type": "string" }),
        Leaf::Enum(values) => json!({ "type": "string", "enum": values }),
        Leaf::Json => json!({}),
    }
}
