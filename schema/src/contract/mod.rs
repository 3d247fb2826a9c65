//! Contracts: the part of a supergraph that some clients may see, chosen by `@tag`.
//!
//! What a contract leaves out becomes `@inaccessible`, so a contract is a supergraph like any other.

mod hide;
mod rewrite;

use std::collections::BTreeSet;

use crate::{code::Code, diagnostic::Diagnostic, subgraph::parse};

/// Which parts of a supergraph a contract shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContractFilter {
    /// If there are any, fields of objects and interfaces are shown only with one of these tags, on
    /// the field or on its type.
    pub include: BTreeSet<String>,
    /// Whatever has one of these tags is left out.
    pub exclude: BTreeSet<String>,
    /// Whether types that no shown field or argument leads to are left out.
    pub hide_unreachable: bool,
}

/// The supergraph whose API schema is the contract.
///
/// What cannot stand without something left out is left out too: a field whose type is gone, a
/// field whose required argument is gone, a type that has nothing left, a field of an interface
/// that an implementation does not show.
pub fn contract(supergraph: &str, filter: &ContractFilter) -> Result<String, Vec<Diagnostic>> {
    let mut report = Vec::new();
    let schema = match parse::parse_whole("supergraph", supergraph, &mut report) {
        Some(schema) if report.is_empty() => schema,
        _ => return Err(report),
    };
    let hidden = hide::hidden(&schema, filter);
    if !schema.types.contains_key("Query") || hidden.contains("Query") {
        let message = "the tags leave no query that a client could send";
        let error = Diagnostic::error(Code::ContractRemovesEverything, "Query", message);
        return Err(vec![
            error.help("include a tag that a field of Query has, and that what it returns has"),
        ]);
    }
    Ok(rewrite::with_hidden(&schema, &hidden))
}
