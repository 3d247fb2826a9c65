//! HTTP/2 with prior knowledge, compression, and many calls over few connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_compression::tokio::bufread::{
    BrotliEncoder, DeflateEncoder, GzipDecoder, GzipEncoder, ZlibEncoder, ZstdEncoder,
};
use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::post;
use futures::future::join_all;
use http::Version;
use pulse_gateway::GatewayConfig;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

use crate::support::scripted_server::{ScriptedServer, response};
use crate::support::two_subgraphs::gateway;

const HELLO: &str = r#"{"data":{"hello":"hi"}}"#;

fn config(remote: &str) -> GatewayConfig {
    GatewayConfig { remote: toml::from_str(remote).unwrap(), ..GatewayConfig::default() }
}

/// A server of HTTP/1.1 and HTTP/2 that says which one it was asked in.
async fn versioned() -> String {
    let answer = async |request: Request| {
        let version = if request.version() == Version::HTTP_2 { "HTTP/2" } else { "HTTP/1.1" };
        let body = format!(r#"{{"data":{{"hello":"{version}"}}}}"#);
        Response::builder().header("content-type", "application/json").body(body).unwrap()
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/graphql", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/graphql", post(answer))).await });
    url
}

#[tokio::test]
async fn http2_is_spoken_where_it_is_known_to_be_understood() {
    let url = versioned().await;
    for (remote, expected) in [("", "HTTP/1.1"), ("http2 = true", "HTTP/2")] {
        let gateway = gateway(&url, "http://localhost:1", config(remote)).await;
        let reply = gateway.post(r#"{"query":"{ hello }"}"#).await;
        assert_eq!(reply.text(), format!(r#"{{"data":{{"hello":"{expected}"}}}}"#));
    }
}

#[tokio::test]
async fn answers_are_understood_in_every_encoding_and_asked_for_as_configured() {
    async fn zipped(mut encoder: impl tokio::io::AsyncRead + Unpin) -> Vec<u8> {
        let mut out = Vec::new();
        encoder.read_to_end(&mut out).await.unwrap();
        out
    }
    let bytes = HELLO.as_bytes();
    let twice = zipped(GzipEncoder::new(zipped(BrotliEncoder::new(bytes)).await.as_slice())).await;
    for (name, body) in [
        ("gzip", zipped(GzipEncoder::new(bytes)).await),
        ("x-gzip", zipped(GzipEncoder::new(bytes)).await),
        ("deflate", zipped(ZlibEncoder::new(bytes)).await),
        ("deflate", zipped(DeflateEncoder::new(bytes)).await),
        ("br", zipped(BrotliEncoder::new(bytes)).await),
        ("zstd", zipped(ZstdEncoder::new(bytes)).await),
        ("identity", bytes.to_vec()),
        ("br, gzip", twice),
    ] {
        let encoding = format!("content-encoding: {name}");
        let server = ScriptedServer::always(vec![response(
            "200 OK",
            &["content-type: application/json", &encoding],
            &body,
        )]);
        let server = server.await;
        let config = config("accept_encodings = [\"zstd\", \"br\"]");
        let gateway = gateway(&server.url, "http://localhost:1", config).await;
        assert_eq!(gateway.post(r#"{"query":"{ hello }"}"#).await.text(), HELLO, "{name}");
        assert!(server.requests()[0].contains("accept-encoding: zstd, br\r\n"), "{}", server.requests()[0]);
    }
}

#[tokio::test]
async fn requests_are_compressed_where_that_is_wanted() {
    let unzipped = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&unzipped);
    let answer = async move |request: Request| {
        assert_eq!(request.headers()["content-encoding"], "gzip");
        let body = axum::body::to_bytes(request.into_body(), 1_000_000).await.unwrap();
        assert!(body.len() < 1000);
        let mut plain = String::new();
        GzipDecoder::new(body.as_ref()).read_to_string(&mut plain).await.unwrap();
        seen.store(plain.len(), Ordering::SeqCst);
        Response::builder().header("content-type", "application/json").body(HELLO.to_owned()).unwrap()
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/graphql", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/graphql", post(answer))).await });
    let gateway = gateway(&url, "http://localhost:1", config("compress_requests = true")).await;
    let query = format!(r#"{{"query":"{{ hello(name: \"{}\") }}"}}"#, "x".repeat(5000));
    assert_eq!(gateway.post(query).await.text(), HELLO);
    assert!(unzipped.load(Ordering::SeqCst) > 5000);
}

#[tokio::test]
async fn calls_over_the_limit_wait_for_others() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (counted, highest) = (Arc::clone(&now), Arc::clone(&most));
    let answer = async move |_: Request| {
        let under_way = counted.fetch_add(1, Ordering::SeqCst) + 1;
        highest.fetch_max(under_way, Ordering::SeqCst);
        crate::support::pause(std::time::Duration::from_millis(10)).await;
        counted.fetch_sub(1, Ordering::SeqCst);
        Response::builder().header("content-type", "application/json").body(HELLO.to_owned()).unwrap()
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/graphql", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/graphql", post(answer))).await });
    let config = config("concurrent_calls = 2\ndeduplicate = false");
    let gateway = gateway(&url, "http://localhost:1", config).await;
    let replies = join_all((0..12).map(|_| gateway.post(r#"{"query":"{ hello }"}"#))).await;
    assert!(replies.iter().all(|reply| reply.text() == HELLO));
    assert_eq!(most.load(Ordering::SeqCst), 2);
}
