//! Composition, from SDL to supergraph or diagnostics.

mod api;
mod cases;
mod mutations;
