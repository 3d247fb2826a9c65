//! `@cost` and `@listSize`: what they weigh and measure must be there.

use async_graphql_parser::types::BaseType;
use async_graphql_value::ConstValue;

use super::Report;
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    subgraph::{Directive, Field, Kind, Subgraph, base_name, spec::Fed},
};

/// `@cost` weighs what is resolved, and nothing resolves the field of an interface.
pub(super) fn costs_are_on_resolvers(subgraph: &Subgraph, report: &mut Report) {
    for ty in subgraph.types.values().filter(|ty| ty.kind == Kind::Interface) {
        for field in ty.fields.values() {
            if let Some(cost) = field.get(Fed::Cost) {
                report.push(
                    Diagnostic::error(
                        Code::CostOnInterfaceField,
                        format!("{}.{}", ty.name, field.name),
                        "@cost cannot weigh a field of an interface",
                    )
                    .at(subgraph, cost.pos)
                    .help("apply it to the field of each implementation"),
                );
            }
        }
    }
}

pub(super) fn list_sizes_fit(subgraph: &Subgraph, report: &mut Report) {
    for ty in subgraph.types.values().filter(|ty| matches!(ty.kind, Kind::Object | Kind::Interface)) {
        for field in ty.fields.values() {
            let Some(directive) = field.get(Fed::ListSize) else { continue };
            for (code, message, help) in list_size_problems(subgraph, field, directive) {
                report.push(
                    Diagnostic::error(code, format!("{}.{}", ty.name, field.name), message)
                        .at(subgraph, directive.pos)
                        .help(help),
                );
            }
        }
    }
}

type Problem = (Code, String, &'static str);

fn list_size_problems(subgraph: &Subgraph, field: &Field, directive: &Directive) -> Vec<Problem> {
    let mut problems = Vec::new();
    let sized: Vec<&str> = texts(directive.arg("sizedFields"));
    let target = subgraph.types.get(base_name(&field.ty));
    if sized.is_empty() && !is_list(field) {
        problems.push((
            Code::ListSizeOnNonList,
            format!("@listSize on a field of type {}, which is no list", field.ty),
            "apply it to a list, or name the lists of what the field returns in sizedFields",
        ));
    }
    for name in sized {
        if !target.and_then(|ty| ty.fields.get(name)).is_some_and(is_list) {
            problems.push((
                Code::ListSizeInvalidSizedField,
                format!("{} has no list field {name}", base_name(&field.ty)),
                "name fields of the returned type that are lists",
            ));
        }
    }
    for name in texts(directive.arg("slicingArguments")) {
        let is_int = |argument: &Field| argument.ty.to_string().trim_end_matches('!') == "Int";
        if !field.args.get(name).is_some_and(is_int) {
            problems.push((
                Code::ListSizeInvalidSlicingArgument,
                format!("the field has no argument {name} of type Int"),
                "name arguments of this field that are of type Int",
            ));
        }
    }
    let size = match directive.arg("assumedSize") {
        Some(ConstValue::Number(number)) => number.as_i64(),
        _ => None,
    };
    if let Some(size) = size.filter(|size| *size < 0) {
        problems.push((
            Code::ListSizeInvalidAssumedSize,
            format!("a list cannot have {size} items"),
            "assume zero or more",
        ));
    }
    problems
}

fn is_list(field: &Field) -> bool {
    matches!(field.ty.base, BaseType::List(_))
}

fn texts(value: Option<&ConstValue>) -> Vec<&str> {
    let values = match value {
        Some(ConstValue::List(values)) => values.as_slice(),
        Some(single) => std::slice::from_ref(single),
        None => &[],
    };
    let mut found = Vec::new();
    for value in values {
        if let ConstValue::String(text) = value {
            found.push(text.as_str());
        }
    }
    found
}
