//! A client that follows a stream over server-sent events.

use std::time::Duration;

use anyhow::Context;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::{Bytes, Incoming};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tokio::time::timeout;

/// Longer than anything takes that does not hang.
const PATIENCE: Duration = Duration::from_mins(1);

/// One stream.
pub(crate) struct Events {
    body: Incoming,
    read: String,
}

impl Events {
    /// Opens it; its answers may come at once.
    pub(crate) async fn open(url: &str, token: &str, query: &str, variables: Value) -> anyhow::Result<Self> {
        let content = json!({ "query": query, "variables": variables }).to_string();
        let request = Request::post(format!("{url}/graphql"))
            .header("content-type", "application/json")
            .header("accept", "text/event-stream")
            .header("authorization", format!("Bearer {token}"))
            .body(Full::new(Bytes::from(content)))?;
        let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
        let response = timeout(PATIENCE, client.request(request)).await.context("no stream opens")??;
        Ok(Self { body: response.into_body(), read: String::new() })
    }

    /// The next answer; `None` at the end. Fails when nothing is said for a minute.
    pub(crate) async fn next(&mut self) -> anyhow::Result<Option<Value>> {
        timeout(PATIENCE, self.said()).await.context("nothing is said")?
    }

    /// The data of the next answer, which must have no errors.
    pub(crate) async fn data(&mut self) -> anyhow::Result<Value> {
        let mut answer = self.next().await?.context("the stream ended")?;
        anyhow::ensure!(answer.get("errors").is_none(), "{answer}");
        Ok(answer["data"].take())
    }

    /// The same, however long it takes.
    pub(crate) async fn said(&mut self) -> anyhow::Result<Option<Value>> {
        loop {
            let Some(piece) = self.piece().await? else { return Ok(None) };
            let data = piece.lines().find_map(|line| line.strip_prefix("data:"));
            let answer = data.and_then(|data| serde_json::from_str::<Value>(data.trim()).ok());
            if let Some(answer) = answer.filter(Value::is_object) {
                return Ok(Some(answer));
            }
        }
    }

    /// What comes up to the next empty line.
    async fn piece(&mut self) -> anyhow::Result<Option<String>> {
        loop {
            if let Some(at) = self.read.find("\n\n") {
                let rest = self.read.split_off(at + 2);
                return Ok(Some(std::mem::replace(&mut self.read, rest)));
            }
            let Some(frame) = self.body.frame().await else { return Ok(None) };
            if let Some(data) = frame?.data_ref() {
                self.read.push_str(std::str::from_utf8(data)?);
            }
        }
    }
}
