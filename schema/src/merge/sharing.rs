//! A field that several subgraphs resolve must be `@shareable` in each of them.

use std::collections::BTreeSet;

use super::{Merge, Source, facts::Overridden, fields::FieldSource};
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    subgraph::{Kind, base_name, spec::Fed},
};

impl<'a> Merge<'a> {
    pub(super) fn check_sharing(&mut self, ty: &str, sources: &[Source<'a>], present: &[FieldSource<'a>]) {
        let is_object = |source: &FieldSource<'a>| {
            sources
                .iter()
                .any(|other| other.subgraph.name == source.subgraph.name && other.ty.kind == Kind::Object)
        };
        // Where a label decides who answers, the field is not shared but moving.
        let resolving: Vec<_> = present
            .iter()
            .filter(|source| source.resolves() && source.overridden == Overridden::Never && is_object(source))
            .collect();
        if resolving.len() < 2 {
            return;
        }
        self.check_runtime_types(ty, &resolving);
        let may_share = |source: &&&FieldSource<'a>| {
            ty != "Subscription"
                && (source.field.has(Fed::Shareable)
                    || source.subgraph.key_fields.contains(&(ty.to_owned(), source.field.name.clone())))
        };
        let selfish: Vec<_> = resolving
            .iter()
            .filter(|source| !may_share(source))
            .map(|source| source.subgraph.name.as_str())
            .collect();
        if selfish.is_empty() {
            return;
        }
        let all: Vec<_> = resolving.iter().map(|source| source.subgraph.name.as_str()).collect();
        let field = &resolving[0].field.name;
        let message = format!(
            "field is resolved by {}, but not marked @shareable in {}",
            all.join(", "),
            selfish.join(", ")
        );
        let help = if ty == "Subscription" {
            "a subscription has one source: define it in one subgraph".to_owned()
        } else {
            format!(
                "mark it @shareable in {} if all resolve it alike, mark it @external where it is only referred to, or move it by @override(from: \"…\")",
                selfish.join(", ")
            )
        };
        let error = Diagnostic::error(Code::InvalidFieldSharing, format!("{ty}.{field}"), message).help(help);
        self.report
            .push(Diagnostic { places: resolving.iter().map(|source| source.place()).collect(), ..error });
    }

    /// What a shared field returns must not depend on which subgraph is asked.
    fn check_runtime_types(&mut self, ty: &str, resolving: &[&FieldSource<'a>]) {
        let mut by_subgraph: Vec<(&FieldSource<'a>, BTreeSet<&'a str>)> = Vec::new();
        for source in resolving {
            let (subgraph, name) = (source.subgraph, base_name(&source.field.ty));
            let Some(returned) = subgraph.types.get(name).filter(|ty| ty.kind.is_composite()) else { return };
            if returned.has(Fed::InterfaceObject) {
                return;
            }
            let objects = if returned.kind == Kind::Object {
                BTreeSet::from([returned.name.as_str()])
            } else {
                subgraph.implementations(name).map(|object| object.name.as_str()).collect()
            };
            by_subgraph.push((*source, objects));
        }
        let Some((_, first)) = by_subgraph.first() else { return };
        if by_subgraph.iter().all(|(_, objects)| objects == first) {
            return;
        }
        let common = by_subgraph.iter().fold(first.clone(), |common, (_, objects)| &common & objects);
        let listed: Vec<_> = by_subgraph
            .iter()
            .map(|(source, objects)| {
                let objects = objects.iter().copied().collect::<Vec<_>>().join(", ");
                format!("{objects} in {}", source.subgraph.name)
            })
            .collect();
        let coordinate = format!("{ty}.{}", resolving[0].field.name);
        let diagnostic = if common.is_empty() {
            let message = format!("shared field returns {}, which have no type in common", listed.join("; "));
            Diagnostic::error(Code::ShareableRuntimeTypes, coordinate, message)
                .help("a shared field is resolved alike everywhere: define the same types in each subgraph")
        } else {
            let message =
                format!("shared field returns {}, so the answer depends on who is asked", listed.join("; "));
            Diagnostic::hint(Code::InconsistentRuntimeTypes, coordinate, message)
                .help("define the same types in each of these subgraphs if the field can return them there")
        };
        let places = resolving.iter().map(|source| source.place()).collect();
        self.report.push(Diagnostic { places, ..diagnostic });
    }
}
