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
    Keys::default().value(value)
}

/// The keys of an answer so far. Its objects are alike: each key usually comes after the same one as the time before.
#[derive(Default)]
struct Keys {
    known: Vec<Text>,
    next: usize,
}

/// More keys than this are not remembered: looking for one would take longer than making it.
const REMEMBERED: usize = 64;

impl Keys {
    fn value(&mut self, value: Const) -> Value {
        match value {
            Const::Null => Value::Null,
            Const::Boolean(value) => Value::Bool(value),
            Const::Number(number) => match number.as_i64() {
                Some(whole) => Value::Int(whole),
                None => Value::Number(Text::from(number.to_string())),
            },
            Const::String(text) => Value::String(Text::from(text)),
            Const::Enum(name) => Value::String(Text::from(name.as_str())),
            Const::List(values) => Value::List(values.into_iter().map(|value| self.value(value)).collect()),
            Const::Object(entries) => {
                let mut object = Object::with_capacity(entries.len());
                for (key, value) in entries {
                    object.push(self.key(&key), self.value(value));
                }
                Value::Object(object)
            }
            Const::Binary(bytes) => {
                Value::List(bytes.iter().map(|byte| Value::Int(i64::from(*byte))).collect())
            }
        }
    }

    fn key(&mut self, key: &str) -> Text {
        let expected = self.known.get(self.next).filter(|known| known.as_str() == key);
        let at = match expected {
            Some(_) => self.next,
            None => match self.known.iter().position(|known| known.as_str() == key) {
                Some(at) => at,
                None if self.known.len() == REMEMBERED => return Text::from(key),
                None => {
                    self.known.push(Text::from(key));
                    self.known.len() - 1
                }
            },
        };
        self.next = at + 1;
        self.known[at].clone()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    #[test]
    fn an_answer_keeps_its_keys_whatever_their_number_and_order() {
        let wide: serde_json::Map<String, Json> = (0..200).map(|n| (format!("k{n}"), json!(n))).collect();
        let answer =
            json!([{ "a": 1, "b": { "a": "x", "c": null } }, { "b": 2.5, "a": [true] }, wide, { "k199": 1 }]);
        let given = Const::from_json(answer.clone()).unwrap();
        assert_eq!(from_subgraph(given).to_string(), answer.to_string());
    }
}
