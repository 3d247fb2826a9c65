//! A registry over HTTP.

use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use hyper::{Request, StatusCode};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

use crate::cli::RegistryArgs;
use crate::exit::Failure;

/// How long the registry may take to answer: it composes meanwhile.
const LIMIT: Duration = Duration::from_mins(2);

/// How much of an answer is read.
const ANSWER_LIMIT: usize = 64 * 1024 * 1024;

/// A registry, and the key by which it knows who asks.
pub(super) struct Registry<'a> {
    args: &'a RegistryArgs,
    url: String,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl<'a> Registry<'a> {
    /// The registry that the command line names.
    pub(super) fn new(args: &'a RegistryArgs) -> Result<Self, Failure> {
        let named = args.registry.as_deref().unwrap_or_default();
        let url = named.trim_end_matches('/').trim_end_matches("/graphql").to_owned();
        if !url.starts_with("https://") && !url.starts_with("http://") {
            let problem =
                format!("--registry {named:?} is no address: give one such as https://pulse.example.com");
            return Err(Failure::Setting(problem));
        }
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        let tls = HttpsConnectorBuilder::new().with_webpki_roots().https_or_http();
        let client =
            Client::builder(TokioExecutor::new()).build(tls.enable_all_versions().wrap_connector(http));
        Ok(Self { args, url, client })
    }

    /// The data of a GraphQL operation. An error whose code `explains` is given back with its text.
    pub(super) async fn ask(&self, document: &str, variables: Value) -> Result<Value, Failure> {
        let body = json!({ "query": document, "variables": variables }).to_string();
        let request = self.request(Request::post(format!("{}/graphql", self.url)));
        let request = request.header(CONTENT_TYPE, "application/json").body(Full::from(body));
        let (status, body) = self.send(request).await?;
        let mut answer: Value = serde_json::from_slice(&body).map_err(|_| {
            self.failure(&format!("answered {status} with something that is no GraphQL response"))
        })?;
        if let Some(error) = answer["errors"].get(0) {
            let text = error["message"].as_str().unwrap_or("an error without a text");
            return Err(match error["extensions"]["code"].as_str().unwrap_or_default() {
                "BAD_USER_INPUT" | "NOT_FOUND" => Failure::Setting(format!("{}: {text}", self.url)),
                code => self.failure(&format!("refused: {text} ({code})")),
            });
        }
        Ok(answer["data"].take())
    }

    /// The supergraph of the environment and variant.
    pub(super) async fn supergraph(&self) -> Result<String, Failure> {
        let RegistryArgs { environment, variant, .. } = self.args;
        let url = format!("{}/registry/{environment}/{variant}/supergraph", self.url);
        let request = self.request(Request::get(url)).body(Full::default());
        let (status, body) = self.send(request).await?;
        let text = String::from_utf8_lossy(&body).into_owned();
        match status {
            StatusCode::OK => Ok(text),
            StatusCode::NOT_FOUND => {
                Err(Failure::Supergraph(format!("{}: {environment}/{variant}: {}", self.url, text.trim())))
            }
            status => Err(self.failure(&format!("answered {status}: {}", text.trim()))),
        }
    }

    fn request(&self, request: hyper::http::request::Builder) -> hyper::http::request::Builder {
        let request = request.header(USER_AGENT, concat!("pulse/", env!("CARGO_PKG_VERSION")));
        match &self.args.key {
            Some(key) => request.header(AUTHORIZATION, format!("Bearer {}", key.trim())),
            None => request,
        }
    }

    async fn send(
        &self,
        request: hyper::http::Result<Request<Full<Bytes>>>,
    ) -> Result<(StatusCode, Bytes), Failure> {
        let request = request.map_err(|error| Failure::Setting(format!("{}: {error}", self.url)))?;
        let answer = async {
            let response = self.client.request(request).await;
            let response = response.map_err(|error| self.failure(&root(&error).to_string()))?;
            let status = response.status();
            let body = Limited::new(response.into_body(), ANSWER_LIMIT).collect().await;
            let body = body.map_err(|error| self.failure(&format!("broke off: {error}")))?;
            Ok((status, body.to_bytes()))
        };
        let answer = tokio::time::timeout(LIMIT, answer).await;
        answer.unwrap_or_else(|_| Err(self.failure(&format!("did not answer within {} s", LIMIT.as_secs()))))
    }

    fn failure(&self, problem: &str) -> Failure {
        Failure::Registry(format!("{}: {problem}", self.url))
    }
}

/// What is at the bottom of an error, such as a refused connection.
fn root(error: &dyn std::error::Error) -> &dyn std::error::Error {
    error.source().map_or(error, root)
}
