//! `@composeDirective`: directives of the subgraphs' own that the supergraph keeps.

use std::collections::BTreeMap;

use crate::{
    diagnostic::{Code, Diagnostic},
    print,
    subgraph::{Subgraph, links::Link, spec::Fed},
    supergraph::ComposedDirective,
};

/// Each directive once, with the newest link among the subgraphs that compose it.
pub(super) fn collect(subgraphs: &[Subgraph], report: &mut Vec<Diagnostic>) -> Vec<ComposedDirective> {
    let mut found: BTreeMap<&str, (&Link, &str, &Subgraph)> = BTreeMap::new();
    for subgraph in subgraphs {
        // It is kept without being asked for, and merged.
        let is_merged = |name: &str| subgraph.links.directive(name) == Some(Fed::CacheControl);
        for (name, pos) in subgraph.composed.iter().filter(|(name, _)| !is_merged(name)) {
            let error = |message: &str, help: &str| {
                Diagnostic::error(Code::DirectiveCompositionError, format!("@{name}"), message)
                    .at(subgraph, *pos)
                    .help(help)
            };
            let Some((link, element)) = subgraph.links.origin(name) else {
                report.push(error(
                    "@composeDirective names a directive that no @link imports",
                    "link the specification of the directive and import it",
                ));
                continue;
            };
            if !subgraph.directives.contains_key(name) {
                report.push(error(
                    "@composeDirective names a directive that this subgraph does not define",
                    "add its `directive @… on …` definition",
                ));
                continue;
            }
            match found.get(name.as_str()) {
                Some((other, ..)) if other.identity != link.identity || major(other) != major(link) => {
                    report.push(error(
                        "subgraphs link this directive from different specifications",
                        "link the same specification in the same major version everywhere",
                    ));
                }
                Some((other, ..)) if other.version >= link.version => {}
                _ => {
                    found.insert(name, (link, element, subgraph));
                }
            }
        }
    }
    found
        .into_iter()
        .filter_map(|(name, (link, element, subgraph))| compose(name, link, element, subgraph))
        .collect()
}

fn compose(name: &str, link: &Link, element: &str, subgraph: &Subgraph) -> Option<ComposedDirective> {
    let (definition, _) = subgraph.directives.get(name)?;
    let import = if element == name {
        format!("\"@{name}\"")
    } else {
        format!("{{ name: \"@{element}\", as: \"@{name}\" }}")
    };
    Some(ComposedDirective {
        definition: print::directive_definition(definition),
        name: name.to_owned(),
        link: format!("@link(url: {}, import: [{import}])", super::join::quoted(&link.url)),
    })
}

fn major(link: &Link) -> Option<u32> {
    link.version.map(|(major, _)| major)
}
