//! Compression, both ways.

use async_compression::tokio::bufread::{
    BrotliDecoder, BrotliEncoder, GzipDecoder, GzipEncoder, ZlibDecoder, ZlibEncoder, ZstdDecoder,
    ZstdEncoder,
};
use http::Method;
use pulse_gateway::GatewayConfig;
use tokio::io::AsyncReadExt;

use crate::support::client::Reply;
use crate::support::gateway::TestGateway;

const JSON: &str = "content-type: application/json";

async fn packed(encoding: &str, plain: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    match encoding {
        "gzip" => GzipEncoder::new(plain).read_to_end(&mut out).await,
        "deflate" => ZlibEncoder::new(plain).read_to_end(&mut out).await,
        "br" => BrotliEncoder::new(plain).read_to_end(&mut out).await,
        _ => ZstdEncoder::new(plain).read_to_end(&mut out).await,
    }
    .unwrap();
    out
}

async fn unpacked(encoding: &str, packed: &[u8]) -> String {
    let mut out = String::new();
    match encoding {
        "gzip" => GzipDecoder::new(packed).read_to_string(&mut out).await,
        "deflate" => ZlibDecoder::new(packed).read_to_string(&mut out).await,
        "br" => BrotliDecoder::new(packed).read_to_string(&mut out).await,
        _ => ZstdDecoder::new(packed).read_to_string(&mut out).await,
    }
    .unwrap();
    out
}

async fn echo(gateway: &TestGateway, headers: &[&str], text: &str) -> Reply {
    let body = serde_json::json!({
        "query": "query($text: String!) { echo(text: $text) }",
        "variables": { "text": text },
    });
    let headers = [&[JSON][..], headers].concat();
    gateway.send(Method::POST, "/graphql", &headers, body.to_string()).await
}

#[tokio::test]
async fn a_large_answer_is_compressed_as_the_client_likes_it() {
    let gateway = TestGateway::start().await;
    let text = "ä long text ".repeat(1_000);
    let expected = format!(r#"{{"data":{{"echo":"{text}"}}}}"#);
    for encoding in ["gzip", "deflate", "br", "zstd"] {
        let reply = echo(&gateway, &[&format!("accept-encoding: {encoding}")], &text).await;
        assert_eq!(reply.header("content-encoding"), Some(encoding));
        assert!(reply.body.len() < expected.len() / 10, "{encoding}: {} bytes", reply.body.len());
        assert_eq!(unpacked(encoding, &reply.body).await, expected, "{encoding}");
    }
    let chosen = echo(&gateway, &["accept-encoding: gzip;q=0.5, br;q=0.9"], &text).await;
    assert_eq!(chosen.header("content-encoding"), Some("br"));
    let plain = echo(&gateway, &["accept-encoding: identity"], &text).await;
    assert_eq!((plain.header("content-encoding"), plain.text()), (None, expected.as_str()));
}

#[tokio::test]
async fn a_small_answer_is_not_compressed() {
    let gateway = TestGateway::start().await;
    let reply = echo(&gateway, &["accept-encoding: gzip, br"], "small").await;
    assert_eq!((reply.header("content-encoding"), reply.text()), (None, r#"{"data":{"echo":"small"}}"#));
}

#[tokio::test]
async fn compression_of_answers_can_be_switched_off() {
    let gateway =
        TestGateway::configured(GatewayConfig { compression: false, ..GatewayConfig::default() }).await;
    let reply = echo(&gateway, &["accept-encoding: gzip, br"], &"x".repeat(10_000)).await;
    assert_eq!(reply.header("content-encoding"), None);
}

#[tokio::test]
async fn a_compressed_request_is_read() {
    let gateway = TestGateway::start().await;
    for encoding in ["gzip", "deflate", "br", "zstd"] {
        let body = packed(encoding, br#"{"query":"{ hello }"}"#).await;
        let headers = [JSON, &format!("content-encoding: {encoding}")];
        let reply = gateway.send(Method::POST, "/graphql", &headers, body).await;
        assert_eq!(reply.text(), r#"{"data":{"hello":"hello"}}"#, "{encoding}");
    }
}

#[tokio::test]
async fn a_request_that_unpacks_to_more_than_the_limit_is_413() {
    let gateway = TestGateway::start().await;
    let spaces = vec![b' '; 3_000_000];
    for encoding in ["gzip", "deflate", "br", "zstd"] {
        let bomb = packed(encoding, &spaces).await;
        assert!(bomb.len() < 60_000, "{encoding}: {} bytes", bomb.len());
        let headers = [JSON, &format!("content-encoding: {encoding}")];
        let reply = gateway.send(Method::POST, "/graphql", &headers, bomb).await;
        assert_eq!(reply.status, 413, "{encoding}: {reply}");
        assert!(reply.text().contains("request too large: the limit is 1 MB"), "{encoding}: {reply}");
    }
}

#[tokio::test]
async fn what_is_not_compressed_as_its_head_says_is_400() {
    let gateway = TestGateway::start().await;
    let headers = [JSON, "content-encoding: gzip"];
    let reply = gateway.send(Method::POST, "/graphql", &headers, r#"{"query":"{ hello }"}"#).await;
    insta::assert_snapshot!(reply, @r#"
    400 Bad Request
    content-type: application/graphql-response+json; charset=utf-8

    {"errors":[{"message":"the request's body broke off, or is not compressed as its head says","extensions":{"code":"BAD_USER_INPUT","reason":"BAD_REQUEST"}}]}
    "#);
}

#[tokio::test]
async fn an_unknown_compression_is_415_and_the_known_ones_are_named() {
    let gateway = TestGateway::start().await;
    let headers = [JSON, "content-encoding: compress"];
    insta::assert_snapshot!(gateway.send(Method::POST, "/graphql", &headers, "nonsense").await, @r#"
    415 Unsupported Media Type
    accept-encoding: gzip, deflate, br, zstd
    content-type: application/graphql-response+json; charset=utf-8

    {"errors":[{"message":"the request's body may be compressed by one of gzip, deflate, br, zstd, not by \"compress\"; or send it as it is","extensions":{"code":"BAD_USER_INPUT","reason":"UNSUPPORTED_CONTENT_ENCODING"}}]}
    "#);
    let twice = [JSON, "content-encoding: gzip, br"];
    assert_eq!(gateway.send(Method::POST, "/graphql", &twice, "nonsense").await.status, 415);
}
