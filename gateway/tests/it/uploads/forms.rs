//! Forms that are no good.

use http::Method;

use super::store::{Stores, form};

const ONE: &[u8] =
    br#"{"query":"mutation($file: Upload!) { upload(file: $file) }","variables":{"file":null}}"#;
const MAP: &[u8] = br#"{"0":["variables.file"]}"#;
const FILE: (&str, Option<&str>, &[u8]) = ("0", Some("a.txt"), b"hello");

#[tokio::test]
async fn a_form_without_a_header_that_only_scripts_can_send_is_403() {
    let stores = Stores::start().await;
    let (content_type, body) = form(&[("operations", None, ONE), ("map", None, MAP), FILE]);
    let post = async |header: &str| {
        stores.gateway.send(Method::POST, "/graphql", &[&content_type, header], body.clone()).await
    };
    insta::assert_snapshot!(post("x-other: 1").await, @r#"
    403 Forbidden
    content-type: application/graphql-response+json; charset=utf-8

    {"errors":[{"message":"a request with files needs one of the headers `apollo-require-preflight`, `x-apollo-operation-name`, `graphql-require-preflight`, with any value, as a proof that no foreign web page sends it","extensions":{"code":"FORBIDDEN","reason":"CSRF_PREVENTION"}}]}
    "#);
    for header in ["x-apollo-operation-name: A", "graphql-require-preflight: 1"] {
        assert_eq!(post(header).await.status, 200, "{header}");
    }
}

#[tokio::test]
async fn parts_that_are_missing_misordered_or_nonsense_are_400() {
    let stores = Stores::start().await;
    let mut replies = Vec::new();
    let operations = ("operations", None, ONE);
    for parts in [
        &[][..],
        &[("map", None, MAP), operations, FILE],
        &[operations, FILE, ("map", None, MAP)],
        &[operations],
        &[("operations", None, b"nonsense"), ("map", None, MAP)],
        &[("operations", None, b"7"), ("map", None, MAP)],
        &[operations, ("map", None, b"[]")],
        &[operations, ("map", None, br#"{"0":"variables.file"}"#)],
        &[operations, ("map", None, br#"{"0":[7]}"#)],
        &[operations, ("map", None, br#"{"0":["variables.other"]}"#)],
        &[operations, ("map", None, br#"{"0":["file"]}"#)],
        &[operations, ("map", None, br#"{"0":["query"]}"#)],
        &[operations, ("map", None, br#"{"0":["variables.file","variables.file"]}"#)],
        &[
            ("operations", None, br#"{"query":"{ hello }","variables":{"a":"b"}}"#),
            ("map", None, br#"{"0":["variables.a"]}"#),
        ],
        &[("operations", None, b"[]"), ("map", None, b"{}")],
        &[("operations", None, br#"[{"query":"{ hello }"}]"#), ("map", None, br#"{"0":["1.variables.a"]}"#)],
    ] {
        let reply = stores.send(parts).await;
        let body: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
        replies.push(format!("{} {}", reply.status.as_u16(), body["errors"][0]["message"].as_str().unwrap()));
    }
    insta::assert_snapshot!(replies.join("\n"), @r#"
    400 the parts must be `operations`, `map`, then the files in the order of `map`: the request ends where `operations` must be
    400 the parts must be `operations`, `map`, then the files in the order of `map`: there is "map" where `operations` must be
    400 the parts must be `operations`, `map`, then the files in the order of `map`: there is "0" where `map` must be
    400 the parts must be `operations`, `map`, then the files in the order of `map`: the request ends where `map` must be
    400 `operations` is not valid JSON: expected a value at byte 0
    400 `operations` must be an object or a list of them, not a number
    400 `map` must be an object, not a list
    400 `map` must give a list of paths for each file, not a string
    400 `map` must list paths as strings, not a number
    400 `map` has the path "variables.other", which the variables do not have: put null there
    400 `map` has the path "file", which does not begin with `variables`
    400 `map` has the path "query", which does not begin with `variables`
    400 `map` has the path "variables.file" twice
    400 `map` has the path "variables.a", where the variables hold a string, not null
    400 the batch is empty: it must have at least one operation
    400 `map` has the path "1.variables.a", which does not begin with an operation's position
    "#);
}

#[tokio::test]
async fn a_file_that_is_not_there_is_told_and_one_that_is_too_many_ignored() {
    let stores = Stores::start().await;
    let reply = stores.send(&[("operations", None, ONE), ("map", None, MAP)]).await;
    insta::assert_snapshot!(reply, @r#"
    400 Bad Request
    content-type: application/graphql-response+json; charset=utf-8

    {"errors":[{"message":"the file `0` is named in `map`, but the request does not have it","extensions":{"code":"BAD_USER_INPUT","reason":"FILE_MISSING"}}]}
    "#);
    let both = br#"{"query":"mutation($file: Upload!) { keep(file: $file) }","variables":{"file":null}}"#;
    let twice = stores
        .send(&[("operations", None, both), ("map", None, MAP), ("other", Some("b.txt"), b"ignored"), FILE])
        .await;
    assert!(twice.text().contains("0 a.txt text/plain: hello"), "{twice}");
}

#[tokio::test]
async fn a_body_that_breaks_off_inside_a_file_is_told() {
    let stores = Stores::start().await;
    let (content_type, mut body) = form(&[("operations", None, ONE), ("map", None, MAP), FILE]);
    body.truncate(body.len() - 12);
    let headers = [content_type.as_str(), "apollo-require-preflight: 1"];
    let reply = stores.gateway.send(Method::POST, "/graphql", &headers, body).await;
    assert_eq!(reply.status, 400, "{reply}");
    assert!(reply.text().contains("MALFORMED_MULTIPART"), "{reply}");
}

#[tokio::test]
async fn a_file_where_no_file_belongs_is_refused() {
    let stores = Stores::start().await;
    let operations =
        br#"{"query":"mutation($text: String!) { shout(text: $text) }","variables":{"text":null}}"#;
    let map = br#"{"0":["variables.text"]}"#;
    let reply = stores.send(&[("operations", None, operations), ("map", None, map), FILE]).await;
    insta::assert_snapshot!(reply.text(), @r#"{"errors":[{"message":"variable `$text` is a file, but its type is `String`","extensions":{"code":"BAD_USER_INPUT","reason":"INVALID_VARIABLES"}}]}"#);
}
