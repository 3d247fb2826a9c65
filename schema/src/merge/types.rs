//! How the types of one field in several subgraphs become one.

use async_graphql_parser::types::{BaseType, Type};

use super::Facts;

impl Facts<'_> {
    /// The narrowest type that covers both outputs: nullable wins, the interface or union wins.
    pub(super) fn covering(&self, a: &Type, b: &Type) -> Option<Type> {
        let base = match (&a.base, &b.base) {
            (BaseType::List(a), BaseType::List(b)) => BaseType::List(Box::new(self.covering(a, b)?)),
            (BaseType::Named(a), BaseType::Named(b)) if self.is_subtype(b, a) => BaseType::Named(a.clone()),
            (BaseType::Named(a), BaseType::Named(b)) if self.is_subtype(a, b) => BaseType::Named(b.clone()),
            _ => return None,
        };
        Some(Type { base, nullable: a.nullable || b.nullable })
    }

    /// Whether a value of one output type can stand where the other is promised.
    pub(super) fn fits(&self, sub: &Type, of: &Type) -> bool {
        self.covering(sub, of).as_ref() == Some(of)
    }
}

/// The widest input type that both accept: non-null wins, names must be equal.
pub(super) fn accepted(a: &Type, b: &Type) -> Option<Type> {
    let base = match (&a.base, &b.base) {
        (BaseType::List(a), BaseType::List(b)) => BaseType::List(Box::new(accepted(a, b)?)),
        (BaseType::Named(a), BaseType::Named(b)) if a == b => BaseType::Named(a.clone()),
        _ => return None,
    };
    Some(Type { base, nullable: a.nullable && b.nullable })
}
