//! Supergraphs of older compositions, brought to the form that the planner reads: join v0.1 is what Federation 1 writes,
//! join v0.2 what the first of Federation 2 wrote.

mod features;
mod members;
mod placed;
mod reach;
mod write;

use graphql_tools::static_graphql::schema as sdl;

use super::LoadError;
use features::Features;
use placed::Placed;

/// Brings a supergraph to the newer form. One that has it stays as it is.
pub(super) fn upgrade(document: &mut sdl::Document) -> Result<(), LoadError> {
    let features = Features::of(document)?;
    match features.join_version()? {
        Some((0, 1)) => {
            let old = document.clone();
            write::write(&Placed::of(&old)?, document);
        }
        Some((0, 2)) => members::complete(document),
        _ => {}
    }
    features.link(document);
    Ok(())
}

/// What is wrong with a supergraph, and what to do about it.
fn unsupported(what: String, instead: &str) -> LoadError {
    LoadError::Unsupported { what, instead: instead.to_owned() }
}
