//! `@interfaceObject`: an interface of other subgraphs, seen as if it were one type.

use std::collections::BTreeSet;

use async_graphql_value::ConstValue;

use super::Report;
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    subgraph::{Kind, Subgraph, TypeDef, spec::Fed},
};

fn interface_objects(subgraph: &Subgraph) -> impl Iterator<Item = &TypeDef> {
    subgraph.types.values().filter(|ty| ty.has(Fed::InterfaceObject))
}

fn usage_error(subgraph: &Subgraph, ty: &TypeDef, message: String, help: String) -> Diagnostic {
    Diagnostic::error(Code::InterfaceObjectUsageError, &ty.name, message).at(subgraph, ty.pos).help(help)
}

fn implements(subgraph: &Subgraph, interface: &str) -> impl Iterator<Item = String> {
    let objects = subgraph.types.values().filter(move |ty| ty.kind == Kind::Object);
    let names: Vec<_> =
        objects.filter(|ty| ty.implements.contains_key(interface)).map(|ty| ty.name.clone()).collect();
    names.into_iter()
}

pub(super) fn interface_objects_have_keys(subgraph: &Subgraph, report: &mut Report) {
    for ty in interface_objects(subgraph).filter(|ty| ty.keys().next().is_none()) {
        let message = "@interfaceObject without a @key".to_owned();
        report.push(usage_error(subgraph, ty, message, "give it the @key of the interface".to_owned()));
    }
}

pub(super) fn interface_objects_have_an_interface(subgraphs: &[Subgraph], report: &mut Report) {
    for subgraph in subgraphs {
        for ty in interface_objects(subgraph) {
            let is_interface =
                |other: &Subgraph| other.types.get(&ty.name).is_some_and(|ty| ty.kind == Kind::Interface);
            if !subgraphs.iter().any(is_interface) {
                let message =
                    format!("@interfaceObject, but no other subgraph defines an interface {}", ty.name);
                let help = "define the interface in the subgraph that knows its implementations, or remove @interfaceObject";
                report.push(usage_error(subgraph, ty, message, help.to_owned()));
            }
        }
    }
}

/// A subgraph that takes an interface for one type must not know its implementations.
pub(super) fn interface_objects_stand_alone(subgraphs: &[Subgraph], report: &mut Report) {
    for subgraph in subgraphs {
        for ty in interface_objects(subgraph) {
            let implementations: BTreeSet<_> =
                subgraphs.iter().flat_map(|other| implements(other, &ty.name)).collect();
            if let Some(known) = implementations.iter().find(|name| subgraph.types.contains_key(*name)) {
                let message = format!(
                    "@interfaceObject, but this subgraph also defines {known}, which implements {}",
                    ty.name
                );
                let help = format!(
                    "move the fields of {known} to {}, or make {} an interface here too",
                    ty.name, ty.name
                );
                report.push(usage_error(subgraph, ty, message, help));
            }
        }
    }
}

/// Whoever resolves an interface by its key must know what it can turn out to be.
pub(super) fn key_subgraphs_know_all_implementations(subgraphs: &[Subgraph], report: &mut Report) {
    let mut used: BTreeSet<&str> = BTreeSet::new();
    for subgraph in subgraphs {
        used.extend(interface_objects(subgraph).map(|ty| ty.name.as_str()));
    }
    for name in used {
        let all: BTreeSet<String> =
            subgraphs.iter().flat_map(|subgraph| implements(subgraph, name)).collect();
        for subgraph in subgraphs {
            let Some(ty) = subgraph.types.get(name).filter(|ty| ty.kind == Kind::Interface) else { continue };
            let is_resolvable =
                ty.keys().any(|key| key.arg("resolvable") != Some(&ConstValue::Boolean(false)));
            let known: BTreeSet<String> = implements(subgraph, name).collect();
            if let Some(missing) = all.difference(&known).next().filter(|_| is_resolvable) {
                let message = format!(
                    "interface has a @key here, but this subgraph does not define its implementation {missing}"
                );
                report.push(
                    Diagnostic::error(Code::InterfaceKeyMissingImplementation, name, message)
                        .at(subgraph, ty.pos)
                        .help(format!(
                            "define {missing} here with the same @key, or remove the @key from the interface"
                        )),
                );
            }
        }
    }
}
