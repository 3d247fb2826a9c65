//! TLS to subgraphs.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The section `[gateway.remote.tls]`. The files are PEM, and are read again when they change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct RemoteTlsConfig {
    /// The authorities to trust; empty for those that Mozilla trusts.
    pub ca_file: PathBuf,
    /// The certificate to show, with its chain; empty for none.
    pub certificate_file: PathBuf,
    /// Its private key.
    pub key_file: PathBuf,
}
