//! Requests to processes under test.

use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

/// Status and body of an answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) text: String,
}

/// Posts a GraphQL request to a process that serves at `url`, with one more header.
pub(crate) async fn post(url: &str, header: Option<(&str, &str)>, body: &Value) -> anyhow::Result<Answer> {
    let mut request = Request::post(format!("{url}/graphql")).header("content-type", "application/json");
    if let Some((name, value)) = header {
        request = request.header(name, value);
    }
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let response = client.request(request.body(Full::from(body.to_string()))?).await?;
    let status = response.status().as_u16();
    let text = String::from_utf8(response.into_body().collect().await?.to_bytes().to_vec())?;
    Ok(Answer { status, text })
}

/// A gateway's answer as it came, to an anonymous caller or the one that the access token names.
pub(crate) async fn answer(
    url: &str,
    token: Option<&str>,
    query: &str,
    variables: Value,
) -> anyhow::Result<Answer> {
    let bearer = token.map(|token| format!("Bearer {token}"));
    let header = bearer.as_deref().map(|bearer| ("authorization", bearer));
    post(url, header, &json!({ "query": query, "variables": variables })).await
}

/// The data of an answer without errors.
pub(crate) async fn ask(
    url: &str,
    token: Option<&str>,
    query: &str,
    variables: Value,
) -> anyhow::Result<Value> {
    let answer = answer(url, token, query, variables).await?;
    let mut body: Value = serde_json::from_str(&answer.text)?;
    anyhow::ensure!(body.get("errors").is_none(), "{}", answer.text);
    Ok(body["data"].take())
}

/// An answer to a GET.
pub(crate) async fn get(url: &str, path: &str) -> anyhow::Result<Answer> {
    let request = Request::get(format!("{url}{path}")).body(Full::<Bytes>::default())?;
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let response = client.request(request).await?;
    let status = response.status().as_u16();
    let text = String::from_utf8(response.into_body().collect().await?.to_bytes().to_vec())?;
    Ok(Answer { status, text })
}

/// The status and the first piece of an answer to a GET with a caller's token, whether or not it has an end.
pub(crate) async fn get_as(url: &str, path: &str, caller: &str) -> anyhow::Result<(u16, String)> {
    let request = Request::get(format!("{url}{path}")).header("pulse-caller", caller);
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let response = client.request(request.body(Full::default())?).await?;
    let status = response.status().as_u16();
    let frame = response.into_body().frame().await.transpose()?;
    let first = frame.and_then(|frame| frame.into_data().ok()).unwrap_or_default();
    Ok((status, String::from_utf8(first.to_vec())?))
}
