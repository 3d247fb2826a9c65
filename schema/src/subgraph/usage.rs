//! Which fields the field sets and interfaces of a subgraph rest on.

use std::collections::BTreeSet;

use super::{
    Kind, Subgraph, base_name,
    field_set::{self, Step},
    spec::Fed,
};

type Coordinates = BTreeSet<(String, String)>;

/// Fills `key_fields` and `used_fields`. Field sets that are wrong count as far as they are right;
/// the rules report the rest.
pub(super) fn collect(subgraph: &mut Subgraph) {
    let mut keys = Coordinates::new();
    let mut used = Coordinates::new();
    for ty in subgraph.types.values() {
        for key in ty.keys() {
            select(subgraph, &ty.name, key.fields(), &mut keys);
        }
        for field in ty.fields.values() {
            for directive in &field.directives {
                match directive.fed {
                    Some(Fed::Requires) => select(subgraph, &ty.name, directive.fields(), &mut used),
                    Some(Fed::Provides) => {
                        select(subgraph, base_name(&field.ty), directive.fields(), &mut used);
                    }
                    _ => {}
                }
            }
        }
        if ty.kind == Kind::Interface {
            let implementations = subgraph.implementations(&ty.name);
            used.extend(
                implementations
                    .flat_map(|object| ty.fields.keys().map(|field| (object.name.clone(), field.clone()))),
            );
        }
    }
    used.extend(keys.iter().cloned());
    subgraph.key_fields = keys;
    subgraph.used_fields = used;
}

fn select(subgraph: &Subgraph, on: &str, fields: Option<&str>, into: &mut Coordinates) {
    let Some(selections) = fields.and_then(|fields| field_set::parse(fields).ok()) else { return };
    field_set::walk(subgraph, on, &selections, &mut |step| {
        if let Step::Field { parent, field } = step {
            into.insert((parent.name.clone(), field.name.clone()));
            into.extend(
                subgraph
                    .implementations(&parent.name)
                    .map(|object| (object.name.clone(), field.name.clone())),
            );
        }
    });
}
