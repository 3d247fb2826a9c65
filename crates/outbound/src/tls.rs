//! TLS to others.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

/// Why a setting that names a file of authorities cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{setting}: {} has no certificate of an authority that can be used: {cause}", path.display())]
pub struct InvalidCaFile {
    setting: &'static str,
    path: PathBuf,
    cause: String,
}

/// Trusts the public authorities, and those in `ca_file`, which `setting` names, when it is not empty.
pub fn connector(setting: &'static str, ca_file: &Path) -> Result<TlsConnector, InvalidCaFile> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if !ca_file.as_os_str().is_empty() {
        let invalid = |cause: String| InvalidCaFile { setting, path: ca_file.to_owned(), cause };
        let certificates = CertificateDer::pem_file_iter(ca_file)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|cause| invalid(cause.to_string()))?;
        if certificates.is_empty() {
            return Err(invalid("there is none in it".to_owned()));
        }
        for certificate in certificates {
            roots.add(certificate).map_err(|cause| invalid(cause.to_string()))?;
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has ciphers for the versions that it comes with")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}
