//! `extend` needs something to extend, in this subgraph or another.

use super::Report;
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    subgraph::{Kind, Subgraph},
};

pub(super) fn extensions_have_a_base(subgraphs: &[Subgraph], report: &mut Report) {
    for subgraph in subgraphs {
        for ty in subgraph.types.values().filter(|ty| ty.extension && !ty.is_root()) {
            let is_base = |other: &Subgraph| other.types.get(&ty.name).is_some_and(|ty| !ty.extension);
            if subgraphs.iter().any(is_base) {
                continue;
            }
            let keyword = if ty.kind == Kind::Object { "type" } else { ty.kind.as_str() };
            let message = format!("extends {}, which no subgraph defines", ty.name);
            report.push(
                Diagnostic::error(Code::ExtensionWithNoBase, &ty.name, message)
                    .at(subgraph, ty.pos)
                    .help(format!("write `{keyword} {}` without `extend` where it belongs", ty.name)),
            );
        }
    }
}
