//! `@external`: fields that a subgraph refers to and another resolves.

use super::Report;
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    subgraph::{Field, Kind, Subgraph, base_name, field_set::Selection, spec::Fed},
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

/// What `@tag` and `@inaccessible` say is said by the subgraph that resolves the field.
pub(super) fn merged_directives_are_not_on_external_fields(subgraph: &Subgraph, report: &mut Report) {
    if subgraph.links.federation.is_none() {
        return;
    }
    for ty in subgraph.types.values().filter(|ty| ty.kind == Kind::Object) {
        for field in ty.fields.values().filter(|field| field.has(Fed::External)) {
            for fed in [Fed::Tag, Fed::Inaccessible] {
                let Some(directive) = field.get(fed) else { continue };
                let message = format!("@{} on a field that is @external", fed.name());
                report.push(
                    Diagnostic::error(
                        Code::MergedDirectiveOnExternal,
                        format!("{}.{}", ty.name, field.name),
                        message,
                    )
                    .at(subgraph, directive.pos)
                    .help("apply it in the subgraph that resolves the field"),
                );
            }
        }
    }
}

/// Federation 1 lets `@external` fields go unused, but not whole types of them.
pub(super) fn types_are_more_than_unused_external(subgraph: &Subgraph, report: &mut Report) {
    if subgraph.links.federation.is_some() {
        return;
    }
    for ty in subgraph.types.values().filter(|ty| ty.kind == Kind::Object && !ty.fields.is_empty()) {
        let is_unused = |field: &Field| {
            field.has(Fed::External) && !subgraph.used_fields.contains(&(ty.name.clone(), field.name.clone()))
        };
        if ty.fields.values().all(is_unused) {
            let message = "all fields of the type are @external, and nothing in this subgraph uses them";
            report.push(
                Diagnostic::error(Code::TypeWithOnlyUnusedExternal, &ty.name, message)
                    .at(subgraph, ty.pos)
                    .help("remove the type from this subgraph, or resolve one of its fields here"),
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
