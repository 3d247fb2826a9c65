//! JSON between the gateway's own values and async-graphql's, moved, not copied, where both own their text.

use async_graphql::{Name, Number, Value as Const, Variables};
use pulse_gateway::value::{Object, Text, Value};

/// A gateway's variables for a subgraph.
pub(super) fn variables(variables: Value) -> Variables {
    Variables::from_value(to_subgraph(variables))
}

fn to_subgraph(value: Value) -> Const {
    match value {
        Value::Null => Const::Null,
        Value::Bool(value) => Const::Boolean(value),
        Value::Int(value) => Const::Number(Number::from(value)),
        // Written by JSON's rules, so it parses; a number beyond every type becomes null, which its scalar refuses.
        Value::Number(text) => text.parse().map_or(Const::Null, Const::Number),
        Value::String(text) => Const::String(text.as_str().to_owned()),
        Value::List(values) => Const::List(values.into_iter().map(to_subgraph).collect()),
        Value::Object(object) => Const::Object(
            object.into_iter().map(|(key, value)| (Name::new(key.as_str()), to_subgraph(value))).collect(),
        ),
    }
}

/// What a subgraph answered.
pub(super) fn from_subgraph(value: Const) -> Value {
    match value {
        Const::Null => Value::Null,
        Const::Boolean(value) => Value::Bool(value),
        Const::Number(number) => match number.as_i64() {
            Some(whole) => Value::Int(whole),
            None => Value::Number(Text::from(number.to_string())),
        },
        Const::String(text) => Value::String(Text::from(text)),
        Const::Enum(name) => Value::String(Text::from(name.as_str())),
        Const::List(values) => Value::List(values.into_iter().map(from_subgraph).collect()),
        Const::Object(entries) => {
            let mut object = Object::with_capacity(entries.len());
            for (key, value) in entries {
                object.push(Text::from(key.as_str()), from_subgraph(value));
            }
            Value::Object(object)
        }
        Const::Binary(bytes) => Value::List(bytes.iter().map(|byte| Value::Int(i64::from(*byte))).collect()),
    }
}
