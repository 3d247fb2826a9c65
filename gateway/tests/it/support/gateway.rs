//! A gateway over one subgraph in this process, served on a port of its own.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use http::Method;
use pulse_gateway::ports::{Subgraph, SubgraphFault, SubgraphRequest, SubgraphResponse};
use pulse_gateway::value::{Object, Value};
use pulse_gateway::{
    AnonymousAuthenticator, Gateway, GatewayConfig, GatewayParts, InvalidTls, ServerConfig, StaticSource,
    Subgraphs, serve,
};
use pulse_telemetry::Metrics;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::client::{Reply, send};
use super::clock;

/// A supergraph of one subgraph.
pub(crate) const SUPERGRAPH: &str = include_str!("supergraph.graphql");

/// A subgraph that answers every field with the field's name, never answers `slow`, and breaks at `broken`.
pub(crate) struct Parrot;

#[async_trait]
impl Subgraph for Parrot {
    fn name(&self) -> &'static str {
        "parrot"
    }

    async fn sdl(&self) -> Result<String, SubgraphFault> {
        Ok(String::new())
    }

    async fn execute(&self, request: SubgraphRequest) -> Result<SubgraphResponse, SubgraphFault> {
        if request.query.contains("slow") {
            std::future::pending::<()>().await;
        }
        assert!(!request.query.contains("broken"), "a subgraph that breaks");
        let names = ["hello", "echo", "shout", "caller"];
        let data: Object = names
            .into_iter()
            .filter(|name| request.query.contains(name))
            .map(|name| {
                let value = match (name, request.variables.get("text")) {
                    ("caller", _) => Value::from(format!("{:?}", request.caller.subject)),
                    (_, Some(text)) => text.clone(),
                    _ => Value::from(name),
                };
                (name.into(), value)
            })
            .collect();
        Ok(SubgraphResponse { data: Value::Object(data), ..SubgraphResponse::default() })
    }

    async fn subscribe(
        &self,
        _: SubgraphRequest,
    ) -> Result<BoxStream<'static, Result<SubgraphResponse, SubgraphFault>>, SubgraphFault> {
        Err(SubgraphFault::Malformed("a parrot has no news".to_owned()))
    }
}

/// A gateway that serves.
pub(crate) struct TestGateway {
    pub(crate) url: String,
    pub(crate) gateway: Gateway,
    stop: Option<oneshot::Sender<()>>,
    serving: tokio::task::JoinHandle<Result<(), InvalidTls>>,
}

/// The parts of a gateway over the parrot, for everybody.
pub(crate) fn parts() -> GatewayParts {
    GatewayParts {
        subgraphs: Subgraphs::Fixed(vec![Arc::new(Parrot)]),
        source: Arc::new(StaticSource::new(SUPERGRAPH)),
        authenticator: Arc::new(AnonymousAuthenticator::new(&clock())),
        revocations: None,
        changes: None,
        operations: None,
        surfaces: Vec::new(),
        checks: Vec::new(),
        metrics: Some(Metrics::install().unwrap()),
        clock: clock(),
    }
}

impl TestGateway {
    pub(crate) async fn start() -> Self {
        Self::with(parts(), GatewayConfig::default()).await
    }

    pub(crate) async fn configured(config: GatewayConfig) -> Self {
        Self::with(parts(), config).await
    }

    pub(crate) async fn with(parts: GatewayParts, config: GatewayConfig) -> Self {
        let server = ServerConfig::from(&config);
        let gateway = Box::pin(Gateway::init(parts, config)).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel();
        let shutdown = async {
            // A test that ends without stopping its gateway drops the sender, which is a stop too.
            drop(stopped.await);
        };
        let serving = tokio::spawn(serve(listener, gateway.router(), server, shutdown));
        Self { url, gateway, stop: Some(stop), serving }
    }

    /// Tells the server to stop, and waits until it has.
    pub(crate) async fn stop(mut self) {
        drop(self.stop.take());
        self.serving.await.unwrap().unwrap();
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[&str],
        body: impl Into<Bytes>,
    ) -> Reply {
        send(method, &format!("{}{path}", self.url), headers, body).await
    }

    pub(crate) async fn get(&self, path: &str, headers: &[&str]) -> Reply {
        self.send(Method::GET, path, headers, "").await
    }

    /// A POST of JSON to the API.
    pub(crate) async fn post(&self, body: impl Into<Bytes>) -> Reply {
        self.send(Method::POST, "/graphql", &["content-type: application/json"], body).await
    }
}
