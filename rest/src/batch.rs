//! Several requests in one. Each is answered as if it had come alone.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use http::Uri;
use http::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
    IF_MATCH, IF_NONE_MATCH, TRANSFER_ENCODING,
};
use http::request::Parts;
use pulse_gateway::{Api, Call, Surface};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

use crate::conditions::{IDEMPOTENCY_KEY, PREFER};
use crate::mapping::Method;
use crate::problem::Problem;
use crate::surface::Rest;
use crate::{BATCH, ROOT, operation};

/// How many bytes the answers of a batch may have together.
const ANSWERS_LIMIT: usize = 64 << 20;

/// Headers that are about the one request in which they are.
pub(crate) const OF_ONE: [HeaderName; 4] = [IF_MATCH, IF_NONE_MATCH, IDEMPOTENCY_KEY, PREFER];

/// The methods of its requests.
pub(crate) const METHODS: [Method; 5] =
    [Method::Get, Method::Post, Method::Put, Method::Patch, Method::Delete];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Batch {
    requests: Vec<One>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct One {
    method: String,
    path: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: Option<Box<RawValue>>,
}

#[derive(Serialize)]
struct Answers {
    responses: Vec<Answer>,
}

#[derive(Serialize)]
struct Answer {
    status: u16,
    headers: BTreeMap<String, String>,
    body: Option<Box<RawValue>>,
}

/// Answers a batch.
pub(crate) async fn run(
    rest: &Rest,
    api: &Api,
    call: &Call,
    (mut parts, body): (Parts, Body),
) -> Result<Response, Problem> {
    let (limit, concurrency) = api.batches();
    operation::check_names(&[], &operation::query(&parts))?;
    let bytes = call.json(&mut parts, body).await?;
    let Batch { requests } = serde_json::from_slice(&bytes)
        .map_err(|error| Problem::bad(format!("the body is no batch: {error}")).at("requests"))?;
    if requests.len() > limit {
        let detail = format!("the batch has {} requests, the limit is {limit}", requests.len());
        return Err(Problem::bad(detail).at("requests"));
    }
    let requests = requests.into_iter().enumerate();
    let requests: Vec<Request> =
        requests.map(|(index, one)| request(&parts, index, one)).collect::<Result<_, _>>()?;
    // What changes something is seen by what comes after it.
    let only_reads = requests.iter().all(|request| request.method() == http::Method::GET);
    let answers = requests.into_iter().map(|request| async {
        let response = rest.answer(api.clone(), request).await;
        answer(response).await
    });
    let at_once = if only_reads { concurrency } else { 1 };
    let responses = futures::stream::iter(answers).buffered(at_once).collect().await;
    let body = serde_json::to_vec(&Answers { responses }).expect("texts and numbers are JSON");
    Ok(([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response())
}

/// The request of a place in the batch: its caller is that of the whole.
fn request(parts: &Parts, index: usize, one: One) -> Result<Request, Problem> {
    let One { method, path, headers: own, body } = one;
    let field = |name: &str| format!("requests[{index}].{name}");
    let method = METHODS.into_iter().find(|known| known.as_str() == method).ok_or_else(|| {
        let names = METHODS.map(Method::as_str).join(", ");
        Problem::bad(format!("the method is one of {names}, not {method:?}")).at(&field("method"))
    })?;
    let uri: Option<Uri> = format!("{ROOT}{path}").parse().ok().filter(|_| path.starts_with('/'));
    let uri = uri.ok_or_else(|| {
        Problem::bad(format!("{path:?} is no path; write it like /entities?first=5")).at(&field("path"))
    })?;
    let place = uri.path().strip_prefix(ROOT).unwrap_or_default();
    if place == BATCH || place.starts_with("/streams/") {
        return Err(Problem::bad(format!("{place} cannot be part of a batch")).at(&field("path")));
    }
    let mut headers: HeaderMap = parts.headers.clone();
    let of_body = [ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING];
    for name in of_body.iter().chain(&OF_ONE) {
        headers.remove(name);
    }
    for (name, value) in own {
        let known = OF_ONE.into_iter().find(|known| name.eq_ignore_ascii_case(known.as_str()));
        let value = HeaderValue::try_from(value).ok();
        let Some((known, value)) = known.zip(value) else {
            let names = OF_ONE.map(|name| name.to_string()).join(", ");
            let detail = format!("a request of a batch has the headers {names} alone, not {name:?}");
            return Err(Problem::bad(detail).at(&field("headers")));
        };
        headers.insert(known, value);
    }
    let body = body.map(|body| Body::from(body.get().to_owned()));
    if body.is_some() {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    let mut request = Request::new(body.unwrap_or_default());
    *request.method_mut() = method.into();
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    *request.extensions_mut() = parts.extensions.clone();
    Ok(request)
}

async fn answer(response: Response) -> Answer {
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, ANSWERS_LIMIT).await.unwrap_or_default();
    let text = |value: &HeaderValue| value.to_str().unwrap_or_default().to_owned();
    let headers = parts.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    Answer { status: parts.status.as_u16(), headers, body: serde_json::from_slice(&bytes).ok() }
}
