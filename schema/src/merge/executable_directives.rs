//! Directives for operations: what every subgraph knows.

use std::collections::BTreeSet;

use async_graphql_parser::types::DirectiveLocation;

use super::{
    Merge,
    inputs::{InputSource, Role},
    place,
};
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    print,
    subgraph::{DirectiveDef, Subgraph},
    supergraph::ExecutableDirective,
};

type Source<'a> = (&'a Subgraph, &'a DirectiveDef);

impl<'a> Merge<'a> {
    /// Intersects what the subgraphs define: presence, locations, arguments, repeatability.
    pub(super) fn executable_directives(&mut self) -> Vec<ExecutableDirective> {
        let subgraphs: &'a [Subgraph] = self.facts.subgraphs;
        let names: BTreeSet<&'a String> = subgraphs
            .iter()
            .flat_map(|subgraph| subgraph.directives.iter())
            .filter(|(name, definition)| {
                !self.composed.contains_key(*name) && definition.executable_locations().next().is_some()
            })
            .map(|(name, _)| name)
            .collect();
        names.into_iter().filter_map(|name| self.executable_directive(name)).collect()
    }

    fn executable_directive(&mut self, name: &'a str) -> Option<ExecutableDirective> {
        let coordinate = format!("@{name}");
        let sources: Vec<Source<'a>> = self
            .facts
            .subgraphs
            .iter()
            .filter_map(|subgraph| Some((subgraph, subgraph.directives.get(name)?)))
            .filter(|(_, definition)| definition.executable_locations().next().is_some())
            .collect();
        let absent: Vec<&str> = self
            .facts
            .subgraphs
            .iter()
            .filter(|subgraph| !sources.iter().any(|(other, _)| other.name == subgraph.name))
            .map(|subgraph| subgraph.name.as_str())
            .collect();
        if !absent.is_empty() {
            let absent = absent.join(", ");
            let message = format!("directive is left out of the supergraph, as {absent} does not define it");
            let help = format!("define it in {absent} too if operations are to use it");
            self.hint_directive(Code::InconsistentExecutablePresence, &coordinate, &sources, (message, help));
            return None;
        }
        let locations = self.locations(&coordinate, &sources)?;
        let repeatable = sources.iter().filter(|(_, source)| source.definition.is_repeatable).count();
        if repeatable > 0 && repeatable < sources.len() {
            let message = "directive is repeatable in some subgraphs only, so it is not in the supergraph";
            let help = "make it repeatable everywhere";
            let words = (message.to_owned(), help.to_owned());
            self.hint_directive(Code::InconsistentExecutableRepeatable, &coordinate, &sources, words);
        }
        let inputs: Vec<InputSource<'a>> = sources
            .iter()
            .map(|(subgraph, source)| (*subgraph, &source.args, place(subgraph, source.pos)))
            .collect();
        let descriptions = sources.iter().map(|(subgraph, source)| {
            let description = source.definition.description.as_ref();
            (place(subgraph, source.pos), description.map(|text| text.node.as_str()))
        });
        Some(ExecutableDirective {
            description: self.merge_description(&coordinate, descriptions),
            args: self.merge_inputs(&coordinate, &inputs, Role::Argument),
            name: name.to_owned(),
            is_repeatable: repeatable == sources.len(),
            locations,
        })
    }

    fn locations(&mut self, coordinate: &str, sources: &[Source<'a>]) -> Option<Vec<DirectiveLocation>> {
        let (_, first) = sources.first()?;
        let common: Vec<DirectiveLocation> = first
            .executable_locations()
            .filter(|location| sources.iter().all(|(_, source)| source.has_location(*location)))
            .collect();
        let differ = sources.iter().any(|(_, source)| source.executable_locations().count() != common.len());
        let help = "give it the same locations everywhere".to_owned();
        if common.is_empty() {
            let message = "directive is left out of the supergraph, as its locations have none in common";
            let words = (message.to_owned(), help);
            self.hint_directive(Code::NoExecutableLocations, coordinate, sources, words);
            return None;
        }
        if differ {
            let kept: Vec<_> = common.iter().map(|location| print::location(*location)).collect();
            let message = format!("locations of the directive differ; {} are left", kept.join(", "));
            self.hint_directive(Code::InconsistentExecutableLocations, coordinate, sources, (message, help));
        }
        Some(common)
    }

    fn hint_directive(
        &mut self,
        code: Code,
        coordinate: &str,
        sources: &[Source<'a>],
        (message, help): (String, String),
    ) {
        let places = sources.iter().map(|(subgraph, source)| place(subgraph, source.pos)).collect();
        let hint = Diagnostic::hint(code, coordinate, message).help(help);
        self.report.push(Diagnostic { places, ..hint });
    }
}
