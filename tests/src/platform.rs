//! The platform on a database and a port of its own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{HeaderMap, Request, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use pulse_gateway::{ServerConfig, serve};
use pulse_store::Store;
use pulse_testkit::TestDatabase;
use pulse_tokens::AccessTokens;
use pulse_types::Secret;
use pulse_wiring::platform::{Database, Platform, signing_tokens};
use pulse_wiring::settings::Settings;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;

/// A seed that only tests use.
const SEED: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// What everything secret is sealed and signed with.
pub const ENCRYPTION_KEY: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

/// Everything that `pulse serve all` runs, for one test.
pub struct TestPlatform {
    /// The database.
    pub database: Arc<TestDatabase>,
    /// The platform's own connections to it; it counts statements.
    pub store: Store,
    /// What signs access tokens.
    pub tokens: AccessTokens,
    /// Where files are kept.
    pub files: Arc<TempDir>,
    address: SocketAddr,
    client: Client<HttpConnector, Full<Bytes>>,
    server: JoinHandle<()>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, when it is JSON.
    pub json: Value,
}

impl TestPlatform {
    /// Starts it.
    pub async fn start() -> Self {
        Self::with_settings(|_| {}).await
    }

    /// Starts it with other settings.
    pub async fn with_settings(change: impl FnOnce(&mut Settings)) -> Self {
        Box::pin(Self::start_on((Arc::new(TestDatabase::new().await.unwrap()), files()), true, change)).await
    }

    /// Starts it without background work, so that only requests run statements.
    pub async fn without_background() -> Self {
        Box::pin(Self::start_on((Arc::new(TestDatabase::new().await.unwrap()), files()), false, |_| {})).await
    }

    /// Another process beside this one, on the same database.
    pub async fn another(&self) -> Self {
        Box::pin(Self::start_on((Arc::clone(&self.database), Arc::clone(&self.files)), true, |_| {})).await
    }

    async fn start_on(
        (database, files): (Arc<TestDatabase>, Arc<TempDir>),
        has_background: bool,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let mut settings = Settings::from_env(None, std::iter::empty()).unwrap();
        settings.secrets.encryption_key = Some(Secret::new(ENCRYPTION_KEY));
        settings.files.folder = files.path().to_owned();
        settings.privacy.audit_export_delay = Duration::ZERO;
        settings.gateway.expose_plan = pulse_gateway::PlanExposure::All;
        settings.database.max_connections = 8;
        change(&mut settings);
        let tokens = signing_tokens(Some(&Secret::new(SEED))).unwrap();
        let platform =
            Platform::start(&Database::existing(database.options()), &tokens, &settings, None).await.unwrap();
        let store = platform.store().clone();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let Platform { router, background, .. } = platform;
        let background = if has_background {
            Some(background)
        } else {
            background.stop().await;
            None
        };
        let server = tokio::spawn(async move {
            // Dropped with the task, it ends.
            let _background = background;
            serve(listener, router, ServerConfig::from(&settings.gateway), std::future::pending())
                .await
                .expect("the tests use no TLS");
        });
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self { database, store, tokens, files, address, client, server }
    }

    /// Sends a GraphQL request, with an access token when there is one.
    pub async fn graphql(&self, token: Option<&str>, query: &str, variables: Value) -> Answer {
        self.post(token, json!({ "query": query, "variables": variables }).to_string()).await
    }

    /// The data that a request must bring without an error.
    pub async fn data(&self, token: &str, query: &str, variables: Value) -> Value {
        let mut answer = self.graphql(Some(token), query, variables).await;
        assert_eq!(answer.json.get("errors"), None, "{query}");
        answer.json["data"].take()
    }

    /// Sends a body to `/graphql` as it is.
    pub async fn post(&self, token: Option<&str>, body: impl Into<Bytes>) -> Answer {
        let bearer = token.map(|token| format!("Bearer {token}"));
        let header = bearer.as_deref().map(|bearer| ("authorization", bearer));
        let types = [("content-type", "application/json"), ("accept", "application/graphql-response+json")];
        self.post_to("/graphql", &types.into_iter().chain(header).collect::<Vec<_>>(), body).await
    }

    /// Posts a body to a path, with these headers.
    pub async fn post_to(&self, path: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
        let mut request = Request::post(format!("http://{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Full::new(body.into())).unwrap()).await
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Gets a path.
    pub async fn get(&self, path: &str) -> Answer {
        let request = Request::get(format!("http://{}{path}", self.address));
        self.send(request.body(Full::default()).unwrap()).await
    }

    /// Gets a path with an access token.
    pub async fn get_as(&self, token: &str, path: &str) -> Answer {
        let request = Request::get(format!("http://{}{path}", self.address));
        self.send(request.header("authorization", format!("Bearer {token}")).body(Full::default()).unwrap())
            .await
    }

    /// Sends any request, with an access token when there is one.
    pub async fn call(
        &self,
        (method, path): (&str, &str),
        token: Option<&str>,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("http://{}{path}", self.address));
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Full::new(body.into())).unwrap()).await
    }

    /// Sends a GraphQL request as a client of this name, without a token.
    pub async fn graphql_by(&self, user_agent: &str, query: &str, variables: Value) -> Answer {
        let request = Request::post(format!("http://{}/graphql", self.address))
            .header("content-type", "application/json")
            .header("user-agent", user_agent);
        let body = json!({ "query": query, "variables": variables }).to_string();
        self.send(request.body(Full::new(body.into())).unwrap()).await
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> Answer {
        let response = self.client.request(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let json = serde_json::from_slice(&body)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&body).into_owned()));
        Answer { status: parts.status, headers: parts.headers, json }
    }
}

impl Answer {
    /// The code of the first error.
    pub fn code(&self) -> Option<&str> {
        self.json["errors"][0]["extensions"]["code"].as_str()
    }

    /// The text of the first error.
    pub fn message(&self) -> &str {
        self.json["errors"][0]["message"].as_str().unwrap_or_default()
    }
}

fn files() -> Arc<TempDir> {
    Arc::new(tempfile::tempdir().unwrap())
}

impl Drop for TestPlatform {
    fn drop(&mut self) {
        self.server.abort();
    }
}
