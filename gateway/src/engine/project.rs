//! The response's JSON: written straight from the operation's selections and the data, with nulls propagated as the
//! specification says (§6.4.4).

use std::ops::Range;
use std::sync::Arc;

use bytes::BufMut;
use rustc_hash::FxHashMap;

use super::ErrorCode;
use super::authorization::{self, denial};
use super::execute::graph::{Graph, Item, Node, NodeId};
use super::execute::{FieldError, Segment};
use super::leaf::Leaf;
use super::selection::{Content, Field, Selection, Shape, holds};
use crate::value::{Text, Value, write_string};

/// How many errors tell of what a caller may not have. A long list has one for each item, but not without end.
const MAX_DENIALS: usize = 100;

/// Writes `data`. Whether it is `null` is the answer. Where an object is missing, which a subgraph refers to and another
/// does not have, it is null if it may be, and no error.
pub(super) fn project(
    selection: &Selection,
    flags: &[bool],
    data: &Graph,
    (out, errors): (&mut Vec<u8>, &mut Vec<FieldError>),
) -> bool {
    let reported = errors.len();
    let mut projector = Projector {
        flags,
        out,
        errors,
        data,
        reported,
        reports: 0,
        denials: 0,
        written: FxHashMap::default(),
    };
    let start = projector.out.len();
    let nulled = projector.composite(selection, data.node(Graph::ROOT), &Path::Root).is_err();
    if nulled {
        projector.out.truncate(start);
        projector.out.put_slice(b"null");
    }
    nulled
}

/// There is nothing here although there must be: the nearest parent that may be null becomes null.
struct Nulled;

/// What stands for a key that is not there.
static NOTHING: Item = Item::Leaf(Value::Null);

/// The path to where the projector is, on the stack.
enum Path<'p> {
    Root,
    Key(Parent<'p>, &'p Arc<str>),
    Index(&'p Path<'p>, usize),
}

/// The object that a key is of.
struct Parent<'p> {
    path: &'p Path<'p>,
    is_missing: bool,
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
                    at = parent.path;
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

    /// Whether this is a key of an object that a subgraph does not have.
    const fn is_in_missing(&self) -> bool {
        matches!(self, Path::Key(parent, _) if parent.is_missing)
    }
}

struct Projector<'a> {
    flags: &'a [bool],
    out: &'a mut Vec<u8>,
    errors: &'a mut Vec<FieldError>,
    data: &'a Graph,
    /// How many errors came from the subgraphs.
    reported: usize,
    /// How often there was an error to report, told or not.
    reports: usize,
    /// How many places were denied.
    denials: usize,
    /// Where objects are in what has been written, by their selections: those at several places are copied from there.
    written: FxHashMap<(NodeId, usize), Range<usize>>,
}

impl Projector<'_> {
    fn object(
        &mut self,
        fields: &[Field],
        type_name: &Arc<str>,
        data: &Node,
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
            if let Content::Denied(code) = field.content {
                let parent = Parent { path, is_missing: data.is_missing };
                self.denied(field, code, &Path::Key(parent, &field.key))?;
                continue;
            }
            let item = data.get_from(&field.key, &mut hint).unwrap_or(&NOTHING);
            let parent = Parent { path, is_missing: data.is_missing };
            self.item(field, &field.shape, item, &Path::Key(parent, &field.key))?;
        }
        self.out.put_u8(b'}');
        Ok(())
    }

    fn item(&mut self, field: &Field, shape: &Shape, item: &Item, path: &Path<'_>) -> Result<(), Nulled> {
        let start = self.out.len();
        let complete = match (item, &shape.item) {
            (Item::Leaf(Value::Null), _) => {
                if !shape.nullable && !path.is_in_missing() {
                    self.report(path, || format!("`{}.{}` must not be null", field.parent, field.name));
                }
                Err(Nulled)
            }
            (Item::List(items), Some(shape)) => self.list(field, shape, items, path),
            (_, Some(_)) => self.wrong(field, path, "a list"),
            (_, None) => self.named(field, item, path),
        };
        match complete {
            Err(Nulled) if shape.nullable => {
                self.forget_from(start);
                self.out.put_slice(b"null");
                Ok(())
            }
            Err(Nulled) if matches!(item, Item::Object(id) if self.data.node(*id).is_missing) => {
                self.report(path, || format!("`{}.{}` refers to nothing", field.parent, field.name));
                Err(Nulled)
            }
            other => other,
        }
    }

    /// What the caller may not have is null, whatever the data says.
    fn denied(&mut self, field: &Field, code: ErrorCode, path: &Path<'_>) -> Result<(), Nulled> {
        self.reports += 1;
        self.denials += 1;
        if self.denials <= MAX_DENIALS {
            let message = denial(code, &field.parent, &field.name);
            let error = FieldError::new(code, message, Some(path.segments()));
            self.errors.push(error.with("reason", authorization::REASON));
        }
        if !field.shape.nullable {
            return Err(Nulled);
        }
        self.out.put_slice(b"null");
        Ok(())
    }

    fn list(&mut self, field: &Field, shape: &Shape, items: &[Item], path: &Path<'_>) -> Result<(), Nulled> {
        self.out.put_u8(b'[');
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.out.put_u8(b',');
            }
            self.item(field, shape, item, &Path::Index(path, index))?;
        }
        self.out.put_u8(b']');
        Ok(())
    }

    fn named(&mut self, field: &Field, item: &Item, path: &Path<'_>) -> Result<(), Nulled> {
        match (&field.content, item) {
            (Content::Scalar(Leaf::Any) | Content::Denied(_), _) => {
                self.data.write(item, self.out);
                Ok(())
            }
            (Content::Scalar(leaf), Item::Leaf(value)) if leaf.write(value, self.out) => Ok(()),
            (Content::Scalar(leaf), _) => self.wrong(field, path, leaf.expected()),
            (Content::Typename, _) => unreachable!("a name is written by its object"),
            (Content::Enum(name, values), _) => match item.as_str() {
                Some(text) if values.contains(text) => {
                    write_string(text, self.out);
                    Ok(())
                }
                _ => self.wrong(field, path, &format!("a value of the enum `{name}`")),
            },
            (Content::Composite(selection), Item::Object(id)) => self.shared(selection, *id, path),
            (Content::Composite(_), _) => self.wrong(field, path, "an object"),
        }
    }

    /// An object that may have been written before. One with errors is written anew, since each place has its own.
    fn shared(&mut self, selection: &Arc<Selection>, id: NodeId, path: &Path<'_>) -> Result<(), Nulled> {
        let id = self.data.resolve(id);
        let node = self.data.node(id);
        if !node.is_shared {
            return self.composite(selection, node, path);
        }
        let key = (id, Arc::as_ptr(selection).addr());
        if let Some(written) = self.written.get(&key) {
            self.out.extend_from_within(written.clone());
            return Ok(());
        }
        let before = (self.out.len(), self.reports, self.errors.len());
        self.composite(selection, node, path)?;
        if (self.reports, self.errors.len()) == (before.1, before.2) {
            self.written.insert(key, before.0..self.out.len());
        }
        Ok(())
    }

    /// Takes back what was written from a position on.
    fn forget_from(&mut self, start: usize) {
        if self.out.len() > start {
            self.out.truncate(start);
            self.written.retain(|_, range| range.end <= start);
        }
    }

    /// An object by its type; one of a type that is not part of the API is none.
    fn composite(&mut self, selection: &Selection, object: &Node, path: &Path<'_>) -> Result<(), Nulled> {
        match selection {
            Selection::One(name, fields) => self.object(fields, name, object, path),
            Selection::ByType { variants, of, declared } => {
                let name = object.type_name().unwrap_or(declared);
                if let Some((name, variant)) = of.get_key_value(name) {
                    let asks = |field: &Field| {
                        matches!(field.content, Content::Typename) && holds(field.when.as_ref(), self.flags)
                    };
                    if name == declared && variants[*variant].iter().any(asks) {
                        if !object.is_missing {
                            self.report(path, || format!("the type of this `{declared}` is not known"));
                        }
                        return Err(Nulled);
                    }
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

    /// Adds an error, unless a subgraph's error tells already why there is nothing here.
    fn report(&mut self, path: &Path<'_>, message: impl FnOnce() -> String) {
        self.reports += 1;
        let path = path.segments();
        if self.errors[..self.reported].iter().any(|error| error.explains(&path)) {
            return;
        }
        self.errors.push(FieldError::new(ErrorCode::Internal, message(), Some(path)));
    }
}
