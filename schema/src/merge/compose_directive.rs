//! `@composeDirective`: directives of the subgraphs' own that the supergraph keeps.

use std::collections::BTreeMap;

use async_graphql_parser::Pos;

use crate::{
    code::Code,
    diagnostic::Diagnostic,
    print,
    subgraph::{Subgraph, links::Link, spec::Fed},
    supergraph::ComposedDirective,
};

/// One directive that a subgraph composes: the specification, and its name there.
#[derive(Clone, Copy)]
struct Composed<'a> {
    subgraph: &'a Subgraph,
    name: &'a str,
    link: &'a Link,
    element: &'a str,
    pos: Pos,
}

impl Composed<'_> {
    fn error(&self, message: impl Into<String>, help: &str) -> Diagnostic {
        error(self.subgraph, self.name, self.pos, message).help(help)
    }
}

fn error(subgraph: &Subgraph, name: &str, pos: Pos, message: impl Into<String>) -> Diagnostic {
    Diagnostic::error(Code::DirectiveCompositionError, format!("@{name}"), message).at(subgraph, pos)
}

/// Each directive once, with the newest link among the subgraphs that compose it.
pub(super) fn collect(subgraphs: &[Subgraph], report: &mut Vec<Diagnostic>) -> Vec<ComposedDirective> {
    let mut found: BTreeMap<&str, Composed<'_>> = BTreeMap::new();
    for subgraph in subgraphs {
        for (name, pos) in &subgraph.composed {
            let Some(composed) = read(subgraph, name, *pos, report) else { continue };
            if let Some(other) =
                found.values().find(|other| is_same_element(other, &composed) && other.name != composed.name)
            {
                let message = format!("{} calls this directive @{}", other.subgraph.name, other.name);
                report.push(composed.error(message, "import it under the same name everywhere"));
                continue;
            }
            match found.get(composed.name) {
                Some(other)
                    if !is_same_element(other, &composed) || major(other.link) != major(composed.link) =>
                {
                    report.push(composed.error(
                        format!("{} links this directive from {}", other.subgraph.name, other.link.url),
                        "link the same specification in the same major version everywhere",
                    ));
                }
                Some(other) => {
                    let is_newer = other.link.version < composed.link.version;
                    let (older, newer) = if is_newer { (*other, composed) } else { (composed, *other) };
                    if older.link.version != newer.link.version {
                        report.push(older_version(&older, &newer));
                    }
                    found.insert(composed.name, newer);
                }
                None => {
                    found.insert(composed.name, composed);
                }
            }
        }
    }
    found.into_values().filter_map(|composed| print_composed(&composed)).collect()
}

fn read<'a>(
    subgraph: &'a Subgraph,
    written: &'a str,
    pos: Pos,
    report: &mut Vec<Diagnostic>,
) -> Option<Composed<'a>> {
    let Some(name) = written.strip_prefix('@') else {
        let problem = error(subgraph, written, pos, format!("\"{written}\" does not begin with @"));
        report.push(problem.help(format!("write @composeDirective(name: \"@{written}\")")));
        return None;
    };
    match subgraph.links.directive(name) {
        // Servers that know it have it composed by hand; here it is kept without being asked for, and merged.
        Some(Fed::CacheControl) => return None,
        Some(fed) => {
            report.push(federation_directive(subgraph, name, pos, fed));
            return None;
        }
        None => {}
    }
    let Some((link, element)) = subgraph.links.origin(name) else {
        let problem = error(subgraph, name, pos, "@composeDirective names a directive that no @link imports");
        report.push(problem.help("link the specification of the directive and import it"));
        return None;
    };
    let composed = Composed { subgraph, name, link, element, pos };
    if !subgraph.directives.contains_key(name) {
        report.push(composed.error(
            "@composeDirective names a directive that this subgraph does not define",
            "add its `directive @… on …` definition",
        ));
        return None;
    }
    Some(composed)
}

/// Some of them reach the supergraph anyway; the others are for composition alone.
fn federation_directive(subgraph: &Subgraph, name: &str, pos: Pos, fed: Fed) -> Diagnostic {
    let is_composed = matches!(
        fed,
        Fed::Tag
            | Fed::Inaccessible
            | Fed::Authenticated
            | Fed::RequiresScopes
            | Fed::Policy
            | Fed::Cost
            | Fed::ListSize
    );
    if is_composed {
        let message = "directive comes through to the supergraph without @composeDirective";
        return Diagnostic::hint(Code::DirectiveCompositionInfo, format!("@{name}"), message)
            .at(subgraph, pos)
            .help("remove this @composeDirective");
    }
    error(subgraph, name, pos, "directive is for composition, which leaves nothing of it to compose")
        .help("remove this @composeDirective")
}

fn older_version(older: &Composed<'_>, newer: &Composed<'_>) -> Diagnostic {
    let message =
        format!("{} links {}, the supergraph {}", older.subgraph.name, older.link.url, newer.link.url);
    Diagnostic::hint(Code::DirectiveCompositionInfo, format!("@{}", older.name), message)
        .at(older.subgraph, older.pos)
        .help("link the newer version everywhere")
}

fn print_composed(composed: &Composed<'_>) -> Option<ComposedDirective> {
    let Composed { subgraph, name, link, element, .. } = composed;
    let definition = &subgraph.directives.get(*name)?.definition;
    let import = if element == name {
        format!("\"@{name}\"")
    } else {
        format!("{{ name: \"@{element}\", as: \"@{name}\" }}")
    };
    Some(ComposedDirective {
        definition: print::directive_definition(definition),
        name: (*name).to_owned(),
        identity: link.identity.clone(),
        link: format!("@link(url: {}, import: [{import}])", super::join::quoted(&link.url)),
    })
}

fn is_same_element(a: &Composed<'_>, b: &Composed<'_>) -> bool {
    a.link.identity == b.link.identity && a.element == b.element
}

fn major(link: &Link) -> Option<u32> {
    link.version.map(|(major, _)| major)
}
