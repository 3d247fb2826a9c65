//! Files on their way to the subgraphs that want them.

use std::convert::Infallible;

use bytes::Bytes;
use bytesize::ByteSize;
use futures::channel::mpsc;
use futures::{SinkExt, StreamExt};
use http::Request;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use pulse_gateway::GatewayConfig;

use super::store::{Stores, form};

const ONE: &[u8] =
    br#"{"query":"mutation($file: Upload!) { upload(file: $file) }","variables":{"file":null}}"#;

#[tokio::test]
async fn a_file_goes_to_the_subgraph_that_wants_it() {
    let stores = Stores::start().await;
    let map = br#"{"0":["variables.file"]}"#;
    let reply =
        stores.send(&[("operations", None, ONE), ("map", None, map), ("0", Some("a.txt"), b"hello")]).await;
    insta::assert_snapshot!(reply, @r#"
    200 OK
    content-type: application/graphql-response+json; charset=utf-8

    {"data":{"upload":"operations  application/json: {\"query\":\"mutation($file:Upload!){upload(file: $file)}\",\"variables\":{\"file\":null}} | map  application/json: {\"0\":[\"variables.file\"]} | 0 a.txt text/plain: hello"}}
    "#);
}

#[tokio::test]
async fn files_in_lists_and_inputs_find_their_places() {
    let stores = Stores::start().await;
    let operations = br#"{"query":"mutation($files: [Upload!]!) { uploadMany(files: $files) }","variables":{"files":[null,null]}}"#;
    let map = br#"{"a":["variables.files.0"],"b":["variables.files.1"]}"#;
    let reply = stores
        .send(&[
            ("operations", None, operations),
            ("map", None, map),
            ("a", Some("a.txt"), b"first"),
            ("b", Some("b\".txt"), b"second"),
        ])
        .await;
    assert!(reply.text().contains("0 a.txt text/plain: first | 1 "), "{reply}");
    assert!(reply.text().contains("text/plain: second"), "{reply}");

    let operations = br#"{"query":"mutation($album: Album!) { bind(album: $album) }","variables":{"album":{"cover":null,"pages":[null]}}}"#;
    let map = br#"{"same":["variables.album.cover","variables.album.pages.0"]}"#;
    let reply = stores
        .send(&[("operations", None, operations), ("map", None, map), ("same", Some("a.txt"), b"both")])
        .await;
    insta::assert_snapshot!(reply.text(), @r#"{"data":{"bind":"operations  application/json: {\"query\":\"mutation($album:Album!){bind(album: $album)}\",\"variables\":{\"album\":{\"cover\":null,\"pages\":[null]}}} | map  application/json: {\"0\":[\"variables.album.cover\",\"variables.album.pages.0\"]} | 0 a.txt text/plain: both"}}"#);
}

#[tokio::test]
async fn two_subgraphs_get_their_files_in_whatever_order_they_come() {
    let stores = Stores::start().await;
    let operations = br#"{"query":"mutation($a: Upload!, $b: Upload!) { keep(file: $b) upload(file: $a) }","variables":{"a":null,"b":null}}"#;
    let map = br#"{"a":["variables.a"],"b":["variables.b"]}"#;
    let reply = stores
        .send(&[
            ("operations", None, operations),
            ("map", None, map),
            ("a", Some("a.txt"), b"for the parrot"),
            ("b", Some("b.txt"), b"for the store"),
        ])
        .await;
    let answer: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
    assert!(
        answer["data"]["keep"].as_str().unwrap().ends_with("0 b.txt text/plain: for the store"),
        "{reply}"
    );
    assert!(
        answer["data"]["upload"].as_str().unwrap().ends_with("0 a.txt text/plain: for the parrot"),
        "{reply}"
    );
}

#[tokio::test]
async fn a_file_that_two_subgraphs_want_goes_to_both() {
    let stores = Stores::start().await;
    let operations = br#"{"query":"mutation($file: Upload!) { upload(file: $file) keep(file: $file) }","variables":{"file":null}}"#;
    let content = vec![b'x'; 1_000_000];
    let reply = stores
        .send(&[
            ("operations", None, operations),
            ("map", None, br#"{"0":["variables.file"]}"#),
            ("0", Some("a.txt"), &content),
        ])
        .await;
    let answer: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
    for field in ["upload", "keep"] {
        let text = answer["data"][field].as_str().unwrap();
        assert!(text.ends_with("0 a.txt text/plain: 1000000 bytes"), "{reply}");
    }
}

#[tokio::test]
async fn operations_of_a_batch_have_their_files() {
    let stores = Stores::start().await;
    let one = std::str::from_utf8(ONE).unwrap();
    let operations = format!("[{one},{one}]");
    let map = br#"{"0":["0.variables.file"],"1":["1.variables.file"]}"#;
    let reply = stores
        .send(&[
            ("operations", None, operations.as_bytes()),
            ("map", None, map),
            ("0", Some("a.txt"), b"first"),
            ("1", Some("b.txt"), b"second"),
        ])
        .await;
    let answers: Vec<serde_json::Value> = serde_json::from_slice(&reply.body).unwrap();
    assert!(answers[0]["data"]["upload"].as_str().unwrap().ends_with("a.txt text/plain: first"), "{reply}");
    assert!(answers[1]["data"]["upload"].as_str().unwrap().ends_with("b.txt text/plain: second"), "{reply}");
}

#[tokio::test]
async fn an_operation_without_files_may_come_as_a_form_too() {
    let stores = Stores::start().await;
    let operations = br#"{"query":"mutation { shout(text: \"a\") }"}"#;
    let reply = stores.send(&[("operations", None, operations), ("map", None, b"{}")]).await;
    assert!(reply.text().contains("JSON"), "{reply}");
}

/// The subgraph has the first piece of a file before the client sends the last one.
#[tokio::test]
async fn a_file_is_passed_on_while_it_is_still_sent() {
    let limit = ByteSize::mb(50);
    let uploads = pulse_gateway::UploadsConfig { max_file_size: limit, ..Default::default() };
    let mut stores = Stores::configured(GatewayConfig { uploads, ..GatewayConfig::default() }).await;
    let (content_type, body) = form(&[
        ("operations", None, ONE),
        ("map", None, br#"{"0":["variables.file"]}"#),
        ("0", Some("large.txt"), &vec![b'x'; 12_000_000]),
    ]);
    let (mut pieces, sent) = mpsc::channel(0);
    let body = Bytes::from(body);
    let (name, value) = content_type.split_once(": ").unwrap();
    let request = Request::post(format!("{}/graphql", stores.gateway.url))
        .header(name, value)
        .header("apollo-require-preflight", "1")
        .body(StreamBody::new(sent.map(|piece: Bytes| Ok::<_, Infallible>(Frame::data(piece)))))
        .unwrap();
    let client = Client::builder(TokioExecutor::new()).build::<_, _>(HttpConnector::new());
    let answer = tokio::spawn(async move { client.request(request).await.unwrap() });
    let half = body.len() / 2;
    for start in (0..half).step_by(100_000) {
        pieces.send(body.slice(start..half.min(start + 100_000))).await.unwrap();
    }
    let mut came = 0;
    while came < 4_000_000 {
        came += stores.pieces.recv().await.unwrap();
    }
    pieces.send(body.slice(half..)).await.unwrap();
    drop(pieces);
    let answer = answer.await.unwrap().into_body().collect().await.unwrap().to_bytes();
    let answer = String::from_utf8(answer.to_vec()).unwrap();
    assert!(answer.contains("0 large.txt text/plain: 12000000 bytes"), "{answer}");
}
