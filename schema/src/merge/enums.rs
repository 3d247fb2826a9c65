//! Enums, by use: what goes in must be known to all, what comes out may be known to one.

use super::{Merge, Source, directives::Applied, place};
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    subgraph::{EnumValue, Subgraph, has, spec::Fed},
    supergraph::{OutType, OutValue},
};

type Present<'a> = (&'a Subgraph, &'a EnumValue);

impl<'a> Merge<'a> {
    pub(super) fn merge_enum(&mut self, out: &mut OutType, sources: &[Source<'a>]) {
        let mut names: Vec<&'a str> =
            sources.iter().flat_map(|source| source.ty.values.keys().map(String::as_str)).collect();
        names.sort_unstable();
        names.dedup();
        let (is_input, is_output) = (self.facts.is_input(&out.name), self.facts.is_output(&out.name));
        for name in names {
            let coordinate = format!("{}.{name}", out.name);
            let present: Vec<Present<'a>> = sources
                .iter()
                .filter_map(|source| Some((source.subgraph, source.ty.values.get(name)?)))
                .collect();
            let is_inaccessible = present.iter().any(|(_, value)| has(&value.directives, Fed::Inaccessible));
            if is_input && present.len() < sources.len() && !is_inaccessible {
                self.value_absent(&coordinate, &present, sources, is_output);
                continue;
            }
            if is_output && !is_input && present.len() < sources.len() {
                self.value_not_everywhere(&coordinate, &present, sources);
            }
            let value = self.merge_value(&coordinate, &present);
            out.values.insert(name.to_owned(), value);
        }
        if !is_input && !is_output {
            let hint = Diagnostic::hint(Code::UnusedEnumType, &out.name, "nothing uses the enum");
            let hint = hint.help("remove it, or use it");
            self.report.push(Diagnostic { places: out.places.clone(), ..hint });
        }
        let had_values = sources.iter().all(|source| !source.ty.values.is_empty());
        if out.values.is_empty() && had_values && !is_output {
            let help = "give the subgraphs at least one value in common, or rename the type in one of them";
            self.report.push(
                out.error(
                    Code::EmptyMergedEnumType,
                    "no value is in every subgraph that defines the enum, so none is left",
                )
                .help(help),
            );
        }
    }

    fn value_absent(
        &mut self,
        coordinate: &str,
        present: &[Present<'a>],
        sources: &[Source<'a>],
        is_output: bool,
    ) {
        let is_absent = |subgraph: &Subgraph| !present.iter().any(|(other, _)| other.name == subgraph.name);
        let absent: Vec<_> = sources.iter().filter(|source| is_absent(source.subgraph)).collect();
        let names = absent.iter().map(|source| source.subgraph.name.as_str()).collect::<Vec<_>>().join(", ");
        let mut places: Vec<_> = present.iter().map(|(subgraph, value)| place(subgraph, value.pos)).collect();
        places.extend(absent.iter().map(|source| source.place()));
        let diagnostic = if is_output {
            Diagnostic::error(
                Code::EnumValueMismatch,
                coordinate,
                format!(
                    "enum is used for input and output, so its values must match, but {names} lacks this one"
                ),
            )
            .help(format!("add the value to {names}, or mark it @inaccessible until every subgraph has it"))
        } else {
            Diagnostic::hint(
                Code::InconsistentInputEnumValue,
                coordinate,
                format!("value is left out of the supergraph, as {names} does not accept it"),
            )
            .help(format!("add the value to {names}"))
        };
        self.report.push(Diagnostic { places, ..diagnostic });
    }

    fn value_not_everywhere(&mut self, coordinate: &str, present: &[Present<'a>], sources: &[Source<'a>]) {
        let is_absent =
            |source: &&Source<'a>| !present.iter().any(|(other, _)| other.name == source.subgraph.name);
        let absent: Vec<_> = sources.iter().filter(is_absent).collect();
        let names = absent.iter().map(|source| source.subgraph.name.as_str()).collect::<Vec<_>>().join(", ");
        let message = format!("value is in the supergraph, though {names} does not have it");
        let hint = Diagnostic::hint(Code::InconsistentOutputEnumValue, coordinate, message);
        let places = absent.iter().map(|source| source.place()).collect();
        let help = format!("add the value to {names} if that subgraph can answer with it");
        self.report.push(Diagnostic { places, ..hint }.help(help));
    }

    fn merge_value(&mut self, coordinate: &str, present: &[Present<'a>]) -> OutValue {
        let applied: Vec<_> =
            present.iter().map(|(subgraph, value)| (*subgraph, value.directives.as_slice())).collect();
        let Applied { printed, inaccessible } = self.merge_directives(coordinate, &applied);
        let mut directives: Vec<_> = present
            .iter()
            .map(|(subgraph, _)| format!("@join__enumValue(graph: {})", subgraph.graph))
            .collect();
        directives.extend(printed);
        let descriptions = present
            .iter()
            .map(|(subgraph, value)| (place(subgraph, value.pos), value.description.as_deref()));
        OutValue { description: self.merge_description(coordinate, descriptions), directives, inaccessible }
    }
}
