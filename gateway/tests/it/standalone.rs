//! A gateway by itself: a supergraph and subgraphs over HTTP, nothing else of the platform.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytesize::ByteSize;
use pulse_gateway::{Gateway, GatewayConfig, GatewayParts, RemoteConfig, StaticSource, Subgraphs};

use crate::support::clock;
use crate::support::fake_server::{Behaviour, FakeServer};
use crate::support::gateway::{SUPERGRAPH, TestGateway, parts};

const NAMED_URL: &str = "http://localhost:1/graphql";

fn standalone(config: &GatewayConfig, supergraph: &str) -> GatewayParts {
    GatewayParts {
        subgraphs: Subgraphs::remote(config, None, clock()),
        source: Arc::new(StaticSource::new(supergraph)),
        ..parts()
    }
}

fn config() -> GatewayConfig {
    GatewayConfig {
        remote: RemoteConfig {
            timeout: Duration::from_millis(100),
            response_limit: ByteSize::kb(1),
            ..RemoteConfig::default()
        },
        ..GatewayConfig::default()
    }
}

/// What a client sees of a subgraph at this address.
async fn seen(url: &str) -> String {
    let config = config();
    let gateway = TestGateway::with(standalone(&config, &SUPERGRAPH.replace(NAMED_URL, url)), config).await;
    let reply = gateway.post(r#"{"query":"{ hello }"}"#).await;
    format!("{} {}", reply.status.as_u16(), reply.text())
}

#[tokio::test]
async fn subgraphs_are_reached_where_the_supergraph_says_or_the_configuration_puts_them() {
    let server =
        FakeServer::answering("200 OK", "application/json", br#"{"data":{"hello":"from afar"}}"#).await;
    assert_eq!(seen(&server.url).await, r#"200 {"data":{"hello":"from afar"}}"#);

    let subgraph_urls = BTreeMap::from([("parrot".to_owned(), server.url.clone())]);
    let config = GatewayConfig { subgraph_urls, ..config() };
    let gateway = TestGateway::with(standalone(&config, SUPERGRAPH), config).await;
    assert_eq!(gateway.post(r#"{"query":"{ hello }"}"#).await.text(), r#"{"data":{"hello":"from afar"}}"#);
}

#[tokio::test]
async fn each_fault_of_a_subgraph_is_an_error_that_names_it_and_tells_no_more_than_it_should() {
    let json = "application/json";
    let broken = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{\"data\":";
    let large = format!(r#"{{"data":{{"hello":"{}"}}}}"#, "x".repeat(2000));
    let faults = [
        seen(&FakeServer::dead_url().await).await,
        seen(&FakeServer::start(Behaviour::Silence).await.url).await,
        seen(&FakeServer::start(Behaviour::Answer(broken.into())).await.url).await,
        seen(
            &FakeServer::answering("500 Internal Server Error", "text/plain", b"secret stack trace")
                .await
                .url,
        )
        .await,
        seen(&FakeServer::answering("200 OK", "text/html", b"<html>").await.url).await,
        seen(&FakeServer::answering("200 OK", json, b"garbage").await.url).await,
        seen(&FakeServer::answering("200 OK", json, b"{\"data\":{\"hello\":\"\xff\"}}").await.url).await,
        seen(&FakeServer::answering("200 OK", json, large.as_bytes()).await.url).await,
    ];
    insta::assert_snapshot!(faults.join("\n"), @r#"
    200 {"data":{"hello":null},"errors":[{"message":"the subgraph `parrot` could not be reached","path":["hello"],"extensions":{"code":"UNAVAILABLE","subgraph":"parrot"}}]}
    200 {"data":{"hello":null},"errors":[{"message":"the subgraph `parrot` did not answer within 100 ms","path":["hello"],"extensions":{"code":"TIMEOUT","subgraph":"parrot"}}]}
    200 {"data":{"hello":null},"errors":[{"message":"the subgraph `parrot` could not be reached","path":["hello"],"extensions":{"code":"UNAVAILABLE","subgraph":"parrot"}}]}
    200 {"data":{"hello":null},"errors":[{"message":"the subgraph `parrot` gave an answer that cannot be used","path":["hello"],"extensions":{"code":"INTERNAL","subgraph":"parrot"}}]}
    200 {"data":{"hello":null},"errors":[{"message":"the subgraph `parrot` gave an answer that cannot be used","path":["hello"],"extensions":{"code":"INTERNAL","subgraph":"parrot"}}]}
    200 {"data":{"hello":null},"errors":[{"message":"the subgraph `parrot` gave an answer that cannot be used","path":["hello"],"extensions":{"code":"INTERNAL","subgraph":"parrot"}}]}
    200 {"data":{"hello":null},"errors":[{"message":"the subgraph `parrot` gave an answer that cannot be used","path":["hello"],"extensions":{"code":"INTERNAL","subgraph":"parrot"}}]}
    200 {"data":{"hello":null},"errors":[{"message":"the subgraph `parrot` gave an answer that cannot be used","path":["hello"],"extensions":{"code":"INTERNAL","subgraph":"parrot"}}]}
    "#);
}

#[tokio::test]
async fn a_supergraph_that_cannot_be_served_stops_the_start() {
    let refusal = async |supergraph: &str| {
        let config = config();
        Gateway::init(standalone(&config, supergraph), config).await.err().unwrap().to_string()
    };
    let refusals = [
        refusal("type Query { a: Int }").await,
        refusal("type Query {").await,
        refusal(&SUPERGRAPH.replace(NAMED_URL, "")).await,
    ];
    insta::assert_snapshot!(refusals.join("\n"), @r#"
    the supergraph's subgraphs cannot be used: this is no supergraph: it has no enum join__Graph that lists its subgraphs; compose the subgraphs first
    the supergraph's subgraphs cannot be used: the supergraph is not valid SDL: schema parse error: Parse error at 1:13
    Unexpected end of input
    Expected Name

    the supergraph's subgraphs cannot be used: the address "" of the subgraph `parrot` is not one; write it like http://localhost:4001/graphql
    "#);
}
