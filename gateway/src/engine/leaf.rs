//! The scalars that every schema has: what their values may be, and how they are written (GraphQL specification, §3.5).

use bytes::BufMut;

use crate::value::{Value, write_string};

/// A scalar, as far as the specification says what its values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leaf {
    /// A custom scalar: any JSON.
    Any,
    Int,
    Float,
    String,
    Boolean,
    Id,
}

impl Leaf {
    pub(super) fn of(name: &str) -> Self {
        match name {
            "Int" => Self::Int,
            "Float" => Self::Float,
            "String" => Self::String,
            "Boolean" => Self::Boolean,
            "ID" => Self::Id,
            _ => Self::Any,
        }
    }

    /// What a value has to be, for messages.
    pub(super) const fn expected(self) -> &'static str {
        match self {
            Self::Any => "a value",
            Self::Int => "a whole number of 32 bits",
            Self::Float => "a number",
            Self::String => "a string",
            Self::Boolean => "a boolean",
            Self::Id => "an id",
        }
    }

    /// Writes a value that is not null. Whether it could be written; where not, nothing has been.
    pub(super) fn write(self, value: &Value, out: &mut impl BufMut) -> bool {
        match (self, value) {
            (Self::Any, _)
            | (Self::Float, Value::Int(_) | Value::Number(_))
            | (Self::String | Self::Id, Value::String(_))
            | (Self::Boolean, Value::Bool(_)) => value.write(out),
            (Self::Int, Value::Int(number)) if i32::try_from(*number).is_ok() => value.write(out),
            (Self::Int, Value::Number(text)) => {
                match whole(text).filter(|text| text.parse::<i32>().is_ok()) {
                    Some(text) => out.put_slice(text.as_bytes()),
                    None => return false,
                }
            }
            // An id is sent as a string, whatever a subgraph keeps it as.
            (Self::Id, Value::Int(number)) => write_string(&number.to_string(), out),
            (Self::Id, Value::Number(text)) => match whole(text) {
                Some(text) => write_string(text, out),
                None => return false,
            },
            _ => return false,
        }
        true
    }
}

/// A whole number without the fraction of zeros that it may have been written with.
fn whole(text: &str) -> Option<&str> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_zeros = fraction.bytes().all(|byte| byte == b'0');
    (is_digits(whole.strip_prefix('-').unwrap_or(whole)) && is_zeros).then_some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(leaf: Leaf, json: &str) -> Option<String> {
        let mut out = Vec::new();
        leaf.write(&Value::parse(json.as_bytes()).unwrap(), &mut out).then(|| String::from_utf8(out).unwrap())
    }

    #[test]
    fn numbers_are_written_as_their_scalar_wants_them() {
        assert_eq!(written(Leaf::Int, "-3.00").as_deref(), Some("-3"));
        assert_eq!(written(Leaf::Int, "2147483647").as_deref(), Some("2147483647"));
        assert_eq!(written(Leaf::Int, "-2147483648.0").as_deref(), Some("-2147483648"));
        assert_eq!(written(Leaf::Int, "2147483648"), None);
        assert_eq!(written(Leaf::Int, "12345678901234567890"), None);
        assert_eq!(written(Leaf::Int, "2.5"), None);
        assert_eq!(written(Leaf::Int, "1e3"), None);
        assert_eq!(written(Leaf::Float, "1e3").as_deref(), Some("1e3"));
        assert_eq!(written(Leaf::Id, "7").as_deref(), Some("\"7\""));
        assert_eq!(written(Leaf::Id, "12345678901234567890").as_deref(), Some("\"12345678901234567890\""));
        assert_eq!(written(Leaf::Any, "{\"a\":1.10}").as_deref(), Some("{\"a\":1.10}"));
    }

    #[test]
    fn what_a_scalar_cannot_be_is_not_written() {
        for (leaf, json) in [
            (Leaf::Int, "\"1\""),
            (Leaf::Float, "\"1\""),
            (Leaf::String, "1"),
            (Leaf::Boolean, "1"),
            (Leaf::Id, "1.5"),
            (Leaf::Id, "true"),
            (Leaf::String, "[]"),
        ] {
            assert_eq!(written(leaf, json), None, "{leaf:?} {json}");
        }
    }
}
