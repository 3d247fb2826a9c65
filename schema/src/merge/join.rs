//! The directives of the `join` specification, which tell the planner who has what.

use async_graphql_value::ConstValue;

use super::Source;
use crate::subgraph::{Directive, Kind, Subgraph, field_set};

/// A quoted string that any GraphQL parser reads back.
pub(super) fn quoted(text: &str) -> String {
    ConstValue::String(text.to_owned()).to_string()
}

/// `@join__implements`, `@join__type`, `@join__unionMember` of a type.
pub(super) fn of_type(name: &str, sources: &[Source<'_>], subgraphs: &[Subgraph]) -> Vec<String> {
    let mut printed = Vec::new();
    for source in sources {
        let implements = source.ty.implements.keys();
        printed.extend(implements.map(|interface| {
            format!("@join__implements(graph: {}, interface: {})", source.subgraph.graph, quoted(interface))
        }));
    }
    if name == "Query" {
        // The planner enters each subgraph by its Query, also where that has only `_entities`.
        printed.extend(subgraphs.iter().map(|subgraph| format!("@join__type(graph: {})", subgraph.graph)));
    } else {
        printed.extend(sources.iter().flat_map(join_types));
    }
    for source in sources {
        let members = source.ty.members.keys();
        printed.extend(members.map(|member| {
            format!("@join__unionMember(graph: {}, member: {})", source.subgraph.graph, quoted(member))
        }));
    }
    printed
}

fn join_types(source: &Source<'_>) -> Vec<String> {
    let is_extension = source.ty.extension && matches!(source.ty.kind, Kind::Object | Kind::Interface);
    let print = |key: Option<&Directive>| {
        let mut arguments = vec![format!("graph: {}", source.subgraph.graph)];
        if let Some(fields) = key.and_then(Directive::fields) {
            arguments.push(format!("key: {}", quoted(&field_set::normalize(fields))));
        }
        let is_resolvable = key.and_then(|key| key.arg("resolvable")) != Some(&ConstValue::Boolean(false));
        let flags = [
            ("extension: true", is_extension && !source.ty.is_root()),
            ("resolvable: false", !is_resolvable),
            ("isInterfaceObject: true", source.is_interface_object()),
        ];
        arguments.extend(flags.into_iter().filter(|(_, is_set)| *is_set).map(|(flag, _)| flag.to_owned()));
        format!("@join__type({})", arguments.join(", "))
    };
    let keys: Vec<_> = source.ty.keys().map(|key| print(Some(key))).collect();
    if keys.is_empty() { vec![print(None)] } else { keys }
}

/// What one subgraph has to say about a field; nothing but its name in the plainest case.
#[derive(Default)]
pub(super) struct JoinField<'a> {
    pub(super) graph: &'a str,
    pub(super) ty: Option<String>,
    pub(super) requires: Option<String>,
    pub(super) provides: Option<String>,
    pub(super) external: bool,
    pub(super) overrides: Option<&'a str>,
    pub(super) override_label: Option<&'a str>,
    pub(super) used_overridden: bool,
}

impl JoinField<'_> {
    pub(super) fn is_plain(&self) -> bool {
        self.arguments().is_empty()
    }

    pub(super) fn print(&self) -> String {
        let mut arguments = vec![format!("graph: {}", self.graph)];
        arguments.extend(self.arguments());
        format!("@join__field({})", arguments.join(", "))
    }

    /// All but the graph.
    fn arguments(&self) -> Vec<String> {
        let texts = [
            ("requires", self.requires.as_deref()),
            ("provides", self.provides.as_deref()),
            ("type", self.ty.as_deref()),
            ("override", self.overrides),
            ("overrideLabel", self.override_label),
        ];
        let flags = [("external", self.external), ("usedOverridden", self.used_overridden)];
        let texts = texts.into_iter().filter_map(|(name, text)| Some(format!("{name}: {}", quoted(text?))));
        let flags = flags.into_iter().filter(|(_, is_set)| *is_set).map(|(name, _)| format!("{name}: true"));
        texts.chain(flags).collect()
    }
}
