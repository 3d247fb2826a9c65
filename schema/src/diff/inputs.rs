//! Arguments of fields and directives, and fields of input objects.

use std::collections::BTreeMap;

use super::{
    ChangeCode, Diff,
    fields::{Difference, difference},
    pair,
};
use crate::subgraph::{Field, TypeDef};

/// Whose inputs are compared: a field or directive, or an input object.
#[derive(Clone, Copy)]
pub(super) enum Owner<'a> {
    Arguments(&'a str),
    InputObject(&'a str),
}

/// The codes for arguments, or those for input fields.
struct Codes {
    added: ChangeCode,
    required_added: ChangeCode,
    removed: ChangeCode,
    type_changed: ChangeCode,
    became_required: ChangeCode,
    became_non_null: ChangeCode,
    became_nullable: ChangeCode,
    default_added: ChangeCode,
    default_changed: ChangeCode,
    default_removed: ChangeCode,
}

const ARGUMENT: Codes = Codes {
    added: ChangeCode::ArgumentAdded,
    required_added: ChangeCode::RequiredArgumentAdded,
    removed: ChangeCode::ArgumentRemoved,
    type_changed: ChangeCode::ArgumentTypeChanged,
    became_required: ChangeCode::ArgumentBecameRequired,
    became_non_null: ChangeCode::ArgumentBecameNonNull,
    became_nullable: ChangeCode::ArgumentBecameNullable,
    default_added: ChangeCode::ArgumentDefaultAdded,
    default_changed: ChangeCode::ArgumentDefaultChanged,
    default_removed: ChangeCode::ArgumentDefaultRemoved,
};

const INPUT_FIELD: Codes = Codes {
    added: ChangeCode::InputFieldAdded,
    required_added: ChangeCode::RequiredInputFieldAdded,
    removed: ChangeCode::InputFieldRemoved,
    type_changed: ChangeCode::InputFieldTypeChanged,
    became_required: ChangeCode::InputFieldBecameRequired,
    became_non_null: ChangeCode::InputFieldBecameNonNull,
    became_nullable: ChangeCode::InputFieldBecameNullable,
    default_added: ChangeCode::InputFieldDefaultAdded,
    default_changed: ChangeCode::InputFieldDefaultChanged,
    default_removed: ChangeCode::InputFieldDefaultRemoved,
};

impl<'a> Owner<'a> {
    /// Whoever uses this notices what must be given, or what stands for what is not given.
    const fn coordinate(self) -> &'a str {
        match self {
            Self::Arguments(coordinate) | Self::InputObject(coordinate) => coordinate,
        }
    }

    fn coordinate_of(self, name: &str) -> String {
        match self {
            Self::Arguments(owner) => format!("{owner}({name}:)"),
            Self::InputObject(owner) => format!("{owner}.{name}"),
        }
    }

    const fn codes(self) -> &'static Codes {
        match self {
            Self::Arguments(_) => &ARGUMENT,
            Self::InputObject(_) => &INPUT_FIELD,
        }
    }
}

impl Diff<'_> {
    pub(super) fn input_fields(&mut self, old: &TypeDef, new: &TypeDef) {
        let is_one_of = |ty: &TypeDef| ty.directives.iter().any(|directive| directive.name == "oneOf");
        match (is_one_of(old), is_one_of(new)) {
            (false, true) => {
                let message = "exactly one of the fields must be given";
                self.push(ChangeCode::OneOfAdded, &old.name, message, &[&old.name]);
            }
            (true, false) => {
                self.push(ChangeCode::OneOfRemoved, &old.name, "several fields may be given", &[]);
            }
            _ => {}
        }
        self.inputs_of(Owner::InputObject(&old.name), &old.fields, &new.fields);
    }

    pub(super) fn inputs_of(
        &mut self,
        owner: Owner<'_>,
        old: &BTreeMap<String, Field>,
        new: &BTreeMap<String, Field>,
    ) {
        let codes = owner.codes();
        for (name, had, has) in pair(old, new) {
            let coordinate = owner.coordinate_of(name);
            match (had, has) {
                (Some(_), None) => self.push(codes.removed, &coordinate, "is gone", &[&coordinate]),
                (None, Some(input)) if input.is_required() => {
                    let message = format!("is new, of type {}, and must be given", input.ty);
                    self.push(codes.required_added, &coordinate, message, &[owner.coordinate()]);
                }
                (None, Some(input)) => {
                    self.push(codes.added, &coordinate, format!("of type {} is new", input.ty), &[]);
                }
                (Some(had), Some(has)) => self.input(owner, &coordinate, had, has),
                (None, None) => {}
            }
        }
    }

    fn input(&mut self, owner: Owner<'_>, coordinate: &str, old: &Field, new: &Field) {
        let codes = owner.codes();
        self.description(coordinate, old.description.as_deref(), new.description.as_deref());
        self.deprecation(coordinate, &old.directives, &new.directives);
        let message = format!("was {}, is {}", old.ty, new.ty);
        let is_newly_required = !old.is_required() && new.is_required();
        match difference(&old.ty, &new.ty) {
            Difference::Other => self.push(codes.type_changed, coordinate, message, &[coordinate]),
            _ if is_newly_required => {
                let message = format!("{message}, and must be given");
                self.push(codes.became_required, coordinate, message, &[owner.coordinate()]);
                return;
            }
            // Stricter inside, looser outside or the other way round: what is stricter decides.
            Difference::Looser if is_stricter_somewhere(old, new) => {
                self.push(codes.type_changed, coordinate, message, &[coordinate]);
            }
            Difference::Looser => self.push(codes.became_nullable, coordinate, message, &[]),
            Difference::Stricter => self.push(codes.became_non_null, coordinate, message, &[coordinate]),
            Difference::None => {}
        }
        let (code, message) = match (&old.default, &new.default) {
            (None, Some(new)) => (codes.default_added, format!("default is {new}, was none")),
            (Some(old), None) => (codes.default_removed, format!("default was {old}, is none")),
            (Some(old), Some(new)) if old != new => {
                (codes.default_changed, format!("default was {old}, is {new}"))
            }
            _ => return,
        };
        self.push(code, coordinate, message, &[owner.coordinate()]);
    }
}

fn is_stricter_somewhere(old: &Field, new: &Field) -> bool {
    // Turned around, what became stricter has become looser.
    matches!(difference(&new.ty, &old.ty), Difference::Looser)
}
