//! Who asks: credentials that were verified once are remembered, by their hash, until they end.

mod anonymous;
mod remembered;

pub use anonymous::AnonymousAuthenticator;
pub(crate) use remembered::RememberedCallers;
