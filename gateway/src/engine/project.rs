//! The response's JSON: written straight from the operation's selections and the data, with nulls propagated as the
//! specification says (§6.4.4).

use std::collections::HashSet;
use std::sync::Arc;

use bytes::{BufMut, BytesMut};

use super::ErrorCode;
use super::execute::{FieldError, Segment};
use super::selection::{Content, Field, Selection, Shape, holds};
use crate::value::{Object, Text, Value, write_string};

/// Writes `data`. Whether it is `null` is the answer. An object is `missing` that a subgraph refers to and another does not
/// have: where that may be null, it is null, and no error.
pub(super) fn project(
    selection: &Selection,
    flags: &[bool],
    (data, missing): (&Value, &HashSet<Vec<Segment>>),
    (out, errors): (&mut BytesMut, &mut Vec<FieldError>),
) -> bool {
    let reported = errors.len();
    let mut projector = Projector { flags, out, errors, missing, reported };
    let start = projector.out.len();
    let empty = Object::new();
    let data = data.as_object().unwrap_or(&empty);
    let nulled = projector.composite(selection, data, &Path::Root).is_err();
    if nulled {
        projector.out.truncate(start);
        projector.out.put_slice(b"null");
    }
    nulled
}

/// There is nothing here although there must be: the nearest parent that may be null becomes null.
struct Nulled;

/// The path to where the projector is, on the stack.
enum Path<'p> {
    Root,
    Key(&'p Path<'p>, &'p Arc<str>),
    Index(&'p Path<'p>, usize),
}

impl Path<'_> {
    fn segments(&self) -> Vec<Segment> {
        let mut segments = Vec::new();
        let mut at = self;
        loop {
            match at {
                Path::Root => break,
                Path::Key(parent, key) => {
                    segments.push(Segment::Key(Text::from(Arc::clone(key))));
                    at = parent;
                }
                Path::Index(parent, index) => {
                    segments.push(Segment::Index(*index));
                    at = parent;
                }
            }
        }
        segments.reverse();
        segments
    }
}

struct Projector<'a> {
    flags: &'a [bool],
    out: &'a mut BytesMut,
    errors: &'a mut Vec<FieldError>,
    missing: &'a HashSet<Vec<Segment>>,
    /// How many errors came from the subgraphs.
    reported: usize,
}

impl Projector<'_> {
    fn object(
        &mut self,
        fields: &[Field],
        type_name: &Arc<str>,
        data: &Object,
        path: &Path<'_>,
    ) -> Result<(), Nulled> {
        self.out.put_u8(b'{');
        let mut first = true;
        let mut hint = 0;
        for field in fields {
            if !holds(field.when.as_ref(), self.flags) {
                continue;
            }
            if !first {
                self.out.put_u8(b',');
            }
            first = false;
            self.out.put_slice(&field.head);
            if matches!(field.content, Content::Typename) {
                write_string(type_name, self.out);
                continue;
            }
            let value = data.get_from(&field.key, &mut hint).unwrap_or(&Value::Null);
            self.value(field, &field.shape, value, &Path::Key(path, &field.key))?;
        }
        self.out.put_u8(b'}');
        Ok(())
    }

    fn value(&mut self, field: &Field, shape: &Shape, value: &Value, path: &Path<'_>) -> Result<(), Nulled> {
        let start = self.out.len();
        let complete = match (value, &shape.item) {
            (Value::Null, _) => {
                if !shape.nullable && !self.is_in_missing(path) {
                    self.report(path, || format!("`{}.{}` must not be null", field.parent, field.name));
                }
                Err(Nulled)
            }
            (Value::List(items), Some(shape)) => self.list(field, shape, items, path),
            (_, Some(_)) => self.wrong(field, path, "a list"),
            (_, None) => self.named(field, value, path),
        };
        match complete {
            Err(Nulled) if shape.nullable => {
                self.out.truncate(start);
                self.out.put_slice(b"null");
                Ok(())
            }
            Err(Nulled) if self.is_missing(path) => {
                self.report(path, || format!("`{}.{}` refers to nothing", field.parent, field.name));
                Err(Nulled)
            }
            other => other,
        }
    }

    fn list(&mut self, field: &Field, shape: &Shape, items: &[Value], path: &Path<'_>) -> Result<(), Nulled> {
        self.out.put_u8(b'[');
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.out.put_u8(b',');
            }
            self.value(field, shape, item, &Path::Index(path, index))?;
        }
        self.out.put_u8(b']');
        Ok(())
    }

    fn named(&mut self, field: &Field, value: &Value, path: &Path<'_>) -> Result<(), Nulled> {
        match &field.content {
            Content::Scalar | Content::Typename => {
                value.write(self.out);
                Ok(())
            }
            Content::Enum(name, values) => match value {
                Value::String(text) if values.contains(text.as_str()) => {
                    write_string(text, self.out);
                    Ok(())
                }
                _ => self.wrong(field, path, &format!("a value of the enum `{name}`")),
            },
            Content::Composite(selection) => match value {
                Value::Object(object) => self.composite(selection, object, path),
                _ => self.wrong(field, path, "an object"),
            },
        }
    }

    /// An object by its type; one of a type that is not part of the API is none.
    fn composite(&mut self, selection: &Selection, object: &Object, path: &Path<'_>) -> Result<(), Nulled> {
        match selection {
            Selection::One(name, fields) => self.object(fields, name, object, path),
            Selection::ByType { variants, of, declared } => {
                let name = object.get("__typename").and_then(Value::as_str).unwrap_or(declared);
                if let Some((name, variant)) = of.get_key_value(name) {
                    return self.object(&variants[*variant], name, object, path);
                }
                self.report(path, || format!("an object here is of no type that is part of `{declared}`"));
                Err(Nulled)
            }
        }
    }

    /// A subgraph answered with something that the schema does not allow here.
    fn wrong(&mut self, field: &Field, path: &Path<'_>, expected: &str) -> Result<(), Nulled> {
        self.report(path, || format!("`{}.{}` is not {expected}", field.parent, field.name));
        Err(Nulled)
    }

    /// Only asked where something is null.
    fn is_missing(&self, path: &Path<'_>) -> bool {
        !self.missing.is_empty() && self.missing.contains(&path.segments())
    }

    fn is_in_missing(&self, path: &Path<'_>) -> bool {
        match path {
            Path::Key(object, _) => self.is_missing(object),
            Path::Root | Path::Index(..) => false,
        }
    }

    /// Adds an error, unless a subgraph's error tells already why there is nothing here.
    fn report(&mut self, path: &Path<'_>, message: impl FnOnce() -> String) {
        let path = path.segments();
        if self.errors[..self.reported].iter().any(|error| error.explains(&path)) {
            return;
        }
        self.errors.push(FieldError::new(ErrorCode::Internal, message(), Some(path)));
    }
}
