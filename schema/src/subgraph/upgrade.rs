//! Brings shorthand and Federation 1 into the one form that the rules and the merge know.

use std::collections::BTreeSet;

use async_graphql_parser::Pos;

use super::{Directive, Kind, Subgraph, TypeDef, field_set, spec::Fed};

/// `@shareable` and `@external` on a type mean each field of that definition.
pub(super) fn fold_type_level_directives(ty: &mut TypeDef) {
    for fed in [Fed::Shareable, Fed::External] {
        let Some(directive) = super::all(&ty.directives, fed).next().cloned() else { continue };
        for field in ty.fields.values_mut().filter(|field| !field.has(fed)) {
            field.directives.push(directive.clone());
        }
    }
}

/// On an extension, `@external` key fields are the subgraph's own. Federation 1 has no `@shareable`,
/// so every field may be defined by several, and it lets `@external` fields go unused.
pub(super) fn upgrade(subgraph: &mut Subgraph) {
    let federation_1 = subgraph.links.federation.is_none();
    for ty in subgraph.types.values_mut().filter(|ty| ty.kind == Kind::Object) {
        if ty.extension {
            own_key_fields(ty);
        }
        if federation_1 && !ty.is_root() {
            ty.fields
                .values_mut()
                .for_each(|field| field.directives.push(implied(Fed::Shareable, field.pos)));
        }
    }
}

fn own_key_fields(ty: &mut TypeDef) {
    let keys: BTreeSet<String> = ty
        .keys()
        .filter_map(|key| field_set::parse(key.fields()?).ok())
        .flatten()
        .filter_map(|selection| match selection {
            field_set::Selection::Field(field) => Some(field.name),
            field_set::Selection::Fragment { .. } => None,
        })
        .collect();
    for field in ty.fields.values_mut().filter(|field| keys.contains(&field.name)) {
        field.directives.retain(|directive| directive.fed != Some(Fed::External));
    }
}

fn implied(fed: Fed, pos: Pos) -> Directive {
    Directive { name: fed.name().to_owned(), fed: Some(fed), args: Vec::new(), pos }
}
