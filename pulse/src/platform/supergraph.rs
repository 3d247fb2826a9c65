//! The supergraph that this program's own subgraphs make.

use std::fmt::Write as _;

use pulse_graphql::sdl;
use pulse_schema::{Diagnostic, SubgraphSdl, compose};

use crate::exit::Failure;

/// Each subgraph's name and SDL. Needs no database.
pub fn sdls() -> [(&'static str, String); 6] {
    [
        ("accounts", sdl(&pulse_accounts::schema())),
        ("analytics", sdl(&pulse_analytics::schema())),
        ("entities", sdl(&pulse_entities::schema())),
        ("operations", sdl(&pulse_operations::schema())),
        ("registry", sdl(&pulse_registry::schema())),
        ("vectors", sdl(&pulse_vectors::schema())),
    ]
}

/// The supergraph of this program's subgraphs. Their addresses in it are names that settings replace.
pub fn compose_own() -> Result<String, Failure> {
    let subgraphs = sdls().map(|(name, sdl)| SubgraphSdl {
        name: name.to_owned(),
        url: Some(format!("http://{name}:4001/graphql")),
        sdl,
    });
    supergraph_of(&subgraphs)
}

/// The supergraph of `subgraphs`, or every reason why there is none.
/// What clients see of it.
pub fn own_api() -> Result<String, String> {
    let supergraph = compose_own().map_err(|failure| failure.to_string())?;
    pulse_schema::api_schema(&supergraph)
        .map_err(|problems| problems.first().map(|problem| format!("{problem:?}")).unwrap_or_default())
}

fn supergraph_of(subgraphs: &[SubgraphSdl]) -> Result<String, Failure> {
    compose(subgraphs).map(|composition| composition.supergraph).map_err(not_composing)
}

/// Why schemas do not compose, in full.
pub fn not_composing(diagnostics: Vec<Diagnostic>) -> Failure {
    let mut text = format!("the schemas do not compose ({} problems):", diagnostics.len());
    for diagnostic in diagnostics {
        write!(text, "\n{diagnostic}").expect("writing to a String cannot fail");
    }
    Failure::Supergraph(text)
}
