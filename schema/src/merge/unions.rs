//! Unions: the members of all subgraphs.

use std::collections::BTreeSet;

use super::Source;

pub(super) fn members(sources: &[Source<'_>]) -> BTreeSet<String> {
    sources.iter().flat_map(|source| source.ty.members.keys().cloned()).collect()
}
