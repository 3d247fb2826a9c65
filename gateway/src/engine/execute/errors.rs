//! Errors of a running operation, each at its place in the response.

use bytes::BufMut;

use crate::engine::ErrorCode;
use crate::engine::aliases::client_key;
use crate::value::{Object, Text, Value, write_string};

/// A step of a response's path.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::engine) enum Segment {
    Key(Text),
    Index(usize),
}

/// An error in a response.
#[derive(Debug, Clone)]
pub(in crate::engine) struct FieldError {
    pub(in crate::engine) message: String,
    pub(in crate::engine) path: Option<Vec<Segment>>,
    /// An object: at least the code.
    pub(in crate::engine) extensions: Object,
}

impl FieldError {
    /// An error with a code.
    pub(in crate::engine) fn new(code: ErrorCode, message: String, path: Option<Vec<Segment>>) -> Self {
        let mut extensions = Object::with_capacity(2);
        extensions.push("code".into(), code.as_str().into());
        Self { message, path, extensions }
    }

    /// The same with another entry in `extensions`.
    pub(in crate::engine) fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.extensions.insert(key.into(), value.into());
        self
    }

    /// Whether this error already tells why there is nothing at a path: it lies on the way to it, or below it.
    pub(in crate::engine) fn explains(&self, path: &[Segment]) -> bool {
        self.path.as_ref().is_none_or(|own| own.iter().zip(path).all(|(own, other)| own == other))
    }

    /// Appends this error as JSON.
    pub(in crate::engine) fn write(&self, out: &mut Vec<u8>) {
        out.put_slice(b"{\"message\":");
        write_string(&self.message, out);
        if let Some(path) = &self.path {
            out.put_slice(b",\"path\":[");
            for (index, segment) in path.iter().enumerate() {
                if index > 0 {
                    out.put_u8(b',');
                }
                match segment {
                    Segment::Key(key) => write_string(client_key(key), out),
                    Segment::Index(index) => out.put_slice(itoa::Buffer::new().format(*index).as_bytes()),
                }
            }
            out.put_u8(b']');
        }
        out.put_slice(b",\"extensions\":");
        self.extensions.write(out);
        out.put_u8(b'}');
    }
}
