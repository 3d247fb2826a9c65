//! Names, and types that would be empty.

use super::{Report, elements};
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    subgraph::{BUILTIN_SCALARS, Kind, Subgraph, base_name},
};

pub(super) fn names_are_not_reserved(subgraph: &Subgraph, report: &mut Report) {
    for element in elements::of(subgraph) {
        let name = element.coordinate.trim_end_matches(":)").rsplit(['.', '(']).next().unwrap_or_default();
        let message = if name.starts_with("__") {
            "names beginning with two underscores belong to introspection"
        } else if name.starts_with("join__") {
            "names beginning with join__ belong to the supergraph"
        } else if BUILTIN_SCALARS.contains(&element.coordinate.as_str()) && !is_scalar(subgraph, name) {
            "this is the name of a built-in scalar"
        } else {
            continue;
        };
        report.push(
            Diagnostic::error(Code::InvalidGraphql, element.coordinate, message)
                .at(subgraph, element.pos)
                .help("rename it"),
        );
    }
}

fn is_scalar(subgraph: &Subgraph, name: &str) -> bool {
    subgraph.kind(name) == Some(Kind::Scalar)
}

pub(super) fn types_have_members(subgraph: &Subgraph, report: &mut Report) {
    for ty in subgraph.types.values() {
        let (is_empty, what) = match ty.kind {
            Kind::Scalar => (false, ""),
            Kind::Object | Kind::Interface | Kind::InputObject => {
                (ty.fields.is_empty() && ty.name != "Query", "fields")
            }
            Kind::Union => (ty.members.is_empty(), "members"),
            Kind::Enum => (ty.values.is_empty(), "values"),
        };
        if is_empty {
            let message = format!("{} has no {what}", ty.kind.as_str());
            report.push(
                Diagnostic::error(Code::InvalidGraphql, &ty.name, message)
                    .at(subgraph, ty.pos)
                    .help(format!("give it {what}, or remove it")),
            );
        }
    }
}

pub(super) fn directives_have_arguments_of_input_types(subgraph: &Subgraph, report: &mut Report) {
    for (name, directive) in &subgraph.directives {
        for argument in directive.args.values() {
            let kind = subgraph.kind(base_name(&argument.ty));
            let is_machinery = subgraph.links.is_machinery(base_name(&argument.ty));
            if is_machinery || matches!(kind, Some(Kind::Scalar | Kind::Enum | Kind::InputObject)) {
                continue;
            }
            let coordinate = format!("@{name}({}:)", argument.name);
            let message = format!("{} is not an input type of this subgraph", argument.ty);
            report.push(
                Diagnostic::error(Code::InvalidGraphql, coordinate, message)
                    .at(subgraph, argument.pos)
                    .help("use a scalar, enum or input type that is defined here"),
            );
        }
    }
}
