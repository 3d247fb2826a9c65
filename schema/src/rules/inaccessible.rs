//! `@inaccessible`: what is hidden must not be needed by what is shown.

use super::Report;
use crate::{
    code::Code,
    subgraph::{Kind, base_name},
    supergraph::{OutField, OutType, Supergraph},
};

fn shown(supergraph: &Supergraph) -> impl Iterator<Item = &OutType> {
    supergraph.types.values().filter(|ty| !ty.inaccessible)
}

fn shown_fields(ty: &OutType) -> impl Iterator<Item = (String, &String, &OutField)> {
    ty.fields
        .iter()
        .filter(|(_, field)| !field.inaccessible)
        .map(|(name, field)| (format!("{}.{name}", ty.name), name, field))
}

pub(super) fn query_is_accessible(supergraph: &Supergraph, report: &mut Report) {
    if let Some(query) = supergraph.types.get("Query").filter(|query| query.inaccessible) {
        report.push(
            query
                .error(Code::QueryRootTypeInaccessible, "the query root cannot be @inaccessible")
                .help("hide its fields one by one"),
        );
    }
}

pub(super) fn references_are_accessible(supergraph: &Supergraph, report: &mut Report) {
    let mut check = |coordinate: String, field: &OutField| {
        let name = base_name(&field.ty);
        if supergraph.types.get(name).is_some_and(|ty| ty.inaccessible) {
            let error = field.error(
                Code::ReferencedInaccessible,
                &coordinate,
                format!("{name} is @inaccessible, but what refers to it here is not"),
            );
            report.push(error.help(format!("mark this @inaccessible too, or show {name}")));
        }
    };
    for ty in shown(supergraph) {
        for (coordinate, _, field) in shown_fields(ty) {
            for (argument, definition) in field.args.iter().filter(|(_, argument)| !argument.inaccessible) {
                check(format!("{coordinate}({argument}:)"), definition);
            }
            check(coordinate, field);
        }
    }
}

pub(super) fn something_is_left_accessible(supergraph: &Supergraph, report: &mut Report) {
    for ty in shown(supergraph) {
        let is_hidden = |name: &String| supergraph.types.get(name).is_some_and(|ty| ty.inaccessible);
        let (nothing_left, what) = match ty.kind {
            Kind::Scalar => (false, ""),
            Kind::Object | Kind::Interface | Kind::InputObject => {
                (!ty.fields.is_empty() && ty.fields.values().all(|field| field.inaccessible), "fields")
            }
            Kind::Union => (ty.members.iter().all(is_hidden), "members"),
            Kind::Enum => {
                (!ty.values.is_empty() && ty.values.values().all(|value| value.inaccessible), "values")
            }
        };
        if nothing_left {
            let error = ty.error(
                Code::OnlyInaccessibleChildren,
                format!("all {what} are @inaccessible, but the type is not"),
            );
            report.push(error.help(format!("mark the type @inaccessible, or show one of its {what}")));
        }
    }
}

pub(super) fn required_inputs_are_accessible(supergraph: &Supergraph, report: &mut Report) {
    let mut check = |coordinate: String, input: &OutField| {
        if input.inaccessible && !input.ty.nullable && input.default.is_none() {
            let error = input.error(
                Code::RequiredInaccessible,
                &coordinate,
                "is required, but @inaccessible, so no client could give it",
            );
            report.push(error.help("give it a default, make it nullable, or show it"));
        }
    };
    for ty in shown(supergraph) {
        for (coordinate, _, field) in shown_fields(ty) {
            for (argument, definition) in &field.args {
                check(format!("{coordinate}({argument}:)"), definition);
            }
        }
        if ty.kind == Kind::InputObject {
            for (name, field) in &ty.fields {
                check(format!("{}.{name}", ty.name), field);
            }
        }
    }
}

pub(super) fn interface_fields_are_implemented_accessibly(supergraph: &Supergraph, report: &mut Report) {
    for ty in shown(supergraph) {
        for interface in
            ty.implements.iter().filter_map(|name| supergraph.types.get(name)).filter(|ty| !ty.inaccessible)
        {
            for (_, name, promised) in shown_fields(interface) {
                let Some(field) = ty.fields.get(name) else { continue };
                let hidden_argument = promised.args.iter().find(|(argument, promised)| {
                    !promised.inaccessible && field.args.get(*argument).is_some_and(|own| own.inaccessible)
                });
                let message = match hidden_argument {
                    _ if field.inaccessible => {
                        format!("field is @inaccessible, but interface {} shows it", interface.name)
                    }
                    Some((argument, _)) => format!(
                        "argument {argument} is @inaccessible, but interface {} shows it",
                        interface.name
                    ),
                    None => continue,
                };
                let error =
                    field.error(Code::ImplementedByInaccessible, &format!("{}.{name}", ty.name), message);
                report.push(error.help("hide it in the interface too, or show it here"));
            }
        }
    }
}
