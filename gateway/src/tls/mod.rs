//! TLS, to subgraphs and from clients: certificates and keys out of files that may change.

mod client;
mod files;
mod server;

use std::path::PathBuf;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;

pub(crate) use client::client_config;
pub(crate) use files::Watched;
pub(crate) use server::server_config;

/// Why TLS cannot be used as the configuration says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTls {
    /// A file cannot be read.
    #[error("the file {path} cannot be read: {cause}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        cause: String,
    },
    /// A file does not hold what it should.
    #[error("the file {path} has no {what} in it; it must be PEM")]
    Empty {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
    },
    /// Certificate and key cannot be used.
    #[error("the certificate {certificate} with the key {key} cannot be used: {cause}")]
    Unusable {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// Why not.
        cause: String,
    },
    /// The authorities cannot be used.
    #[error("the authorities in {path} cannot be used: {cause}")]
    Authorities {
        /// The file.
        path: PathBuf,
        /// Why not.
        cause: String,
    },
    /// Settings that do not go together.
    #[error("{0}")]
    Settings(&'static str),
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}
