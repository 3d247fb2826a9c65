//! Fields of objects and interfaces.

use async_graphql_parser::types::Type;

use super::{Merge, Source, directives::Applied, facts::Overridden, inputs::Role, join::JoinField, place};
use crate::{
    code::Code,
    diagnostic::{Diagnostic, Place},
    subgraph::{Directive, Field, Subgraph, field_set, spec::Fed},
    supergraph::{OutField, OutType},
};

/// A field as one subgraph defines it.
#[derive(Clone, Copy)]
pub(super) struct FieldSource<'a> {
    pub(super) subgraph: &'a Subgraph,
    pub(super) ty: &'a str,
    pub(super) field: &'a Field,
    pub(super) overridden: Overridden<'a>,
}

impl FieldSource<'_> {
    pub(super) fn is_external(&self) -> bool {
        self.field.has(Fed::External)
    }

    /// Whether this subgraph answers for the field, at least sometimes.
    pub(super) fn resolves(&self) -> bool {
        !self.is_external() && self.overridden != Overridden::Always
    }

    pub(super) fn place(&self) -> Place {
        place(self.subgraph, self.field.pos)
    }
}

impl<'a> Merge<'a> {
    pub(super) fn merge_fields(&mut self, out: &mut OutType, sources: &[Source<'a>]) {
        let mut names: Vec<&'a str> =
            sources.iter().flat_map(|source| source.ty.fields.keys().map(String::as_str)).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            let coordinate = format!("{}.{name}", out.name);
            let present: Vec<FieldSource<'a>> = sources
                .iter()
                .filter_map(|source| {
                    let field = source.ty.fields.get(name)?;
                    let overridden = self.facts.overridden(source.subgraph, &source.ty.name, name);
                    Some(FieldSource { subgraph: source.subgraph, ty: &source.ty.name, field, overridden })
                })
                .collect();
            self.check_sharing(&out.name, sources, &present);
            let is_everywhere = present.len() == sources.len()
                && (out.name != "Query" || sources.len() == self.facts.subgraphs.len());
            if let Some(mut field) = self.merge_field(&coordinate, &present) {
                let joins = joins(&field.ty, &present, is_everywhere);
                field.directives.splice(0..0, joins);
                out.fields.insert(name.to_owned(), field);
            }
        }
    }

    fn merge_field(&mut self, coordinate: &str, present: &[FieldSource<'a>]) -> Option<OutField> {
        let resolving: Vec<FieldSource<'a>> = present.iter().copied().filter(FieldSource::resolves).collect();
        if resolving.is_empty() {
            self.missing_on_base(coordinate, present);
            return None;
        }
        let ty = self.output_type(coordinate, &resolving)?;
        let args: Vec<_> =
            resolving.iter().map(|source| (source.subgraph, &source.field.args, source.place())).collect();
        let args = self.merge_inputs(coordinate, &args, Role::Argument);
        let applied: Vec<_> =
            present.iter().map(|source| (source.subgraph, source.field.directives.as_slice())).collect();
        let Applied { mut printed, inaccessible } = self.merge_directives(coordinate, &applied);
        printed.extend(self.cache_control_of_field(coordinate, &resolving));
        let field = OutField {
            description: self.merge_description(
                coordinate,
                resolving.iter().map(|source| (source.place(), source.field.description.as_deref())),
            ),
            args,
            ty,
            default: None,
            directives: printed,
            inaccessible,
            places: present.iter().map(FieldSource::place).collect(),
        };
        for source in present.iter().filter(|source| source.is_external()) {
            self.check_external(coordinate, &field, source);
        }
        Some(field)
    }

    fn missing_on_base(&mut self, coordinate: &str, present: &[FieldSource<'a>]) {
        let external: Vec<_> =
            present.iter().filter(|source| source.is_external()).map(FieldSource::place).collect();
        if external.is_empty() {
            // Overridden by a subgraph that does not define it either: the override rules speak.
            return;
        }
        let error = Diagnostic::error(
            Code::ExternalMissingOnBase,
            coordinate,
            "field is @external, but no other subgraph defines it",
        );
        let help = "define the field in the subgraph that owns it, or remove @external here";
        self.report.push(Diagnostic { places: external, ..error }.help(help));
    }

    fn output_type(&mut self, coordinate: &str, resolving: &[FieldSource<'a>]) -> Option<Type> {
        let mut merged = resolving.first()?.field.ty.clone();
        for source in resolving {
            let Some(wider) = self.facts.covering(&merged, &source.field.ty) else {
                let types: Vec<_> = resolving
                    .iter()
                    .map(|source| format!("{} in {}", source.field.ty, source.subgraph.name))
                    .collect();
                let error = Diagnostic::error(
                    Code::FieldTypeMismatch,
                    coordinate,
                    format!("field is {}", types.join(", ")),
                );
                let places = resolving.iter().map(FieldSource::place).collect();
                let help = "give it the same type everywhere; they may differ in nullability, or narrow to an implementation or union member";
                self.report.push(Diagnostic { places, ..error }.help(help));
                return None;
            };
            merged = wider;
        }
        if resolving.iter().any(|source| source.field.ty != merged) {
            let types: Vec<_> = resolving
                .iter()
                .map(|source| format!("{} in {}", source.field.ty, source.subgraph.name))
                .collect();
            let message = format!("field is {}; {merged} covers all", types.join(", "));
            let hint = Diagnostic::hint(Code::InconsistentFieldType, coordinate, message);
            let places = resolving.iter().map(FieldSource::place).collect();
            self.report.push(Diagnostic { places, ..hint }.help("give it the same type everywhere"));
        }
        Some(merged)
    }

    fn check_external(&mut self, coordinate: &str, merged: &OutField, source: &FieldSource<'a>) {
        if !self.facts.fits(&source.field.ty, &merged.ty) {
            let message = format!(
                "@external field is {} in {}, but {} where it is defined",
                source.field.ty, source.subgraph.name, merged.ty
            );
            self.report.push(
                Diagnostic::error(Code::ExternalTypeMismatch, coordinate, message)
                    .at(source.subgraph, source.field.pos)
                    .help(format!("declare it as {}", merged.ty)),
            );
        }
        for (name, argument) in &merged.args {
            let coordinate = format!("{coordinate}({name}:)");
            let error = match source.field.args.get(name) {
                None => Diagnostic::error(
                    Code::ExternalArgumentMissing,
                    coordinate,
                    format!("@external field in {} lacks this argument", source.subgraph.name),
                ),
                Some(external)
                    if super::types::accepted(&external.ty, &argument.ty).as_ref() != Some(&argument.ty) =>
                {
                    let message = format!(
                        "argument of the @external field is {} in {}, but {} where it is defined",
                        external.ty, source.subgraph.name, argument.ty
                    );
                    Diagnostic::error(Code::ExternalArgumentTypeMismatch, coordinate, message)
                }
                Some(_) => continue,
            };
            self.report.push(
                error
                    .at(source.subgraph, source.field.pos)
                    .help(format!("declare the argument as {name}: {}", argument.ty)),
            );
        }
    }
}

/// `@join__field` for each subgraph; none where every subgraph simply has the field.
fn joins(merged: &Type, present: &[FieldSource<'_>], is_everywhere: bool) -> Vec<String> {
    let differs = present.iter().any(|source| source.field.ty != *merged);
    let joins: Vec<_> = present.iter().filter_map(|source| join_of(source, differs)).collect();
    let is_plain = is_everywhere && joins.len() == present.len() && joins.iter().all(JoinField::is_plain);
    if is_plain { Vec::new() } else { joins.iter().map(JoinField::print).collect() }
}

fn join_of<'a>(source: &FieldSource<'a>, differs: bool) -> Option<JoinField<'a>> {
    let FieldSource { subgraph, ty, field, overridden } = *source;
    if overridden == Overridden::Always {
        let used = subgraph.used_fields.contains(&(ty.to_owned(), field.name.clone()));
        return used.then(|| JoinField {
            graph: &subgraph.graph,
            used_overridden: true,
            ..JoinField::default()
        });
    }
    let fields = |fed| Some(field_set::normalize(field.get(fed).and_then(Directive::fields)?));
    let directive = field.get(Fed::Override);
    let label = match overridden {
        Overridden::Labelled(label) => Some(label),
        _ => directive.and_then(|directive| directive.str_arg("label")),
    };
    Some(JoinField {
        graph: &subgraph.graph,
        ty: differs.then(|| field.ty.to_string()),
        requires: fields(Fed::Requires),
        provides: fields(Fed::Provides),
        external: source.is_external(),
        overrides: directive.and_then(|directive| directive.str_arg("from")),
        override_label: label,
        used_overridden: false,
    })
}
