//! What differs between two JSON values, as a JSON Patch (RFC 6902).

use std::fmt::Write;

use bytes::{BufMut, BytesMut};

use crate::value::{Object, Value, write_string};

/// Appends the patch that makes `after` of `before`.
pub(super) fn write(before: &Value, after: &Value, out: &mut BytesMut) {
    let mut patch = Patch { out, path: String::new(), is_empty: true };
    patch.out.put_u8(b'[');
    patch.value(before, after);
    patch.out.put_u8(b']');
}

struct Patch<'o> {
    out: &'o mut BytesMut,
    /// The place that is compared (RFC 6901).
    path: String,
    is_empty: bool,
}

impl Patch<'_> {
    fn value(&mut self, before: &Value, after: &Value) {
        match (before, after) {
            (Value::Object(before), Value::Object(after)) => self.object(before, after),
            (Value::List(before), Value::List(after)) => self.list(before, after),
            (before, after) if before == after => {}
            (_, after) => self.operation("replace", Some(after)),
        }
    }

    fn object(&mut self, before: &Object, after: &Object) {
        let mut hint = 0;
        for (key, value) in before {
            self.at_key(key, |patch| match after.get_from(key, &mut hint) {
                Some(now) => patch.value(value, now),
                None => patch.operation("remove", None),
            });
        }
        let mut hint = 0;
        for (key, value) in after {
            if before.get_from(key, &mut hint).is_none() {
                self.at_key(key, |patch| patch.operation("add", Some(value)));
            }
        }
    }

    /// What is equal at both ends stays; of what is between, as many as there are on both sides are compared one by one.
    fn list(&mut self, before: &[Value], after: &[Value]) {
        let start = before.iter().zip(after).take_while(|(a, b)| a == b).count();
        let (before, after) = (&before[start..], &after[start..]);
        let end = before.iter().rev().zip(after.iter().rev()).take_while(|(a, b)| a == b).count();
        let (before, after) = (&before[..before.len() - end], &after[..after.len() - end]);
        for (index, (old, new)) in before.iter().zip(after).enumerate() {
            self.at_index(start + index, |patch| patch.value(old, new));
        }
        for index in (after.len()..before.len()).rev() {
            self.at_index(start + index, |patch| patch.operation("remove", None));
        }
        for (index, value) in after.iter().enumerate().skip(before.len()) {
            self.at_index(start + index, |patch| patch.operation("add", Some(value)));
        }
    }

    fn at_key(&mut self, key: &str, then: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        self.path.push('/');
        for character in key.chars() {
            match character {
                '~' => self.path.push_str("~0"),
                '/' => self.path.push_str("~1"),
                other => self.path.push(other),
            }
        }
        then(self);
        self.path.truncate(length);
    }

    fn at_index(&mut self, index: usize, then: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        write!(self.path, "/{index}").expect("writing to a string cannot fail");
        then(self);
        self.path.truncate(length);
    }

    fn operation(&mut self, name: &str, value: Option<&Value>) {
        if !std::mem::take(&mut self.is_empty) {
            self.out.put_u8(b',');
        }
        self.out.put_slice(b"{\"op\":\"");
        self.out.put_slice(name.as_bytes());
        self.out.put_slice(b"\",\"path\":");
        write_string(&self.path, self.out);
        if let Some(value) = value {
            self.out.put_slice(b",\"value\":");
            value.write(self.out);
        }
        self.out.put_u8(b'}');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patch(before: &str, after: &str) -> String {
        let parsed = |text: &str| Value::parse(text.as_bytes()).unwrap();
        let mut out = BytesMut::new();
        write(&parsed(before), &parsed(after), &mut out);
        String::from_utf8(out.to_vec()).unwrap()
    }

    #[test]
    fn only_what_differs_is_told() {
        for (before, after, expected) in [
            (r#"{"a":1}"#, r#"{"a":1}"#, "[]"),
            (r#"{"a":1,"b":2}"#, r#"{"a":1,"b":3}"#, r#"[{"op":"replace","path":"/b","value":3}]"#),
            (
                r#"{"a~/b":{"c":1}}"#,
                r#"{"a~/b":{"d":null}}"#,
                r#"[{"op":"remove","path":"/a~0~1b/c"},{"op":"add","path":"/a~0~1b/d","value":null}]"#,
            ),
            ("[1,2,3]", "[1,3]", r#"[{"op":"remove","path":"/1"}]"#),
            ("[1,2,3]", "[0,1,2,3]", r#"[{"op":"add","path":"/0","value":0}]"#),
            (
                "[1,2]",
                "[1,2,3,4]",
                r#"[{"op":"add","path":"/2","value":3},{"op":"add","path":"/3","value":4}]"#,
            ),
            (
                "[1,2,3,9]",
                "[7,9]",
                r#"[{"op":"replace","path":"/0","value":7},{"op":"remove","path":"/2"},{"op":"remove","path":"/1"}]"#,
            ),
            ("[1,1]", "[1,1,1]", r#"[{"op":"add","path":"/2","value":1}]"#),
            ("1", "[1]", r#"[{"op":"replace","path":"","value":[1]}]"#),
        ] {
            assert_eq!(patch(before, after), expected, "{before} {after}");
        }
    }
}
