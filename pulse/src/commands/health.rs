//! `pulse health`: what container health checks run.

use std::time::Duration;

use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

use crate::cli::HealthArgs;
use crate::exit::Failure;
use crate::terminal::say;

/// How long the process may take to answer.
const LIMIT: Duration = Duration::from_secs(5);

/// How much of the answer is shown.
const SHOWN: usize = 64 * 1024;

pub(super) async fn run(args: &HealthArgs) -> Result<(), Failure> {
    let not_ready = |problem: String| Failure::NotReady(format!("{}: {problem}", args.url));
    let uri = args.url.parse().map_err(|error| not_ready(format!("not a URL: {error}")))?;
    let client: Client<_, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let answer = async {
        let response =
            client.get(uri).await.map_err(|error| not_ready(format!("does not answer: {}", root(&error))))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), SHOWN).collect().await;
        let body = body.map_err(|error| not_ready(format!("broke off: {error}")))?.to_bytes();
        let text = String::from_utf8_lossy(&body).trim_end().to_owned();
        if status.is_success() { Ok(text) } else { Err(not_ready(format!("{status}: {text}"))) }
    };
    match tokio::time::timeout(LIMIT, answer).await {
        Ok(answer) => answer.map(|text| say(&text)),
        Err(_) => Err(not_ready(format!("did not answer within {} s", LIMIT.as_secs()))),
    }
}

/// What is at the bottom of an error, such as a refused connection.
fn root(error: &dyn std::error::Error) -> &dyn std::error::Error {
    error.source().map_or(error, root)
}
