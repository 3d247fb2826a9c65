//! TLS to subgraphs and from clients, with certificates on both sides, and files that change.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use pulse_gateway::{ClientCertificates, GatewayConfig, ServerConfig, ServerTlsConfig, serve};
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpListener;

use crate::support::authority::Authority;
use crate::support::gateway::TestGateway;
use crate::support::two_subgraphs::{gateway, two_parts, with_urls};

/// A subgraph over TLS: the gateway's own server in front of one answer.
async fn subgraph(tls: ServerTlsConfig) -> String {
    let answer = async |request: axum::extract::Request| {
        let body = format!(r#"{{"data":{{"hello":"{:?}"}}}}"#, request.version());
        axum::response::Response::builder().header("content-type", "application/json").body(body).unwrap()
    };
    let router = axum::Router::new().route("/graphql", axum::routing::post(answer));
    start(router, tls).await
}

async fn start(router: axum::Router, tls: ServerTlsConfig) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let config = ServerConfig { tls, ..ServerConfig::from(&GatewayConfig::default()) };
    tokio::spawn(async move { serve(listener, router, config, std::future::pending()).await.unwrap() });
    format!("https://localhost:{port}/graphql")
}

async fn asked(url: &str, config: GatewayConfig) -> String {
    let gateway = gateway(url, "http://localhost:1", config).await;
    gateway.post(r#"{"query":"{ hello }"}"#).await.text().to_owned()
}

const SPOKEN: &str = r#"{"data":{"hello":"HTTP/2.0"}}"#;

#[tokio::test]
async fn a_subgraph_is_trusted_by_its_own_authority_alone() {
    let (authority, other) = (Authority::new(), Authority::new());
    let url = subgraph(authority.server(ClientCertificates::None)).await;
    assert_eq!(asked(&url, authority.remote(None)).await, SPOKEN);
    let untrusted = r#""code":"UNAVAILABLE""#;
    assert!(asked(&url, other.remote(None)).await.contains(untrusted));
    assert!(asked(&url, GatewayConfig::default()).await.contains(untrusted), "by Mozilla's authorities");
    assert!(asked(&url.replace("localhost", "127.0.0.1"), authority.remote(None)).await.contains(untrusted));
}

#[tokio::test]
async fn a_subgraph_may_ask_for_the_gateways_certificate() {
    let (authority, other) = (Authority::new(), Authority::new());
    let url = subgraph(authority.server(ClientCertificates::Required)).await;
    let shown = authority.remote(Some(authority.sign("client", "gateway")));
    assert_eq!(asked(&url, shown).await, SPOKEN);
    assert!(asked(&url, authority.remote(None)).await.contains("UNAVAILABLE"));
    let foreign = authority.remote(Some(other.sign("client", "gateway")));
    assert!(asked(&url, foreign).await.contains("UNAVAILABLE"));
}

/// Asks a server whether it lives, with or without a certificate. `None` when there is no connection.
async fn lives(url: &str, authority: &Path, certificate: Option<&(PathBuf, PathBuf)>) -> Option<String> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let tls = match certificate {
        None => builder.with_no_client_auth(),
        Some((pem, key)) => builder
            .with_client_auth_cert(
                vec![CertificateDer::from_pem_file(pem).unwrap()],
                PrivateKeyDer::from_pem_file(key).unwrap(),
            )
            .unwrap(),
    };
    let connector =
        hyper_rustls::HttpsConnectorBuilder::new().with_tls_config(tls).https_only().enable_http1().build();
    let client = Client::builder(TokioExecutor::new()).build::<_, Empty<bytes::Bytes>>(connector);
    let response = client.get(url.replace("/graphql", "/health/live").parse().unwrap()).await.ok()?;
    let body = response.into_body().collect().await.ok()?.to_bytes();
    Some(String::from_utf8(body.to_vec()).unwrap())
}

async fn tls_gateway(tls: ServerTlsConfig) -> (TestGateway, String) {
    let config = GatewayConfig { tls, ..GatewayConfig::default() };
    let config = with_urls(config, "http://localhost:1", "http://localhost:1");
    let gateway = TestGateway::with(two_parts(&config), config).await;
    let url = gateway.url.replace("http://127.0.0.1", "https://localhost");
    (gateway, format!("{url}/graphql"))
}

const LIVE: Option<&str> = Some(r#"{"status":"live"}"#);

#[tokio::test]
async fn clients_are_served_over_tls_and_asked_for_certificates_as_configured() {
    let (authority, other) = (Authority::new(), Authority::new());
    let ca = authority.path("ca.pem");
    let (good, foreign) = (authority.sign("client", "somebody"), other.sign("client", "somebody"));
    for (wanted, without, with_foreign) in [
        (ClientCertificates::None, LIVE, LIVE),
        (ClientCertificates::Optional, LIVE, None),
        (ClientCertificates::Required, None, None),
    ] {
        let (_gateway, url) = tls_gateway(authority.server(wanted)).await;
        assert_eq!(lives(&url, &ca, None).await.as_deref(), without, "{wanted:?}");
        assert_eq!(lives(&url, &ca, Some(&good)).await.as_deref(), LIVE, "{wanted:?}");
        assert_eq!(lives(&url, &ca, Some(&foreign)).await.as_deref(), with_foreign, "{wanted:?}");
    }
}

#[tokio::test]
async fn certificates_are_read_again_when_their_files_change_and_kept_when_they_turn_bad() {
    let (old, new) = (Authority::new(), Authority::new());
    let tls = old.server(ClientCertificates::None);
    let (_gateway, url) = tls_gateway(tls.clone()).await;
    assert_eq!(lives(&url, &old.path("ca.pem"), None).await.as_deref(), LIVE);
    fs::write(&tls.certificate_file, "nonsense").unwrap();
    for _ in 0..15 {
        assert_eq!(lives(&url, &old.path("ca.pem"), None).await.as_deref(), LIVE);
        crate::support::pause(Duration::from_millis(100)).await;
    }
    let (certificate, key) = new.sign("server", "localhost");
    fs::copy(key, &tls.key_file).unwrap();
    fs::copy(certificate, &tls.certificate_file).unwrap();
    while lives(&url, &new.path("ca.pem"), None).await.is_none() {
        crate::support::pause(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn files_that_are_no_certificates_stop_the_start() {
    let authority = Authority::new();
    let good = authority.server(ClientCertificates::None);
    let other_key = authority.sign("other", "localhost").1;
    fs::write(authority.path("empty.pem"), "").unwrap();
    let mut refusals = Vec::new();
    for tls in [
        ServerTlsConfig { certificate_file: authority.path("missing.pem"), ..good.clone() },
        ServerTlsConfig { certificate_file: authority.path("empty.pem"), ..good.clone() },
        ServerTlsConfig { key_file: authority.path("empty.pem"), ..good.clone() },
        ServerTlsConfig { key_file: other_key, ..good.clone() },
        ServerTlsConfig { key_file: PathBuf::new(), ..good.clone() },
        ServerTlsConfig { client_certificates: ClientCertificates::Required, ..good },
        ServerTlsConfig { client_certificates: ClientCertificates::Required, ..ServerTlsConfig::default() },
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let config = ServerConfig { tls, ..ServerConfig::from(&GatewayConfig::default()) };
        let refused = serve(listener, axum::Router::new(), config, std::future::pending()).await.unwrap_err();
        refusals.push(refused.to_string().replace(authority.folder.path().to_str().unwrap(), "FOLDER"));
    }
    let remote = GatewayConfig {
        remote: toml::from_str("tls.ca_file = \"/nowhere/ca.pem\"").unwrap(),
        ..GatewayConfig::default()
    };
    let remote = with_urls(remote, "https://localhost:1", "https://localhost:1");
    let refused = pulse_gateway::Gateway::init(two_parts(&remote), remote).await.err().unwrap();
    refusals.push(refused.to_string());
    insta::assert_snapshot!(refusals.join("\n"), @r"
    the file FOLDER/missing.pem cannot be read: No such file or directory (os error 2)
    the file FOLDER/empty.pem has no certificate in it; it must be PEM
    the file FOLDER/empty.pem has no private key in it; it must be PEM
    the certificate FOLDER/server.pem with the key FOLDER/other.key cannot be used: keys may not be consistent: KeyMismatch
    `certificate_file` and `key_file` go together; set both or none
    `client_ca_file` must say whose certificates of clients are good
    clients show certificates only over TLS; set `certificate_file` and `key_file` too
    the supergraph's subgraphs cannot be used: the subgraph `shaky`: the file /nowhere/ca.pem cannot be read: No such file or directory (os error 2)
    ");
}
