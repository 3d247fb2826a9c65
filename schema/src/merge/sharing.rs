//! A field that several subgraphs resolve must be `@shareable` in each of them.

use super::{Merge, Source, facts::Overridden, fields::FieldSource};
use crate::{
    diagnostic::{Code, Diagnostic},
    subgraph::{Kind, spec::Fed},
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
}
