//! TLS for clients.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The section `[gateway.tls]`. The files are PEM, and are read again when they change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServerTlsConfig {
    /// The certificate to show, with its chain; empty for no TLS.
    pub certificate_file: PathBuf,
    /// Its private key.
    pub key_file: PathBuf,
    /// The authorities whose certificates clients may show; empty for none.
    pub client_ca_file: PathBuf,
    /// Whether clients show certificates of their own.
    pub client_certificates: ClientCertificates,
}

/// Whether clients show certificates of their own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ClientCertificates {
    /// They are not asked.
    #[default]
    None,
    /// They may; one that is no good ends the connection.
    Optional,
    /// They must.
    Required,
}
