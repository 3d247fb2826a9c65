//! The directives of the `join` specification, which tell the planner who has what.

use super::Source;
use crate::subgraph::{Directive, Kind, Subgraph, field_set};

/// A quoted string that any GraphQL parser reads back.
pub(super) fn quoted(text: &str) -> String {
    async_graphql_value::ConstValue::String(text.to_owned()).to_string()
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
    let print = |key: Option<&Directive>| {
        let mut text = format!("@join__type(graph: {}", source.subgraph.graph);
        if let Some(fields) = key.and_then(Directive::fields) {
            text += &format!(", key: {}", quoted(&field_set::normalize(fields)));
        }
        if source.ty.extension
            && matches!(source.ty.kind, Kind::Object | Kind::Interface)
            && !source.ty.is_root()
        {
            text += ", extension: true";
        }
        let resolvable = key.and_then(|key| key.arg("resolvable"));
        if matches!(resolvable, Some(async_graphql_value::ConstValue::Boolean(false))) {
            text += ", resolvable: false";
        }
        if source.is_interface_object() {
            text += ", isInterfaceObject: true";
        }
        text + ")"
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
        let Self { graph: _, ty, requires, provides, external, overrides, override_label, used_overridden } =
            self;
        let texts = [
            ty.is_some(),
            requires.is_some(),
            provides.is_some(),
            overrides.is_some(),
            override_label.is_some(),
        ];
        !texts.contains(&true) && !external && !used_overridden
    }

    pub(super) fn print(&self) -> String {
        let mut text = format!("@join__field(graph: {}", self.graph);
        let arguments = [
            ("requires", self.requires.as_deref()),
            ("provides", self.provides.as_deref()),
            ("type", self.ty.as_deref()),
            ("override", self.overrides),
            ("overrideLabel", self.override_label),
        ];
        for (name, value) in arguments {
            if let Some(value) = value {
                text += &format!(", {name}: {}", quoted(value));
            }
        }
        for (name, is_set) in [("external", self.external), ("usedOverridden", self.used_overridden)] {
            if is_set {
                text += &format!(", {name}: true");
            }
        }
        text + ")"
    }
}
