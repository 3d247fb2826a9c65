//! Fields of objects and interfaces.

use async_graphql_parser::types::{BaseType, Type};

use super::{ChangeCode, Diff, inputs::Owner, pair};
use crate::subgraph::{Field, TypeDef};

impl Diff<'_> {
    pub(super) fn fields(&mut self, old: &TypeDef, new: &TypeDef) {
        for (name, had, has) in pair(&old.fields, &new.fields) {
            let coordinate = format!("{}.{name}", old.name);
            match (had, has) {
                (Some(_), None) => {
                    self.push(ChangeCode::FieldRemoved, &coordinate, "field is gone", &[&coordinate]);
                }
                (None, Some(field)) => {
                    self.push(
                        ChangeCode::FieldAdded,
                        &coordinate,
                        format!("field of type {} is new", field.ty),
                        &[],
                    );
                }
                (Some(had), Some(has)) => self.field(&coordinate, had, has),
                (None, None) => {}
            }
        }
    }

    fn field(&mut self, coordinate: &str, old: &Field, new: &Field) {
        self.description(coordinate, old.description.as_deref(), new.description.as_deref());
        self.deprecation(coordinate, &old.directives, &new.directives);
        self.guards(coordinate, &old.directives, &new.directives);
        let message = format!("was {}, is {}", old.ty, new.ty);
        match difference(&old.ty, &new.ty) {
            Difference::None => {}
            Difference::Looser => {
                self.push(ChangeCode::FieldBecameNullable, coordinate, message, &[coordinate]);
            }
            Difference::Stricter => self.push(ChangeCode::FieldBecameNonNull, coordinate, message, &[]),
            Difference::Other => {
                self.push(ChangeCode::FieldTypeChanged, coordinate, message, &[coordinate]);
            }
        }
        let owner = Owner::Arguments(coordinate);
        self.inputs_of(owner, &old.args, &new.args);
    }
}

/// How one type differs from another.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Difference {
    None,
    /// Only in that some place may not be null any more.
    Stricter,
    /// In that some place may be null, whatever else.
    Looser,
    Other,
}

pub(super) fn difference(old: &Type, new: &Type) -> Difference {
    let inner = match (&old.base, &new.base) {
        (BaseType::List(old), BaseType::List(new)) => difference(old, new),
        (BaseType::Named(old), BaseType::Named(new)) if old == new => Difference::None,
        _ => Difference::Other,
    };
    let own = match (old.nullable, new.nullable) {
        (true, false) => Difference::Stricter,
        (false, true) => Difference::Looser,
        _ => Difference::None,
    };
    match (inner, own) {
        (Difference::Other, _) => Difference::Other,
        (Difference::Looser, _) | (_, Difference::Looser) => Difference::Looser,
        (Difference::Stricter, _) | (_, Difference::Stricter) => Difference::Stricter,
        _ => Difference::None,
    }
}
