//! Who asks: credentials that were verified once are remembered, by their hash, until they end.

mod anonymous;
mod jwt;
mod remembered;
mod watch;

pub use anonymous::AnonymousAuthenticator;
pub use jwt::{JwtAuthenticator, JwtError};
pub(crate) use remembered::{Known, RememberedCallers};
pub(crate) use watch::Watch;
