//! `@interfaceObject`: fields that one subgraph adds to all implementations of an interface at once.

use std::collections::BTreeMap;

use crate::{
    subgraph::{Kind, Subgraph, spec::Fed},
    supergraph::{OutField, OutType},
};

/// Gives each implementation the fields that it owes to an `@interfaceObject`, marked by a
/// `@join__field` without a graph.
pub(super) fn add_implied_fields(subgraphs: &[Subgraph], types: &mut BTreeMap<String, OutType>) {
    let mut implied: Vec<(String, String, OutField)> = Vec::new();
    for interface in types.values().filter(|ty| ty.kind == Kind::Interface) {
        let parts = || {
            subgraphs
                .iter()
                .filter_map(|subgraph| subgraph.types.get(&interface.name))
                .filter(|ty| ty.has(Fed::InterfaceObject))
        };
        let fields =
            interface.fields.iter().filter(|(name, _)| parts().any(|part| part.fields.contains_key(*name)));
        for (name, field) in fields {
            let is_implementation = |ty: &&OutType| {
                ty.kind == Kind::Object
                    && ty.implements.contains(&interface.name)
                    && !ty.fields.contains_key(name)
            };
            for object in types.values().filter(is_implementation) {
                let mut field = field.clone();
                field.directives.retain(|directive| !directive.starts_with("@join__"));
                field.directives.insert(0, "@join__field".to_owned());
                implied.push((object.name.clone(), name.clone(), field));
            }
        }
    }
    for (object, name, field) in implied {
        if let Some(object) = types.get_mut(&object) {
            object.fields.entry(name).or_insert(field);
        }
    }
}
