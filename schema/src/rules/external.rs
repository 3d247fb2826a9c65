//! `@external`: fields that a subgraph refers to and another resolves.

use super::Report;
use crate::{
    diagnostic::{Code, Diagnostic},
    subgraph::{Kind, Subgraph, base_name, field_set::Selection, spec::Fed},
};

pub(super) fn external_fields_are_used(subgraph: &Subgraph, report: &mut Report) {
    if subgraph.links.federation.is_none() {
        return;
    }
    for ty in subgraph.types.values().filter(|ty| ty.kind == Kind::Object && !ty.has(Fed::External)) {
        for field in ty.fields.values().filter(|field| field.has(Fed::External)) {
            if subgraph.used_fields.contains(&(ty.name.clone(), field.name.clone())) {
                continue;
            }
            let message =
                "field is @external, but no @key, @requires, @provides or interface of this subgraph uses it";
            report.push(
                Diagnostic::error(Code::ExternalUnused, format!("{}.{}", ty.name, field.name), message)
                    .at(subgraph, field.pos)
                    .help("remove the field from this subgraph, or remove @external if this subgraph resolves it"),
            );
        }
    }
}

/// A field that another subgraph resolves has nothing to require, provide or take over.
pub(super) fn external_stands_alone(subgraph: &Subgraph, report: &mut Report) {
    for ty in subgraph.types.values().filter(|ty| ty.kind == Kind::Object) {
        for field in ty.fields.values().filter(|field| field.has(Fed::External)) {
            for fed in [Fed::Requires, Fed::Provides, Fed::Override] {
                let Some(directive) = field.get(fed) else { continue };
                let code =
                    if fed == Fed::Override { Code::OverrideCollision } else { Code::ExternalCollision };
                let message = format!("field is @external and @{} at once", fed.name());
                report.push(
                    Diagnostic::error(code, format!("{}.{}", ty.name, field.name), message)
                        .at(subgraph, directive.pos)
                        .help("keep one of the two"),
                );
            }
        }
    }
}

/// The first selected leaf that this subgraph resolves itself, below no `@external` field.
pub(super) fn first_own_leaf(subgraph: &Subgraph, on: &str, selections: &[Selection]) -> Option<String> {
    selections.iter().find_map(|selection| match selection {
        Selection::Fragment { on: condition, selections } => {
            first_own_leaf(subgraph, condition.as_deref().unwrap_or(on), selections)
        }
        Selection::Field(field) => {
            let definition = subgraph.types.get(on)?.fields.get(&field.name)?;
            let is_external = |ty: &crate::subgraph::TypeDef| {
                ty.fields.get(&field.name).is_some_and(|field| field.has(Fed::External))
            };
            if definition.has(Fed::External) || subgraph.implementations(on).any(is_external) {
                None
            } else if field.selections.is_empty() {
                Some(format!("{on}.{}", field.name))
            } else {
                first_own_leaf(subgraph, base_name(&definition.ty), &field.selections)
            }
        }
    })
}
