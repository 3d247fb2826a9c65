//! Where an operation asks for what is denied, for a refusal that lists it.

use std::sync::Arc;

use super::{REASON, denial};
use crate::engine::ErrorCode;
use crate::engine::selection::{CompiledSelection, Content, Field, Selection, holds};
use crate::value::{Object, Value};

/// How many fields are listed, and how many are looked at for that.
const MAX_LISTED: usize = 100;
const MAX_VISITED: usize = 100_000;

/// A field of an operation that is denied to its caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeniedField {
    /// The response keys that lead to it.
    pub path: Vec<String>,
    /// Whether signing in might help.
    pub code: ErrorCode,
    /// The same for people.
    pub message: String,
}

impl DeniedField {
    /// The reason that goes with the code.
    pub const REASON: &'static str = REASON;
}

/// The denied fields that these variables do not leave out.
pub(in crate::engine) fn denied_fields(
    selection: &CompiledSelection,
    variables: &Object,
) -> Vec<DeniedField> {
    let flag = |name: &Arc<str>| variables.get(name).and_then(Value::as_bool).unwrap_or_default();
    let flags = selection.flags.iter().map(flag).collect();
    let mut walk = Walk { flags, path: Vec::new(), visited: 0, found: Vec::new() };
    walk.selection(&selection.root);
    walk.found
}

struct Walk {
    flags: Vec<bool>,
    path: Vec<String>,
    visited: usize,
    found: Vec<DeniedField>,
}

impl Walk {
    fn selection(&mut self, selection: &Selection) {
        match selection {
            Selection::One(_, fields) => self.fields(fields),
            Selection::ByType { variants, .. } => variants.iter().for_each(|fields| self.fields(fields)),
        }
    }

    fn fields(&mut self, fields: &[Field]) {
        for field in fields {
            self.visited += 1;
            if self.visited > MAX_VISITED || self.found.len() == MAX_LISTED {
                return;
            }
            if !holds(field.when.as_ref(), &self.flags) {
                continue;
            }
            self.path.push(field.key.to_string());
            match &field.content {
                Content::Denied(code) if self.found.iter().all(|known| known.path != self.path) => {
                    let message = denial(*code, &field.parent, &field.name);
                    self.found.push(DeniedField { path: self.path.clone(), code: *code, message });
                }
                Content::Composite(selection) => self.selection(selection),
                _ => {}
            }
            self.path.pop();
        }
    }
}
