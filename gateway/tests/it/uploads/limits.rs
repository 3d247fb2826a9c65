//! What bounds the files of a request.

use bytesize::ByteSize;
use pulse_gateway::{GatewayConfig, UploadsConfig};

use super::store::Stores;

const ONE: &[u8] =
    br#"{"query":"mutation($file: Upload!) { upload(file: $file) }","variables":{"file":null}}"#;
const MANY: &[u8] = br#"{"query":"mutation($files: [Upload!]!) { uploadMany(files: $files) }","variables":{"files":[null,null,null]}}"#;
const MAP: &[u8] = br#"{"0":["variables.file"]}"#;

async fn with(uploads: UploadsConfig) -> Stores {
    Stores::configured(GatewayConfig { uploads, ..GatewayConfig::default() }).await
}

#[tokio::test]
async fn a_file_over_the_limit_is_413_and_names_both_sizes() {
    let stores = Stores::start().await;
    let file = vec![b'x'; 12_000_000];
    let reply =
        stores.send(&[("operations", None, ONE), ("map", None, MAP), ("0", Some("a.txt"), &file)]).await;
    insta::assert_snapshot!(reply, @r#"
    413 Payload Too Large
    content-type: application/graphql-response+json; charset=utf-8

    {"errors":[{"message":"File too large: 12 MB, the limit is 10 MB","extensions":{"code":"BAD_USER_INPUT","reason":"FILE_TOO_LARGE"}}]}
    "#);
    let whole = vec![b'x'; 10_000_000];
    let reply =
        stores.send(&[("operations", None, ONE), ("map", None, MAP), ("0", Some("a.txt"), &whole)]).await;
    assert!(reply.text().contains("0 a.txt text/plain: 10000000 bytes"), "{reply}");
}

#[tokio::test]
async fn a_file_over_the_limit_leaves_what_was_done_before_it() {
    let stores = with(UploadsConfig { max_file_size: ByteSize::b(10), ..UploadsConfig::default() }).await;
    let operations = br#"{"query":"mutation($a: Upload!, $b: Upload!) { keep(file: $a) upload(file: $b) }","variables":{"a":null,"b":null}}"#;
    let map = br#"{"a":["variables.a"],"b":["variables.b"]}"#;
    let reply = stores
        .send(&[
            ("operations", None, operations),
            ("map", None, map),
            ("a", Some("a.txt"), b"small"),
            ("b", Some("b.txt"), b"not so small"),
        ])
        .await;
    assert_eq!(reply.status, 200, "{reply}");
    let answer: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
    assert!(answer["data"]["keep"].as_str().unwrap().ends_with("small"), "{reply}");
    insta::assert_snapshot!(answer["errors"], @r#"[{"message":"File too large: 12 B, the limit is 10 B","path":["upload"],"extensions":{"code":"BAD_USER_INPUT","reason":"FILE_TOO_LARGE"}}]"#);
}

#[tokio::test]
async fn files_over_the_limit_together_are_413() {
    let limits = UploadsConfig { max_total_size: ByteSize::b(100), ..UploadsConfig::default() };
    let stores = with(limits).await;
    let map = br#"{"0":["variables.files.0"],"1":["variables.files.1"],"2":["variables.files.2"]}"#;
    let file = [b'x'; 40];
    let reply = stores
        .send(&[
            ("operations", None, MANY),
            ("map", None, map),
            ("0", Some("a.txt"), &file),
            ("1", Some("b.txt"), &file),
            ("2", Some("c.txt"), &file),
        ])
        .await;
    assert_eq!(reply.status, 413, "{reply}");
    assert!(reply.text().contains("Files too large: together more than 100 B"), "{reply}");
}

#[tokio::test]
async fn more_files_or_places_than_the_limit_are_400() {
    let map = br#"{"0":["variables.files.0"],"1":["variables.files.1"],"2":["variables.files.2"]}"#;
    let stores = with(UploadsConfig { max_files: 2, ..UploadsConfig::default() }).await;
    let reply = stores.send(&[("operations", None, MANY), ("map", None, map)]).await;
    assert_eq!(reply.status, 400, "{reply}");
    assert!(reply.text().contains("too many files: `map` names 3, the limit is 2"), "{reply}");
    let stores = with(UploadsConfig { max_places: 2, ..UploadsConfig::default() }).await;
    let reply = stores.send(&[("operations", None, MANY), ("map", None, map)]).await;
    assert_eq!(reply.status, 400, "{reply}");
    assert!(reply.text().contains("too many paths: `map` has more than the limit of 2"), "{reply}");
    let stores = with(UploadsConfig { max_files: 1, ..UploadsConfig::default() }).await;
    let other = ("other", Some("b.txt"), &b"unknown"[..]);
    let reply = stores
        .send(&[("operations", None, ONE), ("map", None, MAP), other, ("0", Some("a.txt"), b"a")])
        .await;
    assert_eq!(reply.status, 400, "{reply}");
    assert!(reply.text().contains("the request has more than 1 parts after `map`"), "{reply}");
}

#[tokio::test]
async fn a_form_whose_operations_are_over_the_limit_is_413() {
    let stores = Stores::start().await;
    let operations = vec![b' '; 1_000_001];
    let reply = stores.send(&[("operations", None, &operations), ("map", None, MAP)]).await;
    assert_eq!(reply.status, 413, "{reply}");
}

#[tokio::test]
async fn files_can_be_switched_off() {
    let stores = with(UploadsConfig { enabled: false, ..UploadsConfig::default() }).await;
    let reply =
        stores.send(&[("operations", None, ONE), ("map", None, MAP), ("0", Some("a.txt"), b"a")]).await;
    assert_eq!(reply.status, 415, "{reply}");
    assert!(reply.text().contains("files are not taken here"), "{reply}");
}
