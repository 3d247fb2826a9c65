//! Definitions of federation directives that a subgraph repeats: they must be what they claim.

use super::Report;
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    print,
    subgraph::{
        BUILTIN_SCALARS, DirectiveDef, Kind, Subgraph,
        spec::{Definition, Fed},
    },
};

pub(super) fn federation_directives_are_what_they_are(subgraph: &Subgraph, report: &mut Report) {
    for (fed, given) in &subgraph.spec_definitions {
        if let Some(message) = difference(fed.definition(), given) {
            report.push(
                Diagnostic::error(
                    Code::DirectiveDefinitionInvalid,
                    format!("@{}", given.definition.name.node),
                    message,
                )
                .at(subgraph, given.pos)
                .help(format!(
                    "remove the definition: @{} is known from the specification",
                    given.definition.name.node
                )),
            );
        }
    }
}

/// A repeated definition may leave out optional arguments and locations, but not add any.
fn difference(known: &Definition, given: &DirectiveDef) -> Option<String> {
    let name = known.name;
    let unknown = given.args.keys().find(|given| !known.args.iter().any(|known| known.name == **given));
    if let Some(argument) = unknown {
        return Some(format!("@{name} of the federation specification has no argument {argument}"));
    }
    let missing =
        known.args.iter().find(|argument| argument.required && !given.args.contains_key(argument.name));
    if let Some(argument) = missing {
        return Some(format!("@{name} of the federation specification has an argument {}", argument.name));
    }
    let location =
        given.definition.locations.iter().find(|location| !known.locations.contains(&location.node))?;
    Some(format!(
        "@{name} of the federation specification has no location {}",
        print::location(location.node)
    ))
}

/// Every schema has the built-in scalars; a client that may not see them could not read anything.
pub(super) fn builtin_scalars_are_accessible(subgraph: &Subgraph, report: &mut Report) {
    for ty in subgraph.types.values().filter(|ty| ty.kind == Kind::Scalar && ty.has(Fed::Inaccessible)) {
        if BUILTIN_SCALARS.contains(&ty.name.as_str()) {
            report.push(
                Diagnostic::error(
                    Code::DisallowedInaccessible,
                    &ty.name,
                    "a built-in scalar cannot be @inaccessible",
                )
                .at(subgraph, ty.pos)
                .help("hide the fields that return it, or use a scalar of your own"),
            );
        }
    }
}
