//! Arguments and input object fields: what every subgraph accepts.

use std::collections::BTreeMap;

use async_graphql_parser::types::Type;
use async_graphql_value::ConstValue;

use super::{Merge, Source, directives::Applied, join::JoinField, place, types::accepted};
use crate::{
    code::Code,
    diagnostic::{Diagnostic, Place},
    subgraph::{Field, Subgraph},
    supergraph::{OutField, OutType},
};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Argument,
    InputField,
}

/// The arguments or fields of one subgraph, and where their owner stands.
pub(super) type InputSource<'a> = (&'a Subgraph, &'a BTreeMap<String, Field>, Place);
type Present<'a> = (&'a Subgraph, &'a Field);

impl Role {
    fn coordinate(self, owner: &str, name: &str) -> String {
        match self {
            Self::Argument => format!("{owner}({name}:)"),
            Self::InputField => format!("{owner}.{name}"),
        }
    }

    const fn noun(self) -> &'static str {
        match self {
            Self::Argument => "argument",
            Self::InputField => "input field",
        }
    }
}

impl<'a> Merge<'a> {
    pub(super) fn merge_input_object(&mut self, out: &mut OutType, sources: &[Source<'a>]) {
        let inputs: Vec<InputSource<'a>> =
            sources.iter().map(|source| (source.subgraph, &source.ty.fields, source.place())).collect();
        let coordinate = out.name.clone();
        out.fields = self.merge_inputs(&coordinate, &inputs, Role::InputField);
        let had_fields = sources.iter().all(|source| !source.ty.fields.is_empty());
        if out.fields.is_empty() && had_fields {
            let help = "give the subgraphs at least one field in common, or rename the type in one of them";
            self.report.push(
                out.error(
                    Code::EmptyMergedInputType,
                    "no input field is in every subgraph that defines the type, so none is left",
                )
                .help(help),
            );
        }
    }

    pub(super) fn merge_inputs(
        &mut self,
        owner: &str,
        sources: &[InputSource<'a>],
        role: Role,
    ) -> BTreeMap<String, OutField> {
        let mut merged = BTreeMap::new();
        let mut names: Vec<&'a str> =
            sources.iter().flat_map(|(_, fields, _)| fields.keys().map(String::as_str)).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            let coordinate = role.coordinate(owner, name);
            let present: Vec<Present<'a>> = sources
                .iter()
                .filter_map(|(subgraph, fields, _)| Some((*subgraph, fields.get(name)?)))
                .collect();
            if present.len() < sources.len() {
                self.absent_somewhere(&coordinate, &present, sources, role);
            } else if let Some(field) = self.merge_input(&coordinate, &present, role) {
                merged.insert(name.to_owned(), field);
            }
        }
        merged
    }

    fn absent_somewhere(
        &mut self,
        coordinate: &str,
        present: &[Present<'a>],
        sources: &[InputSource<'a>],
        role: Role,
    ) {
        let is_absent = |subgraph: &Subgraph| !present.iter().any(|(other, _)| other.name == subgraph.name);
        let absent: Vec<_> = sources.iter().filter(|(subgraph, ..)| is_absent(subgraph)).collect();
        let names: Vec<_> = absent.iter().map(|(subgraph, ..)| subgraph.name.as_str()).collect();
        let (noun, absent_names) = (role.noun(), names.join(", "));
        let required = present.iter().find(|(_, field)| field.is_required());
        let mut places: Vec<Place> =
            present.iter().map(|(subgraph, field)| place(subgraph, field.pos)).collect();
        places.extend(absent.iter().map(|(_, _, place)| place.clone()));
        let diagnostic = match (required, role) {
            (Some((subgraph, _)), role) => {
                let code = if role == Role::Argument {
                    Code::RequiredArgumentMissing
                } else {
                    Code::RequiredInputFieldMissing
                };
                Diagnostic::error(
                    code,
                    coordinate,
                    format!("{noun} is required in {}, but absent in {absent_names}", subgraph.name),
                )
                .help(format!("add the {noun} to {absent_names}, or make it optional"))
            }
            (None, role) => {
                let code = if role == Role::Argument {
                    Code::InconsistentArgumentPresence
                } else {
                    Code::InconsistentInputField
                };
                Diagnostic::hint(
                    code,
                    coordinate,
                    format!("{noun} is left out of the supergraph, as {absent_names} does not have it"),
                )
                .help(format!("add the {noun} to {absent_names}"))
            }
        };
        self.report.push(Diagnostic { places, ..diagnostic });
    }

    fn merge_input(&mut self, coordinate: &str, present: &[Present<'a>], role: Role) -> Option<OutField> {
        let ty = self.input_type(coordinate, present, role)?;
        let default = self.default(coordinate, present, role);
        let applied: Vec<_> =
            present.iter().map(|(subgraph, field)| (*subgraph, field.directives.as_slice())).collect();
        let Applied { printed, inaccessible } = self.merge_directives(coordinate, &applied);
        let mut directives = Vec::new();
        if role == Role::InputField && present.iter().any(|(_, field)| field.ty != ty) {
            let join = |(subgraph, field): &Present<'a>| JoinField {
                graph: &subgraph.graph,
                ty: Some(field.ty.to_string()),
                ..JoinField::default()
            };
            directives.extend(present.iter().map(|present| join(present).print()));
        }
        directives.extend(printed);
        let descriptions = present
            .iter()
            .map(|(subgraph, field)| (place(subgraph, field.pos), field.description.as_deref()));
        Some(OutField {
            description: self.merge_description(coordinate, descriptions),
            args: BTreeMap::new(),
            ty,
            default,
            directives,
            inaccessible,
            places: present.iter().map(|(subgraph, field)| place(subgraph, field.pos)).collect(),
        })
    }

    fn input_type(&mut self, coordinate: &str, present: &[Present<'a>], role: Role) -> Option<Type> {
        let mut merged = present.first()?.1.ty.clone();
        for (_, field) in present {
            let Some(narrower) = accepted(&merged, &field.ty) else {
                let code = if role == Role::Argument {
                    Code::FieldArgumentTypeMismatch
                } else {
                    Code::FieldTypeMismatch
                };
                let error =
                    Diagnostic::error(code, coordinate, format!("{} is {}", role.noun(), types(present)));
                self.report_present(
                    error.help("give it the same type everywhere; only nullability may differ"),
                    present,
                );
                return None;
            };
            merged = narrower;
        }
        if present.iter().any(|(_, field)| field.ty != merged) {
            let code = if role == Role::Argument {
                Code::InconsistentArgumentType
            } else {
                Code::InconsistentFieldType
            };
            let message = format!("{} is {}; all accept {merged}", role.noun(), types(present));
            let hint = Diagnostic::hint(code, coordinate, message);
            self.report_present(hint.help("give it the same type everywhere"), present);
        }
        Some(merged)
    }

    fn default(&mut self, coordinate: &str, present: &[Present<'a>], role: Role) -> Option<ConstValue> {
        let mut given = present.iter().filter_map(|(_, field)| field.default.as_ref());
        let first = given.next()?;
        if given.any(|other| other != first) {
            let code = if role == Role::Argument {
                Code::FieldArgumentDefaultMismatch
            } else {
                Code::InputFieldDefaultMismatch
            };
            let print = |(subgraph, field): &Present<'a>| {
                Some(format!("{} in {}", field.default.as_ref()?, subgraph.name))
            };
            let values: Vec<_> = present.iter().filter_map(print).collect();
            let error = Diagnostic::error(
                code,
                coordinate,
                format!("default of the {} is {}", role.noun(), values.join(", ")),
            );
            self.report_present(error.help("give it the same default everywhere"), present);
        } else if present.iter().any(|(_, field)| field.default.is_none()) {
            let hint = Diagnostic::hint(
                Code::InconsistentDefaultValue,
                coordinate,
                format!("only some subgraphs give the {} its default {first}", role.noun()),
            );
            self.report_present(hint.help("give it the same default everywhere"), present);
        }
        Some(first.clone())
    }

    fn report_present(&mut self, diagnostic: Diagnostic, present: &[Present<'a>]) {
        let places = present.iter().map(|(subgraph, field)| place(subgraph, field.pos)).collect();
        self.report.push(Diagnostic { places, ..diagnostic });
    }
}

fn types(present: &[Present<'_>]) -> String {
    let types = present.iter().map(|(subgraph, field)| format!("{} in {}", field.ty, subgraph.name));
    types.collect::<Vec<_>>().join(", ")
}
