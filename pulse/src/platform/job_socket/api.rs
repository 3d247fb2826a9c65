//! What is asked of the gateway on behalf of a client.

use axum::Router;
use axum::body::{Body, BodyDataStream};
use axum::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use axum::http::{Extensions, Request};
use axum::response::Response;
use futures::StreamExt;
use http_body_util::BodyExt;
use pulse_types::JobId;
use serde::Deserialize;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::close::Close;

const JOB: &str =
    "query JobSocketState($id: ID!) { streamCursor job(id: $id) { kind status progress version error } }";

const PROGRESS: &str = "subscription JobSocketProgress($id: ID!, $after: String!) {
    jobProgress(filter: { ids: [$id] }, after: $after) { jobKind status progress version cursor } }";

/// An answer is a few hundred bytes.
const ANSWER_LIMIT: usize = 1024 * 1024;

/// The gateway, as this client.
pub(super) struct Api {
    router: Router,
    headers: HeaderMap,
    extensions: Extensions,
}

/// How a job is at some time.
#[derive(Debug, Deserialize)]
pub(super) struct Job {
    #[serde(alias = "jobKind")]
    pub(super) kind: String,
    pub(super) status: String,
    pub(super) progress: i32,
    pub(super) version: i64,
    #[serde(default)]
    pub(super) error: Option<String>,
    /// Behind which later changes are told of.
    #[serde(default)]
    pub(super) cursor: String,
}

impl Job {
    pub(super) fn has_ended(&self) -> bool {
        matches!(self.status.as_str(), "COMPLETED" | "FAILED" | "CANCELLED")
    }
}

impl Api {
    pub(super) const fn new(router: Router, headers: HeaderMap, extensions: Extensions) -> Self {
        Self { router, headers, extensions }
    }

    pub(super) fn has_credential(&self) -> bool {
        self.headers.contains_key(AUTHORIZATION) || self.headers.contains_key("x-api-key")
    }

    /// Goes on as the one whom an access token names.
    pub(super) fn use_token(&mut self, token: &str) -> Result<(), Close> {
        let mut value =
            HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| Close::unauthenticated())?;
        value.set_sensitive(true);
        self.headers.insert(AUTHORIZATION, value);
        Ok(())
    }

    /// The job as it is now, and the cursor behind which nothing of this is missing.
    pub(super) async fn job(&self, id: JobId) -> Result<Job, Close> {
        let body = json!({ "query": JOB, "variables": { "id": id.to_string() } });
        let response = self.post("application/graphql-response+json", &body).await?;
        let mut answer = read(response).await?;
        if let Some(error) = answer["errors"].get(0) {
            return Err(Close::of_error(error));
        }
        let data = &mut answer["data"];
        if data["job"].is_null() {
            return Err(Close::not_found());
        }
        let cursor = data["streamCursor"].as_str().map(str::to_owned);
        let job: Job = serde_json::from_value(data["job"].take()).map_err(|_| Close::fault())?;
        Ok(Job { cursor: cursor.ok_or_else(Close::fault)?, ..job })
    }

    /// The changes of the job behind a cursor.
    pub(super) async fn follow(&self, id: JobId, after: &str) -> Result<Changes, Close> {
        let body = json!({ "query": PROGRESS, "variables": { "id": id.to_string(), "after": after } });
        let response = self.post("text/event-stream", &body).await?;
        let content_type = response.headers().get(CONTENT_TYPE).and_then(|name| name.to_str().ok());
        if content_type.is_some_and(|name| name.starts_with("text/event-stream")) {
            return Ok(Changes { body: response.into_body().into_data_stream(), read: Vec::new() });
        }
        let answer = read(response).await?;
        Err(answer["errors"].get(0).map_or_else(Close::fault, Close::of_error))
    }

    async fn post(&self, accept: &'static str, body: &Value) -> Result<Response, Close> {
        let mut request =
            Request::post("/graphql").body(Body::from(body.to_string())).map_err(|_| Close::fault())?;
        *request.headers_mut() = self.headers.clone();
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static(accept));
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        *request.extensions_mut() = self.extensions.clone();
        match self.router.clone().oneshot(request).await {
            Ok(response) => Ok(response),
            Err(never) => match never {},
        }
    }
}

async fn read(response: Response) -> Result<Value, Close> {
    let body = http_body_util::Limited::new(response.into_body(), ANSWER_LIMIT);
    let body = body.collect().await.map_err(|_| Close::fault())?.to_bytes();
    serde_json::from_slice(&body).map_err(|_| Close::fault())
}

/// The server-sent events of a subscription.
pub(super) struct Changes {
    body: BodyDataStream,
    read: Vec<u8>,
}

impl Changes {
    /// The next change; why there is none any more. May be given up and called again.
    pub(super) async fn next(&mut self) -> Result<Job, Close> {
        loop {
            while let Some(end) = self.read.windows(2).position(|two| two == b"\n\n") {
                let event: Vec<u8> = self.read.drain(..end + 2).collect();
                if let Some(job) = change(&event)? {
                    return Ok(job);
                }
            }
            match self.body.next().await {
                Some(Ok(bytes)) if self.read.len() + bytes.len() <= ANSWER_LIMIT => {
                    self.read.extend_from_slice(&bytes);
                }
                _ => return Err(Close::new(1011, "the stream of changes broke: connect again with `after`")),
            }
        }
    }
}

/// What an event says; nothing, for one that keeps the connection alive.
fn change(event: &[u8]) -> Result<Option<Job>, Close> {
    let text = std::str::from_utf8(event).map_err(|_| Close::fault())?;
    if text.lines().any(|line| line.strip_prefix("event:").is_some_and(|name| name.trim() == "complete")) {
        return Err(Close::new(1001, "the stream of changes is over: connect again with `after`"));
    }
    let Some(data) = text.lines().find_map(|line| line.strip_prefix("data:")) else { return Ok(None) };
    let mut answer: Value = serde_json::from_str(data.trim()).map_err(|_| Close::fault())?;
    if let Some(error) = answer["errors"].get(0) {
        return Err(Close::of_error(error));
    }
    serde_json::from_value(answer["data"]["jobProgress"].take()).map(Some).map_err(|_| Close::fault())
}
