//! From subgraphs to one schema. One file per kind of type; what several kinds share has its own.

mod cache_control;
mod compose_directive;
mod directives;
mod enums;
mod executable_directives;
mod facts;
mod fields;
mod inputs;
mod interface_object;
mod join;
mod sharing;
mod types;
mod unions;

use std::collections::{BTreeMap, BTreeSet};

use self::directives::Applied;
pub(crate) use self::facts::Facts;
use crate::{
    code::Code,
    diagnostic::{Diagnostic, Place},
    subgraph::{Kind, Subgraph, TypeDef, spec::Fed},
    supergraph::{Graph, OutType, Supergraph},
};

/// A type as one subgraph defines it.
#[derive(Clone, Copy)]
struct Source<'a> {
    subgraph: &'a Subgraph,
    ty: &'a TypeDef,
}

impl Source<'_> {
    fn is_interface_object(&self) -> bool {
        self.ty.has(Fed::InterfaceObject)
    }

    fn place(&self) -> Place {
        place(self.subgraph, self.ty.pos)
    }
}

/// The merge under way.
struct Merge<'a> {
    facts: Facts<'a>,
    /// The directives that `@composeDirective` asks for, and the specifications that they belong to.
    composed: BTreeMap<String, String>,
    features: BTreeSet<Fed>,
    report: Vec<Diagnostic>,
}

/// Merges; the supergraph is only good if the report has no error.
pub(crate) fn merge(subgraphs: &[Subgraph], report: &mut Vec<Diagnostic>) -> Supergraph {
    let composed = compose_directive::collect(subgraphs, report);
    let mut merge = Merge {
        facts: Facts::new(subgraphs),
        composed: composed
            .iter()
            .map(|directive| (directive.name.clone(), directive.identity.clone()))
            .collect(),
        features: BTreeSet::new(),
        report: Vec::new(),
    };
    let mut types = BTreeMap::new();
    for (name, sources) in by_name(subgraphs) {
        if let Some(ty) = merge.merge_type(name, &sources) {
            types.insert(name.to_owned(), ty);
        }
    }
    interface_object::add_implied_fields(subgraphs, &mut types);
    let executable = merge.executable_directives();
    let applied: Vec<_> =
        subgraphs.iter().map(|subgraph| (subgraph, subgraph.schema_directives.as_slice())).collect();
    let schema_directives = merge.merge_directives("schema", &applied).printed;
    report.append(&mut merge.report);
    let asks =
        |subgraph: &Subgraph| subgraph.types.get("Query").is_some_and(|query| !query.fields.is_empty());
    if !subgraphs.iter().any(asks) {
        report.push(
            Diagnostic::error(Code::NoQueries, "Query", "no subgraph has a query")
                .help("define a field on Query in one of the subgraphs"),
        );
    }
    let graph = |subgraph: &Subgraph| Graph {
        value: subgraph.graph.clone(),
        name: subgraph.name.clone(),
        url: subgraph.url.clone().unwrap_or_default(),
    };
    Supergraph {
        graphs: subgraphs.iter().map(graph).collect(),
        types,
        features: merge.features,
        composed,
        executable,
        schema_directives,
    }
}

fn by_name(subgraphs: &[Subgraph]) -> BTreeMap<&str, Vec<Source<'_>>> {
    let mut types: BTreeMap<&str, Vec<Source<'_>>> = BTreeMap::new();
    for subgraph in subgraphs {
        for (name, ty) in &subgraph.types {
            types.entry(name).or_default().push(Source { subgraph, ty });
        }
    }
    types
}

impl<'a> Merge<'a> {
    fn merge_type(&mut self, name: &str, sources: &[Source<'a>]) -> Option<OutType> {
        let kind = self.kind(name, sources)?;
        let mut out = self.outline(name, kind, sources);
        match kind {
            Kind::Scalar => {}
            Kind::Object | Kind::Interface => self.merge_fields(&mut out, sources),
            Kind::Union => out.members = unions::members(sources),
            Kind::Enum => self.merge_enum(&mut out, sources),
            Kind::InputObject => self.merge_input_object(&mut out, sources),
        }
        // A root type that lends all its fields to others has none left; the rules have said so otherwise.
        let is_empty_root = sources[0].ty.is_root() && out.fields.is_empty();
        (!is_empty_root).then_some(out)
    }

    fn kind(&mut self, name: &str, sources: &[Source<'a>]) -> Option<Kind> {
        let kind =
            |source: &Source<'_>| if source.is_interface_object() { Kind::Interface } else { source.ty.kind };
        let first = kind(sources.first()?);
        if sources.iter().all(|source| kind(source) == first) {
            return Some(first);
        }
        let kinds: Vec<_> = sources
            .iter()
            .map(|source| format!("{} in {}", source.ty.kind.as_str(), source.subgraph.name))
            .collect();
        let error = Diagnostic::error(Code::TypeKindMismatch, name, format!("type is {}", kinds.join(", ")));
        self.report.push(
            Diagnostic { places: places(sources), ..error }
                .help("make it the same kind everywhere, or rename it in one of the subgraphs"),
        );
        None
    }

    fn outline(&mut self, name: &str, kind: Kind, sources: &[Source<'a>]) -> OutType {
        let applied: Vec<_> =
            sources.iter().map(|source| (source.subgraph, source.ty.directives.as_slice())).collect();
        let Applied { printed, inaccessible } = self.merge_directives(name, &applied);
        let mut directives = join::of_type(name, sources, self.facts.subgraphs);
        directives.extend(printed);
        directives.extend(self.cache_control_of_type(name, sources));
        OutType {
            name: name.to_owned(),
            kind,
            description: self.merge_description(
                name,
                sources.iter().map(|source| (source.place(), source.ty.description.as_deref())),
            ),
            directives,
            inaccessible,
            implements: sources.iter().flat_map(|source| source.ty.implements.keys().cloned()).collect(),
            fields: BTreeMap::new(),
            members: BTreeSet::new(),
            values: BTreeMap::new(),
            places: places(sources),
        }
    }

    /// The first description wins; a different one is worth a hint.
    fn merge_description<'t>(
        &mut self,
        coordinate: &str,
        descriptions: impl Iterator<Item = (Place, Option<&'t str>)>,
    ) -> Option<String> {
        let given: Vec<_> = descriptions
            .filter_map(|(place, text)| Some((place, text?)))
            .filter(|(_, text)| !text.trim().is_empty())
            .collect();
        let (_, first) = given.first()?;
        if given.iter().any(|(_, text)| text != first) && !crate::subgraph::ROOT_TYPES.contains(&coordinate) {
            let hint = Diagnostic::hint(
                Code::InconsistentDescription,
                coordinate,
                format!("descriptions differ; the one of {} is used", given[0].0.subgraph),
            );
            self.report.push(
                Diagnostic { places: given.iter().map(|(place, _)| place.clone()).collect(), ..hint }
                    .help("describe it the same way everywhere"),
            );
        }
        Some((*first).to_owned())
    }
}

fn place(subgraph: &Subgraph, pos: async_graphql_parser::Pos) -> Place {
    Place { subgraph: subgraph.name.clone(), line: pos.line, column: pos.column }
}

fn places(sources: &[Source<'_>]) -> Vec<Place> {
    sources.iter().map(Source::place).collect()
}
