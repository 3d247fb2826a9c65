//! GraphQL over HTTP: methods, media types, status codes, and what is no request.

use http::Method;
use pulse_gateway::GatewayConfig;

use crate::support::client::Reply;
use crate::support::gateway::TestGateway;

const JSON: &str = "content-type: application/json";
const LEGACY: &str = "accept: application/json";

async fn post(gateway: &TestGateway, headers: &[&str], body: &str) -> Reply {
    gateway.send(Method::POST, "/graphql", headers, body.to_owned()).await
}

/// The responses to one body, with the response type of GraphQL and with plain JSON.
async fn both(body: &str) -> String {
    let gateway = TestGateway::start().await;
    let modern = post(&gateway, &[JSON], body).await;
    let legacy = post(&gateway, &[JSON, LEGACY], body).await;
    format!("{modern}\n\n{legacy}")
}

/// Status and body of each response.
fn briefly(replies: &[Reply]) -> String {
    let lines: Vec<_> =
        replies.iter().map(|reply| format!("{} {}", reply.status.as_u16(), reply.text())).collect();
    lines.join("\n")
}

#[tokio::test]
async fn a_query_by_post_is_answered() {
    insta::assert_snapshot!(both(r#"{"query":"{ hello }"}"#).await, @r#"
    200 OK
    content-type: application/graphql-response+json; charset=utf-8

    {"data":{"hello":"hello"}}

    200 OK
    content-type: application/json; charset=utf-8

    {"data":{"hello":"hello"}}
    "#);
}

#[tokio::test]
async fn variables_operation_name_and_extensions_are_read() {
    let body = r#"{"query":"query A { hello } query B($text: String!) { echo(text: $text) }","operationName":"B",
        "variables":{"text":"1 MB \u00e4"},"extensions":{"anything":[1]}}"#;
    insta::assert_snapshot!(both(body).await, @r#"
    200 OK
    content-type: application/graphql-response+json; charset=utf-8

    {"data":{"echo":"1 MB ä"}}

    200 OK
    content-type: application/json; charset=utf-8

    {"data":{"echo":"1 MB ä"}}
    "#);
}

#[tokio::test]
async fn null_is_as_good_as_absent() {
    let body = r#"{"query":"{ hello }","operationName":null,"variables":null,"extensions":null,"unknown":1}"#;
    let gateway = TestGateway::start().await;
    let reply = gateway.post(body).await;
    assert_eq!(reply.text(), r#"{"data":{"hello":"hello"}}"#);
}

#[tokio::test]
async fn a_query_by_get_is_answered() {
    let gateway = TestGateway::start().await;
    let path = "/graphql?query=query+A(%24text:String!)%7Becho(text:%24text)%7D&operationName=A\
                &variables=%7B%22text%22:%22%C3%A4+%2B%22%7D&other=1";
    insta::assert_snapshot!(gateway.get(path, &[]).await, @r#"
    200 OK
    content-type: application/graphql-response+json; charset=utf-8

    {"data":{"echo":"ä +"}}
    "#);
    let unnamed = gateway.get("/graphql?query=%7Bhello%7D&operationName=", &[LEGACY]).await;
    assert_eq!(unnamed.text(), r#"{"data":{"hello":"hello"}}"#);
}

#[tokio::test]
async fn a_mutation_by_get_is_refused_with_405() {
    let gateway = TestGateway::start().await;
    let path = "/graphql?query=mutation%7Bshout(text:%22a%22)%7D";
    insta::assert_snapshot!(gateway.get(path, &[]).await, @r#"
    405 Method Not Allowed
    allow: POST
    content-type: application/graphql-response+json; charset=utf-8

    {"errors":[{"message":"a mutation must be sent by POST","extensions":{"code":"BAD_USER_INPUT","reason":"METHOD_NOT_ALLOWED"}}]}
    "#);
    assert_eq!(gateway.get(path, &[LEGACY]).await.status, 405);
    let query_of_both =
        "/graphql?query=query+Q%7Bhello%7D+mutation+M%7Bshout(text:%22a%22)%7D&operationName=Q";
    assert_eq!(gateway.get(query_of_both, &[]).await.status, 200);
    let posted = gateway.post(r#"{"query":"mutation { shout(text: \"a\") }"}"#).await;
    assert_eq!(posted.status, 200);
}

#[tokio::test]
async fn head_is_answered_as_get_without_a_body_and_options_with_the_methods() {
    let gateway = TestGateway::start().await;
    let head = gateway.send(Method::HEAD, "/graphql?query=%7Bhello%7D", &[], "").await;
    insta::assert_snapshot!(head, @r#"
    200 OK
    content-type: application/graphql-response+json; charset=utf-8
    "#);
    let mutation =
        gateway.send(Method::HEAD, "/graphql?query=mutation%7Bshout(text:%22a%22)%7D", &[], "").await;
    assert_eq!((mutation.status.as_u16(), mutation.text()), (405, ""));
    insta::assert_snapshot!(gateway.send(Method::OPTIONS, "/graphql", &[], "").await, @r#"
    204 No Content
    allow: GET, HEAD, OPTIONS, POST
    "#);
}

#[tokio::test]
async fn other_methods_are_refused_with_those_that_are_not() {
    let gateway = TestGateway::start().await;
    insta::assert_snapshot!(gateway.send(Method::PATCH, "/graphql", &[JSON], r#"{"query":"{ hello }"}"#).await, @r#"
    405 Method Not Allowed
    allow: GET, HEAD, OPTIONS, POST
    content-type: application/graphql-response+json; charset=utf-8

    {"errors":[{"message":"the API is called by GET or POST, not by PATCH","extensions":{"code":"BAD_USER_INPUT","reason":"METHOD_NOT_ALLOWED"}}]}
    "#);
}

#[tokio::test]
async fn a_document_that_does_not_parse_is_400_or_200_by_media_type() {
    insta::assert_snapshot!(both(r#"{"query":"{ hello"}"#).await, @r#"
    400 Bad Request
    content-type: application/graphql-response+json; charset=utf-8

    {"errors":[{"message":"the document is not valid GraphQL: unexpected end of input, expected }","locations":[{"line":1,"column":8}],"extensions":{"code":"BAD_USER_INPUT","reason":"GRAPHQL_PARSE_FAILED"}}]}

    200 OK
    content-type: application/json; charset=utf-8

    {"errors":[{"message":"the document is not valid GraphQL: unexpected end of input, expected }","locations":[{"line":1,"column":8}],"extensions":{"code":"BAD_USER_INPUT","reason":"GRAPHQL_PARSE_FAILED"}}]}
    "#);
}

#[tokio::test]
async fn a_document_that_is_not_valid_is_400_or_200_by_media_type() {
    insta::assert_snapshot!(both(r#"{"query":"{ nonsense }"}"#).await, @r#"
    400 Bad Request
    content-type: application/graphql-response+json; charset=utf-8

    {"errors":[{"message":"Cannot query field \"nonsense\" on type \"Query\".","locations":[{"line":1,"column":3}],"extensions":{"code":"BAD_USER_INPUT","reason":"GRAPHQL_VALIDATION_FAILED"}}]}

    200 OK
    content-type: application/json; charset=utf-8

    {"errors":[{"message":"Cannot query field \"nonsense\" on type \"Query\".","locations":[{"line":1,"column":3}],"extensions":{"code":"BAD_USER_INPUT","reason":"GRAPHQL_VALIDATION_FAILED"}}]}
    "#);
}

#[tokio::test]
async fn an_operation_that_cannot_be_chosen_is_400_or_200_by_media_type() {
    insta::assert_snapshot!(both(r#"{"query":"query A { hello } query B { hello }"}"#).await, @r#"
    400 Bad Request
    content-type: application/graphql-response+json; charset=utf-8

    {"errors":[{"message":"the document has 2 operations: name one of `A`, `B` in `operationName`","extensions":{"code":"BAD_USER_INPUT","reason":"OPERATION_NOT_FOUND"}}]}

    200 OK
    content-type: application/json; charset=utf-8

    {"errors":[{"message":"the document has 2 operations: name one of `A`, `B` in `operationName`","extensions":{"code":"BAD_USER_INPUT","reason":"OPERATION_NOT_FOUND"}}]}
    "#);
}

#[tokio::test]
async fn a_missing_variable_is_400_or_200_by_media_type() {
    insta::assert_snapshot!(both(r#"{"query":"query($text: String!) { echo(text: $text) }"}"#).await, @r#"
    400 Bad Request
    content-type: application/graphql-response+json; charset=utf-8

    {"errors":[{"message":"variable `$text` of the required type `String!` was not given","extensions":{"code":"BAD_USER_INPUT","reason":"INVALID_VARIABLES"}}]}

    200 OK
    content-type: application/json; charset=utf-8

    {"errors":[{"message":"variable `$text` of the required type `String!` was not given","extensions":{"code":"BAD_USER_INPUT","reason":"INVALID_VARIABLES"}}]}
    "#);
}

#[tokio::test]
async fn a_subscription_is_refused() {
    insta::assert_snapshot!(both(r#"{"query":"subscription { news }"}"#).await, @r#"
    400 Bad Request
    content-type: application/graphql-response+json; charset=utf-8

    {"errors":[{"message":"a subscription has no single answer: send it over WebSocket (graphql-transport-ws), or with `Accept: text/event-stream` or `Accept: multipart/mixed;subscriptionSpec=1.0`","extensions":{"code":"BAD_USER_INPUT","reason":"SUBSCRIPTION_TRANSPORT"}}]}

    200 OK
    content-type: application/json; charset=utf-8

    {"errors":[{"message":"a subscription has no single answer: send it over WebSocket (graphql-transport-ws), or with `Accept: text/event-stream` or `Accept: multipart/mixed;subscriptionSpec=1.0`","extensions":{"code":"BAD_USER_INPUT","reason":"SUBSCRIPTION_TRANSPORT"}}]}
    "#);
}

#[tokio::test]
async fn what_is_no_graphql_request_is_400_for_every_media_type() {
    let gateway = TestGateway::start().await;
    let mut replies = Vec::new();
    for body in [
        "",
        "NONSENSE",
        r#"{"query":"#,
        r#"{"qeury":"{ hello }"}"#,
        r#"{"query":null}"#,
        r#"{"query":["{ hello }"]}"#,
        r#"{"query":"{ hello }","variables":[7]}"#,
        r#"{"query":"{ hello }","variables":"{}"}"#,
        r#"{"query":"{ hello }","operationName":7}"#,
        r#"{"query":"{ hello }","extensions":true}"#,
        r#""{ hello }""#,
        r#"{"documentId":"sha256:abc"}"#,
        r#"{"query":"{ hello }","documentId":"sha256:abc"}"#,
    ] {
        let modern = post(&gateway, &[JSON], body).await;
        let legacy = post(&gateway, &[JSON, LEGACY], body).await;
        assert_eq!((legacy.status, legacy.text()), (modern.status, modern.text()), "{body}");
        replies.push(modern);
    }
    replies.push(gateway.send(Method::POST, "/graphql", &[JSON], &b"{\"query\":\"{ \xff }\"}"[..]).await);
    insta::assert_snapshot!(briefly(&replies), @r#"
    400 {"errors":[{"message":"the request's body is not valid JSON: expected a value at byte 0","extensions":{"code":"BAD_USER_INPUT","reason":"BAD_REQUEST"}}]}
    400 {"errors":[{"message":"the request's body is not valid JSON: expected a value at byte 0","extensions":{"code":"BAD_USER_INPUT","reason":"BAD_REQUEST"}}]}
    400 {"errors":[{"message":"the request's body is not valid JSON: expected a value at byte 9","extensions":{"code":"BAD_USER_INPUT","reason":"BAD_REQUEST"}}]}
    400 {"errors":[{"message":"the request has no `query`","extensions":{"code":"BAD_USER_INPUT","reason":"BAD_REQUEST"}}]}
    400 {"errors":[{"message":"the request has no `query`","extensions":{"code":"BAD_USER_INPUT","reason":"BAD_REQUEST"}}]}
    400 {"errors":[{"message":"`query` must be a string, not a list","extensions":{"code":"BAD_USER_INPUT","reason":"BAD_REQUEST"}}]}
    400 {"errors":[{"message":"`variables` must be an object, not a list","extensions":{"code":"BAD_USER_INPUT","reason":"BAD_REQUEST"}}]}
    400 {"errors":[{"message":"`variables` must be an object, not a string","extensions":{"code":"BAD_USER_INPUT","reason":"BAD_REQUEST"}}]}
    400 {"errors":[{"message":"`operationName` must be a string, not a number","extensions":{"code":"BAD_USER_INPUT","reason":"BAD_REQUEST"}}]}
    400 {"errors":[{"message":"`extensions` must be an object, not a boolean","extensions":{"code":"BAD_USER_INPUT","reason":"BAD_REQUEST"}}]}
    400 {"errors":[{"message":"a GraphQL request must be an object, not a string","extensions":{"code":"BAD_USER_INPUT","reason":"BAD_REQUEST"}}]}
    400 {"errors":[{"message":"operations are not known by id here; send the text as `query`","extensions":{"code":"BAD_USER_INPUT","reason":"BAD_REQUEST"}}]}
    400 {"errors":[{"message":"send either `query` or `documentId`, not both","extensions":{"code":"BAD_USER_INPUT","reason":"BAD_REQUEST"}}]}
    400 {"errors":[{"message":"the request's body is not UTF-8: byte 12 begins no character","extensions":{"code":"BAD_USER_INPUT","reason":"BAD_REQUEST"}}]}
    "#);
}

#[tokio::test]
async fn a_url_without_a_good_request_is_400() {
    let gateway = TestGateway::start().await;
    let mut replies = Vec::new();
    for query in [
        "",
        "?query",
        "?query=%FF",
        "?query=%7Bhello%7D&variables=nonsense",
        "?query=%7Bhello%7D&variables=%5B1%5D",
        "?query=%7Bhello%7D&extensions=1",
    ] {
        replies.push(gateway.get(&format!("/graphql{query}"), &[]).await);
    }
    insta::assert_snapshot!(briefly(&replies), @r#"
    400 {"errors":[{"message":"the request has no `query`","extensions":{"code":"BAD_USER_INPUT","reason":"BAD_REQUEST"}}]}
    400 {"errors":[{"message":"the document is not valid GraphQL: unexpected end of input, expected { or query or mutation or subscription or fragment","locations":[{"line":1,"column":1}],"extensions":{"code":"BAD_USER_INPUT","reason":"GRAPHQL_PARSE_FAILED"}}]}
    400 {"errors":[{"message":"the URL's query is not percent-encoded UTF-8","extensions":{"code":"BAD_USER_INPUT","reason":"BAD_REQUEST"}}]}
    400 {"errors":[{"message":"`variables` is not valid JSON: expected a value at byte 0","extensions":{"code":"BAD_USER_INPUT","reason":"BAD_REQUEST"}}]}
    400 {"errors":[{"message":"`variables` must be an object, not a list","extensions":{"code":"BAD_USER_INPUT","reason":"BAD_REQUEST"}}]}
    400 {"errors":[{"message":"`extensions` must be an object, not a number","extensions":{"code":"BAD_USER_INPUT","reason":"BAD_REQUEST"}}]}
    "#);
}

#[tokio::test]
async fn a_body_that_is_not_json_in_utf8_is_415() {
    let gateway = TestGateway::start().await;
    let mut replies = Vec::new();
    for headers in [
        &[][..],
        &["content-type: text/plain"],
        &["content-type: application/x-www-form-urlencoded"],
        &["content-type: application/graphql"],
        &["content-type: application/json; charset=iso-8859-1"],
    ] {
        replies.push(post(&gateway, headers, r#"{"query":"{ hello }"}"#).await);
    }
    insta::assert_snapshot!(briefly(&replies), @r#"
    415 {"errors":[{"message":"send the header `Content-Type: application/json`","extensions":{"code":"BAD_USER_INPUT","reason":"UNSUPPORTED_MEDIA_TYPE"}}]}
    415 {"errors":[{"message":"the request's body must be application/json, not \"text/plain\"","extensions":{"code":"BAD_USER_INPUT","reason":"UNSUPPORTED_MEDIA_TYPE"}}]}
    415 {"errors":[{"message":"the request's body must be application/json, not \"application/x-www-form-urlencoded\"","extensions":{"code":"BAD_USER_INPUT","reason":"UNSUPPORTED_MEDIA_TYPE"}}]}
    415 {"errors":[{"message":"the request's body must be application/json, not \"application/graphql\"","extensions":{"code":"BAD_USER_INPUT","reason":"UNSUPPORTED_MEDIA_TYPE"}}]}
    415 {"errors":[{"message":"the request's body must be in UTF-8, not in \"iso-8859-1\"","extensions":{"code":"BAD_USER_INPUT","reason":"UNSUPPORTED_MEDIA_TYPE"}}]}
    "#);
    for good in
        ["content-type: application/json; charset=utf-8", "content-type: Application/JSON;charset=\"UTF-8\""]
    {
        assert_eq!(post(&gateway, &[good], r#"{"query":"{ hello }"}"#).await.status, 200, "{good}");
    }
}

#[tokio::test]
async fn what_cannot_be_accepted_is_406() {
    let gateway = TestGateway::start().await;
    let body = r#"{"query":"{ hello }"}"#;
    insta::assert_snapshot!(post(&gateway, &[JSON, "accept: image/png"], body).await, @r#"
    406 Not Acceptable
    content-type: application/json; charset=utf-8

    {"errors":[{"message":"the API answers with application/graphql-response+json or application/json; name one of them in `Accept`","extensions":{"code":"BAD_USER_INPUT","reason":"NOT_ACCEPTABLE"}}]}
    "#);
    assert_eq!(post(&gateway, &[JSON, "accept: application/json; charset=utf-16"], body).await.status, 406);
    let chosen = post(&gateway, &[JSON, "accept: text/html, application/json;q=0.2, */*;q=0.1"], body).await;
    assert_eq!(chosen.header("content-type"), Some("application/json; charset=utf-8"));
}

#[tokio::test]
async fn a_body_over_the_limit_is_413_even_while_it_is_sent() {
    let gateway = TestGateway::start().await;
    let query = format!("{{ hello }} #{}", "x".repeat(1_000_000));
    let body = serde_json::json!({ "query": query }).to_string();
    insta::assert_snapshot!(gateway.post(body).await, @r#"
    413 Payload Too Large
    content-type: application/graphql-response+json; charset=utf-8

    {"errors":[{"message":"request too large: 1000023 bytes, the limit is 1000000 bytes","extensions":{"code":"BAD_USER_INPUT","reason":"PAYLOAD_TOO_LARGE"}}]}
    "#);
    let twice = gateway.post(vec![b' '; 2_000_000]).await;
    assert!(twice.text().contains("request too large: 2 MB, the limit is 1 MB"), "{twice}");
    let within = serde_json::json!({ "query": format!("{{ hello }} #{}", "x".repeat(900_000)) }).to_string();
    assert_eq!(gateway.post(within).await.text(), r#"{"data":{"hello":"hello"}}"#);
}

#[tokio::test]
async fn a_plan_is_shown_where_it_is_exposed_and_asked_for() {
    let asks = r#"{"query":"{ hello }","extensions":{"plan":true}}"#;
    let closed = TestGateway::start().await;
    assert_eq!(closed.post(asks).await.text(), r#"{"data":{"hello":"hello"}}"#);
    let open = TestGateway::configured(GatewayConfig {
        expose_plan: pulse_gateway::PlanExposure::All,
        ..GatewayConfig::default()
    })
    .await;
    let shown = open.post(asks).await;
    assert!(shown.text().contains(r#""extensions":{"#) && shown.text().contains("parrot"), "{shown}");
    assert_eq!(open.post(r#"{"query":"{ hello }"}"#).await.text(), r#"{"data":{"hello":"hello"}}"#);
}

#[tokio::test]
async fn nothing_else_is_there() {
    let gateway = TestGateway::start().await;
    insta::assert_snapshot!(gateway.get("/nowhere?a=b", &[]).await, @r#"
    404 Not Found
    content-type: application/json; charset=utf-8

    {"errors":[{"message":"there is nothing at /nowhere; the API is at /graphql","extensions":{"code":"NOT_FOUND"}}]}
    "#);
}
