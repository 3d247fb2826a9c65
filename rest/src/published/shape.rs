//! What an operation takes and answers, by its text and the schema.

use std::collections::BTreeMap;

use async_graphql_parser::types::{
    BaseType, Directive, DocumentOperations, ExecutableDocument, Field as Selected, OperationDefinition,
    OperationType, Selection, SelectionSet, Type as TypeRef, VariableDefinition,
};
use async_graphql_parser::{Positioned, parse_query};
use pulse_manifests::PublishedOperation;
use serde_json::{Map, Value, json};

use crate::RestError;
use crate::openapi::Schemas;
use crate::parameters::{self, Parameter};
use crate::schema::{Field, Schema, named};

/// How deeply selections may be nested, fragments followed.
const MAX_DEPTH: usize = 100;

/// What a published operation takes and answers.
#[derive(Debug, Clone)]
pub struct Shape {
    /// Its variables, by which parameters of a URL give them.
    pub(crate) parameters: Vec<Parameter>,
    /// Its variables.
    pub(crate) variables: Vec<Field>,
    /// What it selects.
    answer: Answer,
}

/// What is selected at one place.
#[derive(Debug, Clone)]
enum Answer {
    /// A value without fields.
    Leaf(TypeRef),
    /// An object, or a list of them, as the type says.
    Object(TypeRef, BTreeMap<String, Key>),
}

/// What an object of an answer has under a key.
#[derive(Debug, Clone)]
struct Key {
    answer: Answer,
    /// Whether it is there in each answer.
    is_always: bool,
    description: Option<String>,
}

impl Shape {
    /// Reads an operation, which has to fit the schema.
    pub(crate) fn of(schema: &Schema, operation: &PublishedOperation) -> Result<Self, RestError> {
        let error = |what: String| RestError::Operation(operation.name.to_string(), what);
        let document = parse_query(&*operation.document).map_err(|problem| error(problem.to_string()))?;
        let definition = only(&document).ok_or_else(|| error("it is not one operation".to_owned()))?;
        let root = match definition.ty {
            OperationType::Query => Some(schema.query.as_str()),
            OperationType::Mutation => schema.mutation.as_deref(),
            OperationType::Subscription => schema.subscription.as_deref(),
        };
        let root = root.ok_or_else(|| error("the schema has no such operations".to_owned()))?;
        let variables: Vec<Field> =
            definition.variable_definitions.iter().map(|variable| field(&variable.node)).collect();
        let named: Vec<(&Field, String)> =
            variables.iter().map(|variable| (variable, variable.name.clone())).collect();
        let parameters = parameters::of_arguments(schema, &named);
        let walk = Walk { schema, document: &document };
        let mut keys = BTreeMap::new();
        walk.select((root, &definition.selection_set.node), (true, 0), &mut keys).map_err(error)?;
        let ty = TypeRef { base: BaseType::Named(async_graphql_value::Name::new(root)), nullable: false };
        Ok(Self { parameters, variables, answer: Answer::Object(ty, keys) })
    }

    /// What it answers.
    pub(crate) fn output(&self, schemas: &mut Schemas<'_>) -> Value {
        self.answer.schema(schemas)
    }
}

impl Answer {
    fn schema(&self, schemas: &mut Schemas<'_>) -> Value {
        match self {
            Self::Leaf(ty) => schemas.of(ty),
            Self::Object(ty, keys) => {
                let properties: Map<String, Value> =
                    keys.iter().map(|(name, key)| (name.clone(), key.schema(schemas))).collect();
                let required: Vec<&String> =
                    keys.iter().filter(|(_, key)| key.is_always).map(|(name, _)| name).collect();
                let mut object = json!({ "type": "object", "properties": properties });
                if !required.is_empty() {
                    object["required"] = json!(required);
                }
                around(ty, object, schemas)
            }
        }
    }
}

impl Key {
    fn schema(&self, schemas: &mut Schemas<'_>) -> Value {
        let mut schema = self.answer.schema(schemas);
        if let Some(description) = &self.description
            && let Some(object) = schema.as_object_mut()
        {
            object.insert("description".to_owned(), description.as_str().into());
        }
        schema
    }
}

/// The lists and nulls of a type around an object.
fn around(ty: &TypeRef, object: Value, schemas: &Schemas<'_>) -> Value {
    let schema = match &ty.base {
        BaseType::List(inner) => json!({ "type": "array", "items": around(inner, object, schemas) }),
        BaseType::Named(_) => object,
    };
    if ty.nullable { schemas.nullable(schema) } else { schema }
}

struct Walk<'a> {
    schema: &'a Schema,
    document: &'a ExecutableDocument,
}

impl Walk<'_> {
    /// Adds what is selected of a type. What is under a condition is not always there.
    fn select(
        &self,
        (ty, selections): (&str, &SelectionSet),
        (is_always, depth): (bool, usize),
        keys: &mut BTreeMap<String, Key>,
    ) -> Result<(), String> {
        if depth > MAX_DEPTH {
            return Err("its selections are nested too deeply".to_owned());
        }
        for selection in &selections.items {
            match &selection.node {
                Selection::Field(field) => {
                    let is_always = is_always && !is_conditional(&field.node.directives);
                    self.field(ty, &field.node, (is_always, depth), keys)?;
                }
                Selection::InlineFragment(fragment) => {
                    let condition =
                        fragment.node.type_condition.as_ref().map(|condition| &condition.node.on.node);
                    let on = condition.map_or(ty, |name| name.as_str());
                    let is_always = is_always && on == ty && !is_conditional(&fragment.node.directives);
                    self.select((on, &fragment.node.selection_set.node), (is_always, depth + 1), keys)?;
                }
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    let fragment = self.document.fragments.get(name);
                    let fragment = &fragment.ok_or_else(|| format!("it has no fragment {name}"))?.node;
                    let on = fragment.type_condition.node.on.node.as_str();
                    let is_always = is_always && on == ty && !is_conditional(&spread.node.directives);
                    self.select((on, &fragment.selection_set.node), (is_always, depth + 1), keys)?;
                }
            }
        }
        Ok(())
    }

    fn field(
        &self,
        ty: &str,
        selected: &Selected,
        (is_always, depth): (bool, usize),
        keys: &mut BTreeMap<String, Key>,
    ) -> Result<(), String> {
        let name = selected.name.node.as_str();
        let key = selected.alias.as_ref().map_or(name, |alias| alias.node.as_str()).to_owned();
        let (ty, description) = if name == "__typename" {
            (
                TypeRef { base: BaseType::Named(async_graphql_value::Name::new("String")), nullable: false },
                None,
            )
        } else if let Some(field) = self.schema.field(ty, name) {
            (field.ty.clone(), field.description.clone())
        } else if name.starts_with("__") {
            // The schema itself, of which nobody makes documents.
            keys.insert(key, Key { answer: Answer::any(), is_always, description: None });
            return Ok(());
        } else {
            return Err(format!("the schema has no field {ty}.{name}"));
        };
        let mut inner = BTreeMap::new();
        let known = keys.remove(&key);
        let is_always = is_always || known.as_ref().is_some_and(|known| known.is_always);
        if let Some(Key { answer: Answer::Object(_, known), .. }) = known {
            inner = known;
        }
        let answer = if self.schema.is_leaf(&ty) {
            Answer::Leaf(ty)
        } else {
            self.select((named(&ty), &selected.selection_set.node), (true, depth + 1), &mut inner)?;
            Answer::Object(ty, inner)
        };
        keys.insert(key, Key { answer, is_always, description });
        Ok(())
    }
}

impl Answer {
    /// Anything.
    fn any() -> Self {
        Self::Leaf(TypeRef { base: BaseType::Named(async_graphql_value::Name::new("__Any")), nullable: true })
    }
}

fn only(document: &ExecutableDocument) -> Option<&OperationDefinition> {
    match &document.operations {
        DocumentOperations::Single(operation) => Some(&operation.node),
        DocumentOperations::Multiple(operations) => {
            let mut operations = operations.values();
            operations.next().filter(|_| operations.next().is_none()).map(|operation| &operation.node)
        }
    }
}

fn field(variable: &VariableDefinition) -> Field {
    Field {
        name: variable.name.node.to_string(),
        description: None,
        ty: variable.var_type.node.clone(),
        args: Vec::new(),
        default: variable.default_value.as_ref().map(|value| value.node.clone()),
        deprecated: None,
    }
}

fn is_conditional(directives: &[Positioned<Directive>]) -> bool {
    directives.iter().any(|directive| ["skip", "include"].contains(&directive.node.name.node.as_str()))
}
