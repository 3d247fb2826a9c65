//! What a merge of one type must know about all the others.

use std::collections::{BTreeMap, BTreeSet};

use crate::subgraph::{Kind, Subgraph, base_name, spec::Fed};

/// Whether another subgraph takes a field over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Overridden<'a> {
    Never,
    Always,
    /// As long as the label says so.
    Labelled(&'a str),
}

pub(crate) struct Facts<'a> {
    pub(crate) subgraphs: &'a [Subgraph],
    /// Interfaces and unions, and what may stand for them in any subgraph.
    subtypes: BTreeMap<&'a str, BTreeSet<&'a str>>,
    /// Enum names that some argument or input field uses, and those that some field returns.
    inputs: BTreeSet<&'a str>,
    outputs: BTreeSet<&'a str>,
    /// (subgraph, type, field) that lost the field by `@override`.
    overridden: BTreeMap<(&'a str, &'a str, &'a str), Overridden<'a>>,
}

impl<'a> Facts<'a> {
    pub(crate) fn new(subgraphs: &'a [Subgraph]) -> Self {
        let mut facts = Self {
            subgraphs,
            subtypes: BTreeMap::new(),
            inputs: BTreeSet::new(),
            outputs: BTreeSet::new(),
            overridden: BTreeMap::new(),
        };
        let directives = subgraphs.iter().flat_map(|subgraph| subgraph.directives.values());
        facts.inputs.extend(
            directives.flat_map(|directive| directive.args.values()).map(|argument| base_name(&argument.ty)),
        );
        for ty in subgraphs.iter().flat_map(|subgraph| subgraph.types.values()) {
            for interface in ty.implements.keys() {
                facts.subtypes.entry(interface).or_default().insert(&ty.name);
            }
            facts.subtypes.entry(&ty.name).or_default().extend(ty.members.keys().map(String::as_str));
            for field in ty.fields.values() {
                let used = if ty.kind == Kind::InputObject { &mut facts.inputs } else { &mut facts.outputs };
                used.insert(base_name(&field.ty));
                facts.inputs.extend(field.args.values().map(|arg| base_name(&arg.ty)));
                if let Some(directive) = field.get(Fed::Override)
                    && let Some(from) = directive.str_arg("from")
                {
                    let label = directive.str_arg("label").map_or(Overridden::Always, Overridden::Labelled);
                    facts.overridden.insert((from, &ty.name, &field.name), label);
                }
            }
        }
        facts
    }

    pub(crate) fn is_subtype(&self, sub: &str, of: &str) -> bool {
        sub == of || self.subtypes.get(of).is_some_and(|subtypes| subtypes.contains(sub))
    }

    pub(crate) fn is_input(&self, name: &str) -> bool {
        self.inputs.contains(name)
    }

    pub(crate) fn is_output(&self, name: &str) -> bool {
        self.outputs.contains(name)
    }

    /// Whether another subgraph takes over the field of this one.
    pub(crate) fn overridden(&self, subgraph: &'a Subgraph, ty: &'a str, field: &'a str) -> Overridden<'a> {
        let key = (subgraph.name.as_str(), ty, field);
        self.overridden.get(&key).copied().unwrap_or(Overridden::Never)
    }
}
