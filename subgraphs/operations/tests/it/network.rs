//! Where requests go, and where they do not.

use std::fs;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::receiver::Reply;
use crate::stage::{CREATE, HOST, Stage};

/// The error of the one delivery after one attempt.
async fn error_of(stage: &Stage, webhook: &str) -> String {
    stage.created().await;
    stage.send().await;
    let delivery = stage.delivery(webhook).await;
    assert_eq!(delivery["status"], "PENDING");
    delivery["lastError"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let stage = Stage::new().await;
    let (webhook, _) = stage.webhook().await;
    stage.receiver.answers(Reply::Redirect(stage.url("/elsewhere")));
    let error = error_of(&stage, &webhook).await;
    assert!(error.starts_with("redirects are not followed: it answered 307"), "{error}");
    let paths: Vec<_> = stage.receiver.all().into_iter().map(|received| received.path).collect();
    assert_eq!(paths, ["/hook"]);
}

#[tokio::test]
async fn a_name_that_stands_for_a_private_address_is_not_called() {
    let stage = Stage::new().await;
    let (webhook, _) = stage.webhook().await;
    stage.names.set(HOST, &["10.0.0.7"]);
    let error = error_of(&stage, &webhook).await;
    assert_eq!(error, "hooks.test stands for an address in a private or reserved network");
    // Nor when another of its addresses could be.
    stage.forward(std::time::Duration::from_secs(10));
    stage.names.set(HOST, &["127.0.0.1", "::ffff:169.254.169.254"]);
    stage.send().await;
    assert_eq!(stage.delivery(&webhook).await["attempts"], 2);
    assert!(stage.receiver.all().is_empty());
}

#[tokio::test]
async fn a_name_is_looked_up_anew_for_each_attempt_and_once() {
    let stage = Stage::new().await;
    let (webhook, _) = stage.webhook().await;
    stage.created().await;
    stage.send().await;
    assert_eq!(stage.receiver.all().len(), 1);
    // It was good when it was first called, and now leads inside.
    stage.names.set(HOST, &["192.168.1.1"]);
    stage.created().await;
    stage.send().await;
    assert!(stage.receiver.all().is_empty());
    let read = stage.read(&webhook).await;
    assert!(read["deliveries"].to_string().contains("private or reserved network"));
    assert_eq!(stage.names.asked(HOST), 2);
}

#[tokio::test]
async fn a_name_that_is_not_known_says_so() {
    let stage = Stage::new().await;
    let url = format!("http://nowhere.test:{}/", stage.receiver.port);
    let (webhook, _) = stage.webhook_at(&url, json!({ "subjects": ["entities.*"] })).await;
    let error = error_of(&stage, &webhook).await;
    assert_eq!(error, "the name nowhere.test cannot be looked up: no such name");
}

#[tokio::test]
async fn addresses_that_cannot_be_called_are_refused_at_once() {
    let stage = Stage::with(|config| config.allow_http = false).await;
    for (url, words) in [
        ("http://example.org/", "https://"),
        ("https://10.1.2.3/", "private"),
        ("https://[::1]/", "private"),
        ("https://example.org:5432/", "port 5432"),
        ("https://me:secret@example.org/", "name or password"),
        ("/hook", "https://"),
    ] {
        let (code, field, text) = stage.refusal(&stage.admin, CREATE, json!({ "url": url })).await;
        assert_eq!((code.as_str(), field.as_str()), ("BAD_USER_INPUT", "input.url"), "{url}");
        assert!(text.contains(words), "{url}: {text}");
    }
}

/// A receiver that answers one request over TLS with 200, under a certificate for `hooks.test`; its authority's file.
async fn over_tls() -> (tempfile::NamedTempFile, u16, tokio::task::JoinHandle<String>) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), params.self_signed(&key).unwrap().pem()).unwrap();
    let issuer = Issuer::new(params, key);
    let own = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(vec![HOST.to_owned()]).unwrap().signed_by(&own, &issuer).unwrap();
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(own.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(async move {
        let acceptor = TlsAcceptor::from(Arc::new(config));
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            // Who does not trust the certificate goes away.
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut request = vec![0; 4096];
            let Ok(read @ 1..) = stream.read(&mut request).await else { continue };
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
            stream.flush().await.unwrap();
            return String::from_utf8_lossy(&request[..read]).into_owned();
        }
    });
    (file, port, server)
}

#[tokio::test]
async fn over_tls_the_certificate_must_be_of_the_name_and_of_a_trusted_authority() {
    let (authority, port, server) = over_tls().await;
    let url = format!("https://{HOST}:{port}/hook");
    let subjects = json!({ "subjects": ["entities.*"] });
    let strict = Stage::with(|config| config.allowed_ports = vec![port]).await;
    let (webhook, _) = strict.webhook_at(&url, subjects.clone()).await;
    let error = error_of(&strict, &webhook).await;
    assert!(error.starts_with("no TLS with hooks.test: invalid peer certificate"), "{error}");

    let trusting = Stage::with(|config| {
        config.allowed_ports = vec![port];
        config.ca_file = authority.path().to_owned();
    })
    .await;
    trusting.names.set("other.test", &["127.0.0.1"]);
    let other = format!("https://other.test:{port}/hook");
    let (of_other, _) = trusting.webhook_at(&other, subjects.clone()).await;
    let error = error_of(&trusting, &of_other).await;
    assert!(error.contains("invalid peer certificate"), "{error}");

    let (webhook, _) = trusting.webhook_at(&url, subjects).await;
    trusting.created().await;
    trusting.send().await;
    assert!(server.await.unwrap().starts_with("POST /hook HTTP/1.1\r\nhost: hooks.test:"));
    assert_eq!(trusting.delivery(&webhook).await["status"], "DELIVERED");
}
