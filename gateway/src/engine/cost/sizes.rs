//! How long lists are: by `@listSize`, from arguments in the text and in variables.

use graphql_tools::static_graphql::query;

use super::weights::ListSize;
use crate::engine::schema::{Field, Schema, literal};
use crate::value::{Object, Value};

/// What tells a list's length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SizedBy {
    /// Nothing.
    Default,
    /// A slice, by its position among the operation's.
    Slice(usize),
}

/// A length that arguments tell.
#[derive(Debug)]
pub(super) struct Slice {
    assumed: Option<u64>,
    arguments: Vec<SlicingArgument>,
    /// Whether exactly one must be given.
    one: bool,
    /// The field and its slicing arguments, for people.
    what: String,
}

#[derive(Debug)]
struct SlicingArgument {
    given: Given,
    default: Option<u64>,
}

#[derive(Debug)]
enum Given {
    Nothing,
    Literal(u64),
    Variable(String, Vec<String>),
}

/// Compiles a field's `@listSize` with the arguments that it has in an operation.
pub(super) fn slice(
    schema: &Schema,
    size: &ListSize,
    (parent, field): (&str, &Field),
    arguments: &[(String, query::Value)],
) -> Slice {
    let compile = |path: &Vec<String>| SlicingArgument {
        given: given(arguments, path),
        default: default(schema, field, path),
    };
    let names: Vec<_> = size.slicing.iter().map(|path| format!("`{}`", path.join("."))).collect();
    Slice {
        assumed: size.assumed,
        arguments: size.slicing.iter().map(compile).collect(),
        one: size.one && !size.slicing.is_empty(),
        what: format!("`{parent}.{}` needs exactly one of its arguments {}", field.name, names.join(", ")),
    }
}

impl Slice {
    /// The length with these variables. The error says what is missing for one to be told.
    pub(super) fn length(&self, variables: &Object, default: u64) -> (u64, Option<&str>) {
        let given: Vec<u64> =
            self.arguments.iter().filter_map(|argument| argument.value(variables)).collect();
        if let Some(longest) = given.iter().max() {
            let problem = (self.one && given.len() > 1).then_some(&*self.what);
            return (*longest, problem);
        }
        let defaults = self.arguments.iter().filter_map(|argument| argument.default).max();
        match defaults.or(self.assumed) {
            Some(length) => (length, None),
            None => (default, self.one.then_some(&*self.what)),
        }
    }
}

impl SlicingArgument {
    fn value(&self, variables: &Object) -> Option<u64> {
        match &self.given {
            Given::Nothing => None,
            Given::Literal(length) => Some(*length),
            Given::Variable(name, path) => {
                let value = path.iter().try_fold(variables.get(name)?, |value, key| value.get(key))?;
                length(value)
            }
        }
    }
}

fn given(arguments: &[(String, query::Value)], path: &[String]) -> Given {
    let Some((name, rest)) = path.split_first() else { return Given::Nothing };
    let argument = arguments.iter().find(|(argument, _)| argument == name);
    let Some(mut value) = argument.map(|(_, value)| value) else { return Given::Nothing };
    for (at, key) in rest.iter().enumerate() {
        match value {
            query::Value::Variable(name) => return Given::Variable(name.clone(), rest[at..].to_vec()),
            query::Value::Object(fields) => match fields.iter().find(|(field, _)| field == key) {
                Some((_, inner)) => value = inner,
                None => return Given::Nothing,
            },
            _ => return Given::Nothing,
        }
    }
    match value {
        query::Value::Variable(name) => Given::Variable(name.clone(), Vec::new()),
        other => length(&literal(other)).map_or(Given::Nothing, Given::Literal),
    }
}

/// The default of an argument, or of a field inside it.
fn default(schema: &Schema, field: &Field, path: &[String]) -> Option<u64> {
    let (name, rest) = path.split_first()?;
    let mut input = field.arguments.iter().find(|argument| *argument.name == **name)?;
    let mut found = input.default.as_ref().map(|default| &default.value);
    for key in rest {
        let inner = schema.get(input.ty.name())?.inputs.get(key.as_str())?;
        let of_inner = || inner.default.as_ref().map(|default| &default.value);
        found = found.and_then(|value| value.get(key)).or_else(of_inner);
        input = inner;
    }
    length(found?)
}

/// A length out of a number, or out of a text with one; none is below zero.
fn length(value: &Value) -> Option<u64> {
    match value {
        Value::Int(number) => Some(u64::try_from(*number).unwrap_or(0)),
        Value::Number(text) | Value::String(text) => text.parse().ok(),
        // Keys to fetch by are a length too.
        Value::List(items) => Some(items.len() as u64),
        _ => None,
    }
}
