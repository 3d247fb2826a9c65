//! Federation directives and interfaces.

use std::collections::BTreeSet;

use super::Report;
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    subgraph::{Directive, Kind, Subgraph, field_set, spec::Fed},
};

/// What only a resolver can have, an interface's field has not.
const NOT_ON_INTERFACES: [(Fed, Code); 5] = [
    (Fed::External, Code::ExternalOnInterface),
    (Fed::Override, Code::OverrideOnInterface),
    (Fed::Provides, Code::ProvidesOnInterface),
    (Fed::Requires, Code::RequiresOnInterface),
    (Fed::Shareable, Code::InvalidShareableUsage),
];

pub(super) fn federation_directives_suit_interfaces(subgraph: &Subgraph, report: &mut Report) {
    for ty in subgraph.types.values().filter(|ty| ty.kind == Kind::Interface) {
        for field in ty.fields.values() {
            for (fed, code) in NOT_ON_INTERFACES {
                let Some(directive) = field.get(fed) else { continue };
                let message = format!("@{} has no meaning on a field of an interface", fed.name());
                report.push(
                    Diagnostic::error(code, format!("{}.{}", ty.name, field.name), message)
                        .at(subgraph, directive.pos)
                        .help("apply it to the field of the implementations"),
                );
            }
        }
        if let (Some(key), Some(..3)) = (ty.keys().next(), subgraph.links.federation) {
            let message = "keys on interfaces are available from federation v2.3";
            report.push(
                Diagnostic::error(Code::KeyUnsupportedOnInterface, &ty.name, message)
                    .at(subgraph, key.pos)
                    .help("link federation v2.3 or later"),
            );
        }
    }
}

pub(super) fn keys_of_interfaces_are_on_implementations(subgraph: &Subgraph, report: &mut Report) {
    if subgraph.links.federation.is_none() {
        return;
    }
    for interface in subgraph.types.values().filter(|ty| ty.kind == Kind::Interface) {
        for key in interface.keys() {
            let Some(fields) = key.fields() else { continue };
            let wanted = comparable(fields);
            let has_key = |key: &Directive| key.fields().is_some_and(|fields| comparable(fields) == wanted);
            for object in
                subgraph.implementations(&interface.name).filter(|object| !object.keys().any(has_key))
            {
                let message = format!("implements {}, but lacks its {}", interface.name, key.print());
                report.push(
                    Diagnostic::error(Code::InterfaceKeyNotOnImplementation, &object.name, message)
                        .at(subgraph, object.pos)
                        .help(format!("add {} to {}", key.print(), object.name)),
                );
            }
        }
    }
}

/// A key, whatever the order of its top-level fields.
fn comparable(fields: &str) -> BTreeSet<String> {
    let selections = field_set::parse(fields).unwrap_or_default();
    selections.iter().map(|selection| field_set::print(std::slice::from_ref(selection))).collect()
}
