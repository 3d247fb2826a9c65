//! Routes, derived and described, without a server.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

mod openapi;
mod routes;

use pulse_rest::{Mapping, Routes};

/// A file of the folder in which the committed schemas are.
pub(crate) fn committed(name: &str) -> String {
    std::fs::read_to_string(format!("{}/../schema/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// The routes of Pulse's own API.
pub(crate) fn own() -> Routes {
    Routes::derive(&committed("supergraph.graphql"), &Mapping::read(&committed("rest.toml")).unwrap())
        .unwrap()
}
