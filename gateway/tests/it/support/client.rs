//! A client that shows whole responses.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

/// Headers that differ from run to run, or that only say how the body was cut.
const UNSHOWN: [&str; 6] =
    ["date", "content-length", "x-request-id", "x-content-type-options", "vary", "cache-control"];

/// A whole response.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.status)?;
        let mut headers: Vec<_> =
            self.headers.iter().filter(|(name, _)| !UNSHOWN.contains(&name.as_str())).collect();
        headers.sort_by_key(|(name, _)| name.as_str());
        for (name, value) in headers {
            writeln!(f, "{name}: {}", value.to_str().unwrap())?;
        }
        write!(f, "\n{}", self.text())
    }
}

/// Sends one request. Headers are given as `name: value`; a client that names no `accept` knows both types.
pub(crate) async fn send(method: Method, url: &str, headers: &[&str], body: impl Into<Bytes>) -> Reply {
    let mut request = Request::builder().method(method).uri(url);
    for header in headers {
        let (name, value) = header.split_once(": ").unwrap();
        request = request.header(name, value);
    }
    if !headers.iter().any(|header| header.starts_with("accept:")) {
        request = request.header("accept", "application/graphql-response+json, application/json;q=0.9");
    }
    let request = request.body(Full::new(body.into())).unwrap();
    let client = Client::builder(TokioExecutor::new()).build::<_, Full<Bytes>>(HttpConnector::new());
    let (parts, body) = client.request(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Reply { status: parts.status, headers: parts.headers, body }
}
