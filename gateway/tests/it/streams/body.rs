//! A response's body, read piece by piece.

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use super::soon;

pub(crate) struct Pieces {
    pub(crate) response: Response<()>,
    body: Incoming,
    read: String,
}

impl Pieces {
    /// Sends a request and keeps its answer open.
    pub(crate) async fn open(method: Method, url: &str, headers: &[&str], body: &str) -> Self {
        let mut request = Request::builder().method(method).uri(url);
        for header in headers {
            let (name, value) = header.split_once(": ").unwrap();
            request = request.header(name, value);
        }
        let request = request.body(Full::new(Bytes::from(body.to_owned()))).unwrap();
        let client = Client::builder(TokioExecutor::new()).build::<_, Full<Bytes>>(HttpConnector::new());
        let (parts, body) = soon(client.request(request)).await.unwrap().into_parts();
        Self { response: Response::from_parts(parts, ()), body, read: String::new() }
    }

    /// A POST of a document, with its variables as JSON.
    pub(crate) async fn post(url: &str, accept: &str, query: &str, variables: &str) -> Self {
        let query = serde_json::Value::from(query);
        let body = format!(r#"{{"query":{query},"variables":{variables}}}"#);
        let accept = format!("accept: {accept}");
        let headers = ["content-type: application/json", &accept];
        Self::open(Method::POST, &format!("{url}/graphql"), &headers, &body).await
    }

    /// What comes up to and with the next `end`; the rest of the body when there is none.
    pub(crate) async fn until(&mut self, end: &str) -> String {
        loop {
            if let Some(at) = self.read.find(end) {
                let rest = self.read.split_off(at + end.len());
                return std::mem::replace(&mut self.read, rest);
            }
            match soon(self.body.frame()).await {
                Some(Ok(frame)) => {
                    let text = std::str::from_utf8(frame.data_ref().unwrap()).unwrap();
                    self.read.push_str(text);
                }
                Some(Err(_)) | None => return std::mem::take(&mut self.read),
            }
        }
    }

    /// The next server-sent event that is no comment.
    pub(crate) async fn event(&mut self) -> String {
        loop {
            let event = self.until("\n\n").await;
            if event != ":\n\n" {
                return event.trim_end().to_owned();
            }
        }
    }
}
