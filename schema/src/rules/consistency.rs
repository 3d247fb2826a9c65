//! What composes, but not alike in all subgraphs: hints.

use std::collections::{BTreeMap, BTreeSet};

use super::Report;
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    subgraph::{Kind, Subgraph, TypeDef, spec::Fed},
};

type Definition<'a> = (&'a Subgraph, &'a TypeDef);

/// The types of one kind that several subgraphs define, with their definitions.
fn shared(subgraphs: &[Subgraph], kind: Kind) -> impl Iterator<Item = (&str, Vec<Definition<'_>>)> {
    let mut types: BTreeMap<&str, Vec<Definition<'_>>> = BTreeMap::new();
    for subgraph in subgraphs {
        for ty in subgraph.types.values().filter(|ty| !ty.is_root()) {
            types.entry(&ty.name).or_default().push((subgraph, ty));
        }
    }
    types.into_iter().filter(move |(_, definitions)| {
        definitions.len() > 1
            && definitions.iter().all(|(_, ty)| ty.kind == kind && !ty.has(Fed::InterfaceObject))
    })
}

fn names(definitions: &[Definition<'_>]) -> String {
    definitions.iter().map(|(subgraph, _)| subgraph.name.as_str()).collect::<Vec<_>>().join(", ")
}

pub(super) fn entities_have_keys_everywhere(subgraphs: &[Subgraph], report: &mut Report) {
    for (name, definitions) in shared(subgraphs, Kind::Object) {
        let (entities, values): (Vec<Definition<'_>>, Vec<_>) =
            definitions.into_iter().partition(|(_, ty)| ty.keys().next().is_some());
        if entities.is_empty() || values.is_empty() {
            continue;
        }
        let message = format!("type has a @key in {}, but none in {}", names(&entities), names(&values));
        let hint = values
            .iter()
            .fold(Diagnostic::hint(Code::InconsistentEntity, name, message), |hint, (subgraph, ty)| {
                hint.at(subgraph, ty.pos)
            });
        report.push(hint.help(format!("give it a @key in {} too, if it is an entity there", names(&values))));
    }
}

pub(super) fn value_types_have_the_same_fields(subgraphs: &[Subgraph], report: &mut Report) {
    let kinds =
        [(Kind::Object, Code::InconsistentObjectField), (Kind::Interface, Code::InconsistentInterfaceField)];
    for (kind, code) in kinds {
        for (name, definitions) in shared(subgraphs, kind) {
            if definitions.iter().any(|(_, ty)| ty.keys().next().is_some()) {
                continue;
            }
            let fields: BTreeSet<&String> = definitions.iter().flat_map(|(_, ty)| ty.fields.keys()).collect();
            for field in fields {
                let has = |ty: &TypeDef| ty.fields.contains_key(field);
                absent(&definitions, (code, &format!("{name}.{field}"), "field"), &has, report);
            }
        }
    }
}

pub(super) fn unions_have_the_same_members(subgraphs: &[Subgraph], report: &mut Report) {
    for (name, definitions) in shared(subgraphs, Kind::Union) {
        let members: BTreeSet<&String> = definitions.iter().flat_map(|(_, ty)| ty.members.keys()).collect();
        for member in members {
            let has = |ty: &TypeDef| ty.members.contains_key(member);
            let what = format!("member {member}");
            absent(&definitions, (Code::InconsistentUnionMember, name, &what), &has, report);
        }
    }
}

fn absent(
    definitions: &[Definition<'_>],
    (code, coordinate, what): (Code, &str, &str),
    has: &dyn Fn(&TypeDef) -> bool,
    report: &mut Report,
) {
    let absent: Vec<Definition<'_>> = definitions.iter().copied().filter(|(_, ty)| !has(ty)).collect();
    if absent.is_empty() {
        return;
    }
    let message = format!("{what} is in the supergraph, though {} does not have it", names(&absent));
    let hint = absent
        .iter()
        .fold(Diagnostic::hint(code, coordinate, message), |hint, (subgraph, ty)| hint.at(subgraph, ty.pos));
    report.push(hint.help(format!("add it to {} if that subgraph can answer with it", names(&absent))));
}
