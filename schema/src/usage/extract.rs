//! The coordinates that one operation uses.

use std::collections::{BTreeSet, HashMap, HashSet};

use async_graphql_parser::{
    Positioned, parse_query,
    types::{
        Directive, DocumentOperations, ExecutableDocument, Field, FragmentDefinition, OperationDefinition,
        OperationType, Selection, SelectionSet, Type,
    },
};
use async_graphql_value::{ConstValue, Name, Value};

use crate::{
    api::ApiSchema,
    subgraph::{BUILTIN_SCALARS, Kind, Subgraph, base_name, parse::syntax, text},
};

/// Why an operation cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UsageError {
    /// The document is no GraphQL, or nested too deeply.
    Syntax(String),
    /// The document has no operation of that name, or several and none was named.
    NoOperation,
}

impl std::fmt::Display for UsageError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Syntax(message) => f.write_str(message),
            Self::NoOperation => f.write_str("the document does not have the operation"),
        }
    }
}

impl std::error::Error for UsageError {}

/// The coordinates that an operation uses.
///
/// - `User` and `Status`: types that are returned, given, or named by a fragment
/// - `User.name`, `Query.users(first:)`, `Filter.name`, `Status.OLD`: what is selected or given
/// - `@include`, `@include(if:)`: directives of the operation
///
/// Without `variables`, a variable may hold anything that its type allows. With them, only what they
/// hold is used; their values may be replaced by any others of the same shape, except those of enums.
/// What the schema does not know is left out.
pub fn operation_coordinates(
    schema: &ApiSchema,
    document: &str,
    operation: Option<&str>,
    variables: Option<&ConstValue>,
) -> Result<BTreeSet<String>, UsageError> {
    if text::prepare(document).is_err() {
        return Err(UsageError::Syntax("brackets are nested too deeply".to_owned()));
    }
    let document = parse_query(document).map_err(|error| UsageError::Syntax(syntax(&error)))?;
    let definition = find(&document, operation).ok_or(UsageError::NoOperation)?;
    let mut walk = Walk {
        schema: &schema.schema,
        fragments: &document.fragments,
        spread: HashSet::new(),
        whole: HashSet::new(),
        used: BTreeSet::new(),
    };
    walk.variables(definition, variables);
    walk.directives(&definition.directives);
    let root = match definition.ty {
        OperationType::Query => "Query",
        OperationType::Mutation => "Mutation",
        OperationType::Subscription => "Subscription",
    };
    walk.returned(root);
    walk.selections(root, &definition.selection_set.node);
    Ok(walk.used)
}

/// The same with variables as JSON.
pub fn operation_coordinates_of(
    schema: &ApiSchema,
    document: &str,
    operation: Option<&str>,
    variables: Option<serde_json::Value>,
) -> Result<BTreeSet<String>, UsageError> {
    // What is no GraphQL value may be anything that its type allows.
    let variables = variables.and_then(|variables| ConstValue::from_json(variables).ok());
    operation_coordinates(schema, document, operation, variables.as_ref())
}

/// The names of a document's operations; one without a name is `None`.
pub fn document_operations(document: &str) -> Result<Vec<Option<String>>, UsageError> {
    if text::prepare(document).is_err() {
        return Err(UsageError::Syntax("brackets are nested too deeply".to_owned()));
    }
    let document = parse_query(document).map_err(|error| UsageError::Syntax(syntax(&error)))?;
    let mut names: Vec<Option<String>> =
        document.operations.iter().map(|(name, _)| name.map(ToString::to_string)).collect();
    names.sort();
    Ok(names)
}

fn find<'a>(document: &'a ExecutableDocument, name: Option<&str>) -> Option<&'a OperationDefinition> {
    match (&document.operations, name) {
        (DocumentOperations::Single(operation), None) => Some(&operation.node),
        (DocumentOperations::Multiple(operations), Some(name)) => {
            operations.get(name).map(|operation| &operation.node)
        }
        (DocumentOperations::Multiple(operations), None) if operations.len() == 1 => {
            operations.values().next().map(|operation| &operation.node)
        }
        (DocumentOperations::Single(_), Some(_)) | (DocumentOperations::Multiple(_), None) => None,
    }
}

struct Walk<'a> {
    schema: &'a Subgraph,
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    /// Fragments that were walked.
    spread: HashSet<&'a str>,
    /// Input types of which everything is used.
    whole: HashSet<&'a str>,
    used: BTreeSet<String>,
}

impl<'a> Walk<'a> {
    fn variables(&mut self, operation: &'a OperationDefinition, values: Option<&ConstValue>) {
        for variable in &operation.variable_definitions {
            let variable = &variable.node;
            self.directives(&variable.directives);
            let ty = &variable.var_type.node;
            if let Some(default) = &variable.default_value {
                self.constant(&default.node, ty);
            }
            match values {
                None => self.anything(base_name(ty)),
                Some(ConstValue::Object(values)) => {
                    if let Some(value) = values.get(&variable.name.node) {
                        self.constant(value, ty);
                    }
                }
                Some(_) => {}
            }
        }
    }

    fn selections(&mut self, ty: &str, set: &'a SelectionSet) {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => self.field(ty, &field.node),
                Selection::InlineFragment(fragment) => {
                    let fragment = &fragment.node;
                    self.directives(&fragment.directives);
                    let on = fragment.type_condition.as_ref().map(|on| on.node.on.node.as_str());
                    if let Some(on) = on {
                        self.returned(on);
                    }
                    self.selections(on.unwrap_or(ty), &fragment.selection_set.node);
                }
                Selection::FragmentSpread(spread) => {
                    self.directives(&spread.node.directives);
                    let name = &spread.node.fragment_name.node;
                    let Some((name, fragment)) = self.fragments.get_key_value(name) else { continue };
                    if self.spread.insert(name.as_str()) {
                        let fragment = &fragment.node;
                        self.directives(&fragment.directives);
                        let on = fragment.type_condition.node.on.node.as_str();
                        self.returned(on);
                        self.selections(on, &fragment.selection_set.node);
                    }
                }
            }
        }
    }

    fn field(&mut self, ty: &str, field: &'a Field) {
        self.directives(&field.directives);
        let schema = self.schema;
        let Some(definition) = schema.types.get(ty).and_then(|ty| ty.fields.get(field.name.node.as_str()))
        else {
            return;
        };
        let coordinate = format!("{ty}.{}", definition.name);
        for (name, value) in &field.arguments {
            if let Some(argument) = definition.args.get(name.node.as_str()) {
                self.used.insert(format!("{coordinate}({}:)", argument.name));
                self.value(&value.node, &argument.ty);
            }
        }
        self.used.insert(coordinate);
        let target = base_name(&definition.ty);
        self.returned(target);
        self.selections(target, &field.selection_set.node);
    }

    fn directives(&mut self, directives: &[Positioned<Directive>]) {
        let schema = self.schema;
        for directive in directives {
            let name = directive.node.name.node.as_str();
            let definition = schema.directives.get(name);
            for (argument, value) in &directive.node.arguments {
                self.used.insert(format!("@{name}({}:)", argument.node));
                let known = definition.and_then(|definition| definition.args.get(argument.node.as_str()));
                if let Some(known) = known {
                    self.value(&value.node, &known.ty);
                }
            }
            self.used.insert(format!("@{name}"));
        }
    }

    /// A value in the document; variables were looked at where they are declared.
    fn value(&mut self, value: &Value, ty: &Type) {
        let name = base_name(ty);
        self.returned(name);
        match value {
            Value::List(values) => values.iter().for_each(|value| self.value(value, ty)),
            Value::Enum(value) => self.enum_value(name, value),
            Value::Object(fields) => {
                for (field, value) in fields {
                    if let Some(ty) = self.input_field(name, field) {
                        self.value(value, ty);
                    }
                }
            }
            _ => {}
        }
    }

    fn constant(&mut self, value: &ConstValue, ty: &Type) {
        let name = base_name(ty);
        self.returned(name);
        match value {
            ConstValue::List(values) => values.iter().for_each(|value| self.constant(value, ty)),
            ConstValue::Enum(value) => self.enum_value(name, value),
            ConstValue::String(value) => self.enum_value(name, value),
            ConstValue::Object(fields) => {
                for (field, value) in fields {
                    if let Some(ty) = self.input_field(name, field) {
                        self.constant(value, ty);
                    }
                }
            }
            _ => {}
        }
    }

    /// Notes a field of an input object, and gives its type.
    fn input_field(&mut self, ty: &str, field: &str) -> Option<&'a Type> {
        let ty = self.schema.types.get(ty).filter(|ty| ty.kind == Kind::InputObject)?;
        let field = ty.fields.get(field)?;
        self.used.insert(format!("{}.{}", ty.name, field.name));
        Some(&field.ty)
    }

    fn enum_value(&mut self, ty: &str, value: &str) {
        if self.schema.types.get(ty).is_some_and(|ty| ty.values.contains_key(value)) {
            self.used.insert(format!("{ty}.{value}"));
        }
    }

    /// All that a value of an input type can have in it.
    fn anything(&mut self, name: &str) {
        let schema = self.schema;
        let mut next = vec![name];
        while let Some(name) = next.pop() {
            self.returned(name);
            let Some(ty) = schema.types.get(name).filter(|ty| self.whole.insert(&ty.name)) else { continue };
            self.used.extend(ty.values.keys().map(|value| format!("{}.{value}", ty.name)));
            if ty.kind == Kind::InputObject {
                self.used.extend(ty.fields.keys().map(|field| format!("{}.{field}", ty.name)));
                next.extend(ty.fields.values().map(|field| base_name(&field.ty)));
            }
        }
    }

    fn returned(&mut self, ty: &str) {
        if !BUILTIN_SCALARS.contains(&ty) && !self.used.contains(ty) && self.schema.types.contains_key(ty) {
            self.used.insert(ty.to_owned());
        }
    }
}
