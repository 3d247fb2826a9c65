//! Certificates that tests make up.

use std::fs;
use std::path::PathBuf;

use pulse_gateway::{ClientCertificates, GatewayConfig, RemoteConfig, RemoteTlsConfig, ServerTlsConfig};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tempfile::TempDir;

/// An authority, and files that it signed.
pub(crate) struct Authority {
    pub(crate) folder: TempDir,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("ca.pem"), certificate.pem()).unwrap();
        Self { folder, issuer: Issuer::new(params, key) }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes `NAME.pem` and `NAME.key` for somebody with this name.
    pub(crate) fn sign(&self, name: &str, subject: &str) -> (PathBuf, PathBuf) {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec![subject.to_owned()]).unwrap();
        let certificate = certificate.signed_by(&key, &self.issuer).unwrap();
        let (pem, key_file) = (self.path(&format!("{name}.pem")), self.path(&format!("{name}.key")));
        fs::write(&pem, certificate.pem()).unwrap();
        fs::write(&key_file, key.serialize_pem()).unwrap();
        (pem, key_file)
    }

    /// Settings of a server at `localhost`.
    pub(crate) fn server(&self, client_certificates: ClientCertificates) -> ServerTlsConfig {
        let (certificate_file, key_file) = self.sign("server", "localhost");
        let client_ca_file = if client_certificates == ClientCertificates::None {
            PathBuf::new()
        } else {
            self.path("ca.pem")
        };
        ServerTlsConfig { certificate_file, key_file, client_ca_file, client_certificates }
    }

    /// Settings of a gateway that trusts this authority, and shows a certificate if it has one.
    pub(crate) fn remote(&self, certificate: Option<(PathBuf, PathBuf)>) -> GatewayConfig {
        let (certificate_file, key_file) = certificate.unwrap_or_default();
        let tls = RemoteTlsConfig { ca_file: self.path("ca.pem"), certificate_file, key_file };
        GatewayConfig { remote: RemoteConfig { tls, ..RemoteConfig::default() }, ..GatewayConfig::default() }
    }
}
