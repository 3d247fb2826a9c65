//! HTTP/2 without TLS, as proxies and other gateways speak it.

use bytes::Bytes;
use futures::future::join_all;
use http::{Request, Version};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::support::gateway::TestGateway;

#[tokio::test]
async fn a_client_that_knows_it_speaks_http2_with_many_requests_on_one_connection() {
    let gateway = TestGateway::start().await;
    let client =
        Client::builder(TokioExecutor::new()).http2_only(true).build::<_, Full<Bytes>>(HttpConnector::new());
    let ask = async |number: usize| {
        let body = format!(
            r#"{{"query":"query($text: String!) {{ echo(text: $text) }}","variables":{{"text":"{number}"}}}}"#
        );
        let request = Request::post(format!("{}/graphql", gateway.url))
            .header("content-type", "application/json")
            .body(Full::from(body))
            .unwrap();
        let (parts, body) = client.request(request).await.unwrap().into_parts();
        assert_eq!((parts.version, parts.status.as_u16()), (Version::HTTP_2, 200));
        String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap()
    };
    let answers = join_all((0..50).map(ask)).await;
    for (number, answer) in answers.into_iter().enumerate() {
        assert_eq!(answer, format!(r#"{{"data":{{"echo":"{number}"}}}}"#));
    }
}
