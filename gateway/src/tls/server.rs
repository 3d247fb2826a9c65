//! TLS from clients.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::server::WebPkiClientVerifier;

use super::{InvalidTls, files, provider};
use crate::config::{ClientCertificates, ServerTlsConfig};

/// How to speak TLS to clients, HTTP/2 or HTTP/1.1 inside; `None` when there is no certificate to show.
pub(crate) fn server_config(config: &ServerTlsConfig) -> Result<Option<ServerConfig>, InvalidTls> {
    let ServerTlsConfig { certificate_file, key_file, client_ca_file, client_certificates } = config;
    let has_authorities = !client_ca_file.as_os_str().is_empty();
    match (certificate_file.as_os_str().is_empty(), key_file.as_os_str().is_empty()) {
        (true, true) if has_authorities || *client_certificates != ClientCertificates::None => {
            let message =
                "clients show certificates only over TLS; set `certificate_file` and `key_file` too";
            return Err(InvalidTls::Settings(message));
        }
        (true, true) => return Ok(None),
        (false, false) => {}
        _ => {
            return Err(InvalidTls::Settings(
                "`certificate_file` and `key_file` go together; set both or none",
            ));
        }
    }
    let builder = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .expect("the provider has ciphers for the versions that it comes with");
    let builder = match (client_certificates, has_authorities) {
        (ClientCertificates::None, _) => builder.with_no_client_auth(),
        (_, false) => {
            let message = "`client_ca_file` must say whose certificates of clients are good";
            return Err(InvalidTls::Settings(message));
        }
        (wanted, true) => {
            let roots = Arc::new(files::authorities(client_ca_file)?);
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider());
            let verifier = match wanted {
                ClientCertificates::Optional => verifier.allow_unauthenticated(),
                ClientCertificates::Required | ClientCertificates::None => verifier,
            };
            let unusable = |cause: rustls::server::VerifierBuilderError| InvalidTls::Authorities {
                path: client_ca_file.clone(),
                cause: cause.to_string(),
            };
            builder.with_client_cert_verifier(verifier.build().map_err(unusable)?)
        }
    };
    let unusable = |cause: rustls::Error| InvalidTls::Unusable {
        certificate: certificate_file.clone(),
        key: key_file.clone(),
        cause: cause.to_string(),
    };
    let mut tls = builder
        .with_single_cert(files::certificates(certificate_file)?, files::private_key(key_file)?)
        .map_err(unusable)?;
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Some(tls))
}
