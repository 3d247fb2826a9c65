//! Interfaces within one subgraph.

use async_graphql_parser::{
    Pos,
    types::{BaseType, Type},
};

use super::Report;
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    subgraph::{Field, Kind, Subgraph, TypeDef},
};

pub(super) fn interfaces_are_implemented(subgraph: &Subgraph, report: &mut Report) {
    for ty in subgraph.types.values() {
        for (name, pos) in &ty.implements {
            let problem = match subgraph.types.get(name) {
                Some(interface) => problem(subgraph, ty, interface),
                // A type that is not defined at all is the matter of another rule.
                None => subgraph.kind(name).map(|kind| {
                    (ty.name.clone(), format!("implements {name}, which is a {}", kind.as_str()))
                }),
            };
            if let Some((coordinate, message)) = problem {
                report.push(refusal(subgraph, coordinate, message, *pos));
            }
        }
    }
}

fn refusal(subgraph: &Subgraph, coordinate: String, message: String, pos: Pos) -> Diagnostic {
    Diagnostic::error(Code::InvalidGraphql, coordinate, message)
        .at(subgraph, pos)
        .help("make the type fit the interface, or remove it from `implements`")
}

fn problem(subgraph: &Subgraph, ty: &TypeDef, interface: &TypeDef) -> Option<(String, String)> {
    let of_type = |message: String| Some((ty.name.clone(), message));
    if interface.kind != Kind::Interface {
        return of_type(format!("implements {}, which is no interface in this subgraph", interface.name));
    }
    if interface.name == ty.name {
        return of_type("implements itself".to_owned());
    }
    if let Some(missing) = interface.implements.keys().find(|name| !ty.implements.contains_key(*name)) {
        return of_type(format!(
            "implements {}, so it must also say that it implements {missing}",
            interface.name
        ));
    }
    for promised in interface.fields.values() {
        let coordinate = format!("{}.{}", ty.name, promised.name);
        let Some(field) = ty.fields.get(&promised.name) else {
            return Some((
                coordinate,
                format!("field is missing, though interface {} has it", interface.name),
            ));
        };
        if !fits(subgraph, &field.ty, &promised.ty) {
            let message =
                format!("field is {}, but interface {} promises {}", field.ty, interface.name, promised.ty);
            return Some((coordinate, message));
        }
        if let Some(message) = argument_problem(field, promised, &interface.name) {
            return Some((coordinate, message));
        }
    }
    None
}

fn argument_problem(field: &Field, promised: &Field, interface: &str) -> Option<String> {
    for (name, argument) in &promised.args {
        match field.args.get(name) {
            None => return Some(format!("argument {name} is missing, though interface {interface} has it")),
            Some(own) if own.ty != argument.ty => {
                return Some(format!(
                    "argument {name} is {}, but interface {interface} has {}",
                    own.ty, argument.ty
                ));
            }
            Some(_) => {}
        }
    }
    let extra =
        field.args.values().find(|own| own.is_required() && !promised.args.contains_key(&own.name))?;
    Some(format!("argument {} is required, but interface {interface} does not have it", extra.name))
}

fn fits(subgraph: &Subgraph, sub: &Type, of: &Type) -> bool {
    if sub.nullable && !of.nullable {
        return false;
    }
    match (&sub.base, &of.base) {
        (BaseType::List(sub), BaseType::List(of)) => fits(subgraph, sub, of),
        (BaseType::Named(sub), BaseType::Named(of)) => {
            let implements =
                || subgraph.types.get(sub.as_str()).is_some_and(|ty| ty.implements.contains_key(of.as_str()));
            let is_member =
                || subgraph.types.get(of.as_str()).is_some_and(|ty| ty.members.contains_key(sub.as_str()));
            sub == of || implements() || is_member()
        }
        _ => false,
    }
}
