//! How long lists and pages may be that a request asks for: in its document, and in its variables.

use std::collections::BTreeSet;

use graphql_tools::parser::query::{Definition, OperationDefinition, Selection};
use graphql_tools::parser::schema as ast;
use graphql_tools::static_graphql::{query, schema as sdl};

use super::{ErrorCode, RequestError};
use crate::value::{Object, Text, Value};

/// What bounds a request's inputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputLimits {
    /// How many items a list may have.
    pub max_list_size: usize,
    /// How large a page may be that a paging argument asks for.
    pub max_page_size: u64,
    /// The names of paging arguments, beside those that the supergraph names by `@listSize`.
    pub page_arguments: Vec<String>,
}

impl Default for InputLimits {
    fn default() -> Self {
        Self {
            max_list_size: 10_000,
            max_page_size: 10_000,
            page_arguments: vec!["first".to_owned(), "last".to_owned()],
        }
    }
}

/// The limits of one supergraph's requests.
#[derive(Debug, Clone)]
pub(super) struct Inputs {
    limits: InputLimits,
    paging: BTreeSet<String>,
}

/// Variables that paging arguments take their value from.
pub(super) type PageVariables = Vec<Text>;

impl Inputs {
    pub(super) fn new(limits: &InputLimits, slicing: BTreeSet<String>) -> Self {
        let paging = limits.page_arguments.iter().cloned().chain(slicing).collect();
        Self { limits: limits.clone(), paging }
    }

    /// Checks what is written in a document. Returns the variables that must be looked at when they are known.
    pub(super) fn check(&self, document: &query::Document) -> Result<PageVariables, RequestError> {
        let mut check = Check { inputs: self, variables: Vec::new() };
        for definition in &document.definitions {
            match definition {
                Definition::Fragment(fragment) => check.selection_set(&fragment.selection_set)?,
                Definition::Operation(operation) => check.operation(operation)?,
            }
        }
        Ok(check.variables)
    }

    /// Checks the values of an operation's variables.
    pub(super) fn check_variables(
        &self,
        paging: &PageVariables,
        variables: &Object,
    ) -> Result<(), RequestError> {
        for (name, value) in variables {
            if paging.contains(name) {
                self.page(name, value)?;
            }
            if matches!(value, Value::List(_) | Value::Object(_)) {
                self.value(value)?;
            }
        }
        Ok(())
    }

    fn value(&self, value: &Value) -> Result<(), RequestError> {
        match value {
            Value::List(items) => {
                self.list(items.len())?;
                items.iter().try_for_each(|item| self.value(item))
            }
            Value::Object(object) => object.iter().try_for_each(|(name, value)| {
                if self.paging.contains(name.as_str()) {
                    self.page(name, value)?;
                }
                self.value(value)
            }),
            _ => Ok(()),
        }
    }

    fn page(&self, name: &str, value: &Value) -> Result<(), RequestError> {
        match value {
            Value::Int(size) => self.page_size(name, *size),
            _ => Ok(()),
        }
    }

    fn page_size(&self, name: &str, size: i64) -> Result<(), RequestError> {
        let limit = self.limits.max_page_size;
        if u64::try_from(size).is_ok_and(|size| size > limit) {
            return Err(exceeded(&format!("`{name}` asks for a page of {size}, the limit is {limit}")));
        }
        Ok(())
    }

    fn list(&self, length: usize) -> Result<(), RequestError> {
        let limit = self.limits.max_list_size;
        if length > limit {
            return Err(exceeded(&format!("a list in the request has {length} items, the limit is {limit}")));
        }
        Ok(())
    }
}

struct Check<'a> {
    inputs: &'a Inputs,
    variables: PageVariables,
}

impl Check<'_> {
    fn operation(&mut self, operation: &query::OperationDefinition) -> Result<(), RequestError> {
        let (variables, set) = match operation {
            OperationDefinition::SelectionSet(set) => ([].as_slice(), set),
            OperationDefinition::Query(it) => (it.variable_definitions.as_slice(), &it.selection_set),
            OperationDefinition::Mutation(it) => (it.variable_definitions.as_slice(), &it.selection_set),
            OperationDefinition::Subscription(it) => (it.variable_definitions.as_slice(), &it.selection_set),
        };
        for default in variables.iter().filter_map(|variable| variable.default_value.as_ref()) {
            self.value(None, default)?;
        }
        self.selection_set(set)
    }

    fn selection_set(&mut self, set: &query::SelectionSet) -> Result<(), RequestError> {
        for item in &set.items {
            match item {
                Selection::Field(field) => {
                    for (name, value) in &field.arguments {
                        self.value(Some(name), value)?;
                    }
                    self.selection_set(&field.selection_set)?;
                }
                Selection::InlineFragment(fragment) => self.selection_set(&fragment.selection_set)?,
                Selection::FragmentSpread(_) => {}
            }
        }
        Ok(())
    }

    fn value(&mut self, name: Option<&String>, value: &query::Value) -> Result<(), RequestError> {
        let paging = name.filter(|name| self.inputs.paging.contains(*name));
        match (value, paging) {
            (query::Value::Int(size), Some(name)) => {
                size.as_i64().map_or(Ok(()), |size| self.inputs.page_size(name, size))
            }
            (query::Value::Variable(variable), Some(_)) => {
                let variable = Text::from(variable.as_str());
                if !self.variables.contains(&variable) {
                    self.variables.push(variable);
                }
                Ok(())
            }
            (query::Value::List(items), _) => {
                self.inputs.list(items.len())?;
                items.iter().try_for_each(|item| self.value(None, item))
            }
            (query::Value::Object(entries), _) => {
                entries.iter().try_for_each(|(name, value)| self.value(Some(name), value))
            }
            _ => Ok(()),
        }
    }
}

/// The paging arguments that a supergraph names by `@listSize(slicingArguments:)`. For one inside an input object, the last
/// name counts.
pub(super) fn slicing_arguments(document: &sdl::Document) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for definition in &document.definitions {
        let fields = match definition {
            ast::Definition::TypeDefinition(ast::TypeDefinition::Object(ty)) => &ty.fields,
            ast::Definition::TypeDefinition(ast::TypeDefinition::Interface(ty)) => &ty.fields,
            _ => continue,
        };
        let arguments =
            fields.iter().flat_map(|field| &field.directives).flat_map(|directive| &directive.arguments);
        for (_, value) in arguments.filter(|(name, _)| name == "slicingArguments") {
            let items = match value {
                ast::Value::List(items) => items.as_slice(),
                single => std::slice::from_ref(single),
            };
            names.extend(items.iter().filter_map(|item| match item {
                ast::Value::String(path) => path.rsplit('.').next().map(ToOwned::to_owned),
                _ => None,
            }));
        }
    }
    names
}

fn exceeded(text: &str) -> RequestError {
    RequestError::new(ErrorCode::BadUserInput, text).because("GRAPHQL_LIMIT_EXCEEDED")
}
