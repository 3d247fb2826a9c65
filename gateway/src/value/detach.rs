//! Copies that share nothing with what they are copies of.

use std::sync::Arc;

use super::{Object, Text, Value};

impl Value {
    /// A copy with a buffer of its own. Threads that each clone the same value would fight over the count of its one
    /// buffer, string by string.
    #[must_use]
    pub fn detached(&self) -> Self {
        let mut text = String::new();
        gather(self, &mut text);
        let mut copier = Copier { buffer: text.into(), at: 0 };
        copier.value(self)
    }
}

fn gather(value: &Value, into: &mut String) {
    match value {
        Value::Null | Value::Bool(_) | Value::Int(_) => {}
        Value::Number(text) | Value::String(text) => into.push_str(text),
        Value::List(items) => items.iter().for_each(|item| gather(item, into)),
        Value::Object(object) => {
            for (key, value) in object {
                into.push_str(key);
                gather(value, into);
            }
        }
    }
}

/// Takes the texts out of the buffer in the order in which they were gathered.
struct Copier {
    buffer: Arc<str>,
    at: usize,
}

impl Copier {
    fn value(&mut self, value: &Value) -> Value {
        match value {
            Value::Null => Value::Null,
            Value::Bool(value) => Value::Bool(*value),
            Value::Int(number) => Value::Int(*number),
            Value::Number(text) => Value::Number(self.text(text)),
            Value::String(text) => Value::String(self.text(text)),
            Value::List(items) => Value::List(items.iter().map(|item| self.value(item)).collect()),
            Value::Object(object) => {
                let mut copy = Object::with_capacity(object.len());
                for (key, value) in object {
                    let key = self.text(key);
                    copy.push(key, self.value(value));
                }
                Value::Object(copy)
            }
        }
    }

    fn text(&mut self, text: &str) -> Text {
        let start = self.at;
        self.at += text.len();
        Text::slice(&self.buffer, start, self.at)
    }
}
