//! What has changed between two schemas, as clients see them.

mod change;
mod directives;
mod fields;
mod guards;
mod inputs;
mod types;
mod verdict;

use std::collections::BTreeSet;

pub(crate) use self::directives::deprecation;
pub use self::{
    change::{Change, ChangeCode, Criticality},
    verdict::{Verdict, verdicts},
};
use crate::{
    api::ApiSchema,
    subgraph::{Kind, Subgraph, base_name},
};

/// The differences between two schemas, the gravest first, and by coordinate among equals.
pub fn diff(old: &ApiSchema, new: &ApiSchema) -> Vec<Change> {
    let mut diff = Diff {
        old: &old.schema,
        new: &new.schema,
        inputs: BTreeSet::new(),
        outputs: BTreeSet::new(),
        changes: Vec::new(),
    };
    diff.collect_use();
    diff.types();
    diff.directives();
    diff.changes.sort_by(|a, b| {
        (a.criticality, &a.coordinate, a.code, &a.message).cmp(&(
            b.criticality,
            &b.coordinate,
            b.code,
            &b.message,
        ))
    });
    diff.changes
}

/// The comparison under way.
struct Diff<'a> {
    old: &'a Subgraph,
    new: &'a Subgraph,
    /// Types that are given, and types that are returned, in either schema.
    inputs: BTreeSet<&'a str>,
    outputs: BTreeSet<&'a str>,
    changes: Vec<Change>,
}

impl Diff<'_> {
    fn collect_use(&mut self) {
        for schema in [self.old, self.new] {
            for ty in schema.types.values() {
                for field in ty.fields.values() {
                    let into =
                        if ty.kind == Kind::InputObject { &mut self.inputs } else { &mut self.outputs };
                    into.insert(base_name(&field.ty));
                    self.inputs.extend(field.args.values().map(|argument| base_name(&argument.ty)));
                }
            }
            let arguments = schema.directives.values().flat_map(|directive| directive.args.values());
            self.inputs.extend(arguments.map(|argument| base_name(&argument.ty)));
        }
    }

    fn push(&mut self, code: ChangeCode, coordinate: &str, message: impl Into<String>, noticed_by: &[&str]) {
        self.changes.push(Change {
            code,
            criticality: code.criticality(),
            coordinate: coordinate.to_owned(),
            message: message.into(),
            noticed_by: noticed_by.iter().map(|coordinate| (*coordinate).to_owned()).collect(),
        });
    }
}

/// What both have, and what only one of them has, by name.
fn pair<'a, T>(
    old: &'a std::collections::BTreeMap<String, T>,
    new: &'a std::collections::BTreeMap<String, T>,
) -> Vec<(&'a String, Option<&'a T>, Option<&'a T>)> {
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    names.into_iter().map(|name| (name, old.get(name), new.get(name))).collect()
}
