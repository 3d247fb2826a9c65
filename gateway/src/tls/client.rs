//! TLS to subgraphs.

use rustls::{ClientConfig, RootCertStore};

use super::{InvalidTls, files, provider};
use crate::config::RemoteTlsConfig;

/// How to speak TLS to a subgraph. What protocol is spoken inside is left open.
pub(crate) fn client_config(config: &RemoteTlsConfig) -> Result<ClientConfig, InvalidTls> {
    let RemoteTlsConfig { ca_file, certificate_file, key_file } = config;
    let roots = if ca_file.as_os_str().is_empty() {
        RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }
    } else {
        files::authorities(ca_file)?
    };
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .expect("the provider has ciphers for the versions that it comes with")
        .with_root_certificates(roots);
    match (certificate_file.as_os_str().is_empty(), key_file.as_os_str().is_empty()) {
        (true, true) => Ok(builder.with_no_client_auth()),
        (false, false) => builder
            .with_client_auth_cert(files::certificates(certificate_file)?, files::private_key(key_file)?)
            .map_err(|cause| InvalidTls::Unusable {
                certificate: certificate_file.clone(),
                key: key_file.clone(),
                cause: cause.to_string(),
            }),
        _ => Err(InvalidTls::Settings("`certificate_file` and `key_file` go together; set both or none")),
    }
}
