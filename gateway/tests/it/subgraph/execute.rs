//! Execution by the specification, over the data.

use graphql_tools::static_graphql::query::{
    self, Definition, Document, OperationDefinition, Selection, SelectionSet, Type, VariableDefinition,
};
use graphql_tools::validation::rules::default_rules_validation_plan;
use graphql_tools::validation::validate::validate;
use pulse_gateway::ports::{SubgraphError, SubgraphResponse};
use pulse_gateway::value::{Object, Value};

use super::TestSubgraph;
use super::markers::{Made, Scope, text};

/// There is nothing here although there must be.
struct Nulled;

/// Answers an operation.
pub(super) fn execute(subgraph: &TestSubgraph, text: &str, variables: &Value) -> SubgraphResponse {
    let document = match graphql_tools::parser::parse_query::<String>(text) {
        Ok(document) => document.into_static(),
        Err(error) => return refused(format!("the request does not parse: {error}")),
    };
    let invalid = validate(&subgraph.schema.document, &document, &default_rules_validation_plan());
    if let Some(error) = invalid.first() {
        return refused(format!("invalid for `{}`: {}: {text}", subgraph.name, error.message));
    }
    if let Some(error) = subgraph.data.get("$refuse").and_then(Value::as_str) {
        return refused(error.to_owned());
    }
    let Some((root, set, definitions)) = operation(&document) else {
        return refused("the request has no operation".into());
    };
    let Some(parent) = subgraph.schema.roots[root].as_deref() else {
        return refused(format!("`{}` has no such root", subgraph.name));
    };
    let mut run = Run {
        subgraph,
        document: &document,
        variables: coerced(definitions, variables),
        errors: Vec::new(),
        path: Vec::new(),
        scope: Scope::default(),
    };
    let data = subgraph.data.get(["Query", "Mutation", "Subscription"][root]).cloned().unwrap_or_default();
    let data = run.object(parent, &data, &[set]).unwrap_or(Value::Null);
    SubgraphResponse { data, errors: run.errors, ..SubgraphResponse::default() }
}

fn refused(message: String) -> SubgraphResponse {
    let error = SubgraphError { message, ..SubgraphError::default() };
    SubgraphResponse { errors: vec![error], ..SubgraphResponse::default() }
}

fn operation(document: &Document) -> Option<(usize, &SelectionSet, &[VariableDefinition])> {
    document.definitions.iter().find_map(|definition| match definition {
        Definition::Operation(operation) => Some(match operation {
            OperationDefinition::SelectionSet(set) => (0, set, [].as_slice()),
            OperationDefinition::Query(it) => (0, &it.selection_set, it.variable_definitions.as_slice()),
            OperationDefinition::Mutation(it) => (1, &it.selection_set, it.variable_definitions.as_slice()),
            OperationDefinition::Subscription(it) => {
                (2, &it.selection_set, it.variable_definitions.as_slice())
            }
        }),
        Definition::Fragment(_) => None,
    })
}

/// The variables that were given, and the defaults of the others.
fn coerced(definitions: &[VariableDefinition], given: &Value) -> Object {
    let value = |definition: &VariableDefinition| {
        let default = || definition.default_value.as_ref().and_then(|value| literal(value, &Object::new()));
        let value = given.get(&definition.name).cloned().or_else(default)?;
        Some((definition.name.as_str().into(), value))
    };
    definitions.iter().filter_map(value).collect()
}

struct Run<'a> {
    subgraph: &'a TestSubgraph,
    document: &'a Document,
    variables: Object,
    errors: Vec<SubgraphError>,
    path: Vec<Value>,
    scope: Scope,
}

impl<'a> Run<'a> {
    fn object(&mut self, parent: &str, data: &Value, sets: &[&'a SelectionSet]) -> Result<Value, Nulled> {
        let mut fields: Vec<(&str, Vec<&'a query::Field>)> = Vec::new();
        for set in sets {
            self.collect(parent, set, &mut fields);
        }
        let mut object = Object::new();
        for (key, fields) in fields {
            self.path.push(key.into());
            let value = self.field(parent, data, &fields);
            self.path.pop();
            object.push(key.into(), value?);
        }
        Ok(Value::Object(object))
    }

    fn collect(
        &self,
        parent: &str,
        set: &'a SelectionSet,
        fields: &mut Vec<(&'a str, Vec<&'a query::Field>)>,
    ) {
        for item in &set.items {
            let (directives, condition, inner) = match item {
                Selection::Field(field) => {
                    if self.is_included(&field.directives) {
                        let key = field.alias.as_ref().unwrap_or(&field.name).as_str();
                        match fields.iter_mut().find(|(known, _)| *known == key) {
                            Some((_, same)) => same.push(field),
                            None => fields.push((key, vec![field])),
                        }
                    }
                    continue;
                }
                Selection::InlineFragment(fragment) => {
                    let condition = fragment.type_condition.as_ref();
                    (&fragment.directives, condition, &fragment.selection_set)
                }
                Selection::FragmentSpread(spread) => {
                    let fragment = self.document.definitions.iter().find_map(|definition| match definition {
                        Definition::Fragment(it) if it.name == spread.fragment_name => Some(it),
                        _ => None,
                    });
                    let fragment = fragment.unwrap();
                    (&spread.directives, Some(&fragment.type_condition), &fragment.selection_set)
                }
            };
            let schema = &self.subgraph.schema;
            let fits = condition.is_none_or(|query::TypeCondition::On(name)| schema.satisfies(parent, name));
            if fits && self.is_included(directives) {
                self.collect(parent, inner, fields);
            }
        }
    }

    fn is_included(&self, directives: &[query::Directive]) -> bool {
        directives.iter().all(|directive| {
            let condition = directive.arguments.iter().find(|(name, _)| name == "if");
            let holds = condition.and_then(|(_, value)| literal(value, &self.variables));
            let holds = holds.and_then(|value| value.as_bool()).unwrap_or_default();
            match directive.name.as_str() {
                "skip" => !holds,
                "include" => holds,
                _ => true,
            }
        })
    }

    fn field(&mut self, parent: &str, data: &Value, fields: &[&'a query::Field]) -> Result<Value, Nulled> {
        let field = fields[0];
        match field.name.as_str() {
            "__typename" => return Ok(parent.into()),
            "_entities" => return Ok(self.entities(fields)),
            _ => {}
        }
        let schema = &self.subgraph.schema;
        let definition = schema.field(parent, &field.name).expect("the request is valid");
        let arguments = definition.arguments.iter().filter_map(|argument| {
            let given = field.arguments.iter().find(|(name, _)| *name == argument.name);
            let given = given.and_then(|(_, value)| literal(value, &self.variables));
            let default = || argument.default_value.as_ref().and_then(|it| literal(it, &Object::new()));
            let value = self.filled(&argument.value_type, given.or_else(default)?);
            Some((argument.name.as_str().into(), value))
        });
        let arguments = arguments.collect();
        self.scope.arguments.push(arguments);
        let value = data.get(&field.name).cloned().unwrap_or_default();
        let completed = self.complete(&definition.field_type, &value, fields);
        self.scope.arguments.pop();
        completed
    }

    /// An input with the defaults of its type, and with a list where a single item stands for one.
    fn filled(&self, ty: &Type, value: Value) -> Value {
        match (ty, value) {
            (_, Value::Null) => Value::Null,
            (Type::NonNullType(inner), value) => self.filled(inner, value),
            (Type::ListType(inner), Value::List(items)) => {
                items.into_iter().map(|item| self.filled(inner, item)).collect::<Vec<_>>().into()
            }
            (Type::ListType(inner), item) => vec![self.filled(inner, item)].into(),
            (Type::NamedType(name), Value::Object(mut object)) => {
                for input in self.subgraph.schema.inputs(name).unwrap_or_default() {
                    let default = || input.default_value.as_ref().and_then(|it| literal(it, &Object::new()));
                    if let Some(value) = object.get(&input.name).cloned().or_else(default) {
                        let value = self.filled(&input.value_type, value);
                        object.insert(input.name.as_str().into(), value);
                    }
                }
                Value::Object(object)
            }
            (Type::NamedType(_), other) => other,
        }
    }

    fn complete(&mut self, ty: &Type, value: &Value, fields: &[&'a query::Field]) -> Result<Value, Nulled> {
        let value = match self.subgraph.make(value, &self.scope) {
            Made::Raw(value) => return Ok(value),
            Made::Error(message, extensions) => {
                self.error(message, extensions);
                return if matches!(ty, Type::NonNullType(_)) { Err(Nulled) } else { Ok(Value::Null) };
            }
            Made::Value(value) => value,
        };
        match (ty, value) {
            (Type::NonNullType(inner), value) => match self.complete(inner, &value, fields)? {
                Value::Null => {
                    let explained = self
                        .errors
                        .iter()
                        .any(|error| error.path.as_list().is_some_and(|path| path.starts_with(&self.path)));
                    if !explained {
                        self.error(format!("null for the non-null {ty}"), Value::Null);
                    }
                    Err(Nulled)
                }
                value => Ok(value),
            },
            (_, Value::Null) => Ok(Value::Null),
            (Type::ListType(inner), Value::List(items)) => Ok(self.list(inner, &items, fields)),
            (Type::NamedType(name), value) if self.subgraph.schema.is_composite(name) => {
                Ok(self.composite(name, &value, fields))
            }
            (Type::NamedType(_), value) => Ok(self.subgraph.plain(&value, &self.scope)),
            (Type::ListType(_), other) => panic!("{other} is no list, at {:?}", self.path),
        }
    }

    fn list(&mut self, ty: &Type, items: &[Value], fields: &[&'a query::Field]) -> Value {
        let mut list = Vec::new();
        for (index, item) in items.iter().enumerate() {
            self.path.push(index.into());
            let item = self.complete(ty, item, fields);
            self.path.pop();
            match item {
                Ok(item) => list.push(item),
                Err(Nulled) => return Value::Null,
            }
        }
        Value::List(list)
    }

    fn composite(&mut self, name: &str, value: &Value, fields: &[&'a query::Field]) -> Value {
        let concrete = if self.subgraph.schema.is_abstract(name) {
            let concrete = value.get("__typename").and_then(Value::as_str);
            concrete.unwrap_or_else(|| panic!("no __typename in {value}, at {:?}", self.path)).to_owned()
        } else {
            name.to_owned()
        };
        let sets: Vec<_> = fields.iter().map(|field| &field.selection_set).collect();
        self.object(&concrete, value, &sets).unwrap_or(Value::Null)
    }

    fn entities(&mut self, fields: &[&'a query::Field]) -> Value {
        let argument = fields[0].arguments.iter().find(|(name, _)| name == "representations");
        let representations = argument.and_then(|(_, value)| literal(value, &self.variables));
        let Some(Value::List(representations)) = representations else { return Value::Null };
        let mut list = Vec::new();
        for (index, representation) in representations.into_iter().enumerate() {
            self.path.push(index.into());
            let found = self.subgraph.entity(&representation);
            self.scope.representations.push(representation);
            list.push(match found.map(|entity| self.subgraph.make(&entity, &self.scope)) {
                Ok(Made::Error(message, extensions)) => self.error(message, extensions),
                Ok(Made::Value(Value::Null)) => Value::Null,
                Ok(Made::Value(entity)) if entity.get("$error").is_some() => {
                    let extensions = entity.get("extensions").cloned().unwrap_or_default();
                    self.error(text(entity.get("$error").unwrap()), extensions)
                }
                Ok(Made::Value(entity)) => {
                    let name = text(entity.get("__typename").unwrap());
                    let sets: Vec<_> = fields.iter().map(|field| &field.selection_set).collect();
                    self.object(&name, &entity, &sets).unwrap_or(Value::Null)
                }
                Ok(Made::Raw(value)) => value,
                Err(message) => self.error(message, Value::Null),
            });
            self.scope.representations.pop();
            self.path.pop();
        }
        Value::List(list)
    }

    /// Adds an error, and is `null`.
    fn error(&mut self, message: String, extensions: Value) -> Value {
        self.errors.push(SubgraphError { message, path: Value::List(self.path.clone()), extensions });
        Value::Null
    }
}

/// A literal as JSON; `None` for a variable that was not given.
fn literal(value: &query::Value, variables: &Object) -> Option<Value> {
    Some(match value {
        query::Value::Variable(name) => variables.get(name)?.clone(),
        query::Value::Int(number) => number.as_i64().map_or(Value::Null, Value::Int),
        query::Value::Float(number) => (*number).into(),
        query::Value::String(text) | query::Value::Enum(text) => text.as_str().into(),
        query::Value::Boolean(value) => (*value).into(),
        query::Value::Null => Value::Null,
        query::Value::List(items) => {
            Value::List(items.iter().map(|item| literal(item, variables).unwrap_or_default()).collect())
        }
        query::Value::Object(entries) => entries
            .iter()
            .filter_map(|(key, value)| Some((key.as_str().into(), literal(value, variables)?)))
            .collect::<Object>()
            .into(),
    })
}
