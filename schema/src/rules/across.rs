//! What the merged types must still be.

use std::collections::BTreeSet;

use async_graphql_parser::types::{BaseType, Type};

use super::Report;
use crate::{
    code::Code,
    subgraph::Kind,
    supergraph::{OutType, Supergraph},
};

pub(super) fn implementations_have_all_fields(supergraph: &Supergraph, report: &mut Report) {
    for ty in supergraph.types.values() {
        let interfaces = ty.implements.iter().filter_map(|name| supergraph.types.get(name));
        for interface in interfaces.filter(|interface| interface.kind == Kind::Interface) {
            check_implementation(supergraph, ty, interface, report);
        }
    }
}

fn check_implementation(supergraph: &Supergraph, ty: &OutType, interface: &OutType, report: &mut Report) {
    for (name, promised) in &interface.fields {
        let coordinate = format!("{}.{name}", ty.name);
        let Some(field) = ty.fields.get(name) else {
            let subgraphs: BTreeSet<_> =
                promised.places.iter().map(|place| place.subgraph.as_str()).collect();
            let subgraphs = subgraphs.into_iter().collect::<Vec<_>>().join(", ");
            let message = format!(
                "{} has this field in {subgraphs}, but {} implements it nowhere",
                interface.name, ty.name
            );
            let mut error = ty.error(Code::InterfaceFieldNoImplem, message);
            error.coordinate = coordinate;
            report.push(error.help(format!(
                "add {name} to {} in one of the subgraphs, or remove it from the interface",
                ty.name
            )));
            continue;
        };
        if !fits(supergraph, &field.ty, &promised.ty) {
            let message = format!(
                "field is {} after the merge, but interface {} promises {}",
                field.ty, interface.name, promised.ty
            );
            report.push(
                field
                    .error(Code::FieldTypeMismatch, &coordinate, message)
                    .help(format!("make the field of {} at least as wide", interface.name)),
            );
        }
        let extra = field.args.iter().find(|(argument, own)| {
            own.default.is_none() && !own.ty.nullable && !promised.args.contains_key(*argument)
        });
        let missing = promised.args.keys().find(|argument| !field.args.contains_key(*argument));
        if let Some(argument) = extra.map(|(argument, _)| argument).or(missing) {
            let message = format!(
                "argument {argument} differs from that of interface {} after the merge",
                interface.name
            );
            report.push(
                field
                    .error(Code::FieldArgumentTypeMismatch, &coordinate, message)
                    .help("give the field the same arguments in every subgraph"),
            );
        }
    }
}

fn fits(supergraph: &Supergraph, sub: &Type, of: &Type) -> bool {
    if sub.nullable && !of.nullable {
        return false;
    }
    match (&sub.base, &of.base) {
        (BaseType::List(sub), BaseType::List(of)) => fits(supergraph, sub, of),
        (BaseType::Named(sub), BaseType::Named(of)) => {
            let implements =
                || supergraph.types.get(sub.as_str()).is_some_and(|ty| ty.implements.contains(of.as_str()));
            let is_member =
                || supergraph.types.get(of.as_str()).is_some_and(|ty| ty.members.contains(sub.as_str()));
            sub == of || implements() || is_member()
        }
        _ => false,
    }
}

/// An input type that must contain itself could never be given.
pub(super) fn inputs_can_be_given(supergraph: &Supergraph, report: &mut Report) {
    for ty in supergraph.types.values().filter(|ty| ty.kind == Kind::InputObject) {
        let mut seen = BTreeSet::new();
        let mut next = vec![ty];
        while let Some(inner) = next.pop() {
            let required =
                inner.fields.values().filter(|field| !field.ty.nullable && field.default.is_none());
            for field in required {
                let BaseType::Named(name) = &field.ty.base else { continue };
                let Some(target) = supergraph.types.get(name.as_str()) else { continue };
                if target.kind == Kind::InputObject && seen.insert(&target.name) {
                    next.push(target);
                }
            }
        }
        if seen.contains(&ty.name) {
            report.push(
                ty.error(
                    Code::InvalidGraphql,
                    "every value of the input type must contain another one, without end",
                )
                .help("make one of the fields on the way nullable, or a list"),
            );
        }
    }
}

/// Types whose fields were all left out, and references to types that are gone.
pub(super) fn types_have_fields_left(supergraph: &Supergraph, report: &mut Report) {
    for ty in supergraph.types.values().filter(|ty| matches!(ty.kind, Kind::Object | Kind::Interface)) {
        if ty.fields.is_empty() {
            report.push(
                ty.error(Code::InvalidGraphql, "type has no fields left after the merge")
                    .help("resolve at least one field in one of the subgraphs"),
            );
        }
    }
}
