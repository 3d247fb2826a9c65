//! The gateway as one value: its ports wired together, its background work, its routes.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use arc_swap::ArcSwap;
use axum::Router;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::response::Response;
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use pulse_manifests::PublishedOperations;
use pulse_telemetry::Metrics;
use pulse_types::{Caller, Clock, RequestId};
use tokio::task::JoinSet;
use tower::Service;

use crate::auth::RememberedCallers;
use crate::changes::Changes;
use crate::config::GatewayConfig;
use crate::engine::{MostUsed, WarmedUp};
use crate::http::{self, Front, HealthCheck};
use crate::lifecycle::Lifecycle;
use crate::persisted_queries::PersistedQueries;
use crate::pipeline::{Executions, OperationNames};
use crate::ports::{
    AuthenticationError, Authenticator, ChangeFeed, OperationStore, RevocationFeed, SupergraphSource,
};
use crate::quota::Quotas;
use crate::remote::headers::ResponseHeaders;
use crate::response_cache::ResponseCache;
use crate::streams::{StreamDirectory, Streams};
use crate::supergraph::{Loader, Subgraphs, Supergraph, SupergraphError};
use crate::surface::Surface;
use crate::usage::Usage;
use crate::variants::Variants;

/// What a gateway is made of: the ports, and what the process shares with it.
pub struct GatewayParts {
    /// Who serves the subgraphs.
    pub subgraphs: Subgraphs,
    /// Where the supergraph comes from.
    pub source: Arc<dyn SupergraphSource>,
    /// Who turns credentials into callers.
    pub authenticator: Arc<dyn Authenticator>,
    /// Who tells of credentials that end early.
    pub revocations: Option<Arc<dyn RevocationFeed>>,
    /// Who tells of what changes; without it no query is live.
    pub changes: Option<Arc<dyn ChangeFeed>>,
    /// Operations known by an id.
    pub operations: Option<Arc<dyn OperationStore>>,
    /// Other faces of the API, beside GraphQL.
    pub surfaces: Vec<Arc<dyn Surface>>,
    /// What must work before the process is ready, beside the gateway itself.
    pub checks: Vec<HealthCheck>,
    /// Where `/metrics` reads; the route is absent without it.
    pub metrics: Option<Metrics>,
    /// The time.
    pub clock: Clock,
}

/// A gateway that serves. Its background work ends when it and all of its routers are gone.
#[derive(Clone)]
pub struct Gateway {
    current: Arc<Current>,
}

/// What serves now, and what works behind it.
struct Current {
    epoch: ArcSwap<Epoch>,
    /// One reconfiguration at a time.
    changing: tokio::sync::Mutex<()>,
    /// Follows the source and the revocations; aborted when dropped.
    _background: JoinSet<()>,
}

/// The time from one configuration to the next: requests end in the epoch in which they began.
struct Epoch {
    state: Arc<State>,
    front: Front,
}

/// What every request sees. All of it belongs to one version of the configuration; what outlives that is behind an `Arc`.
pub(crate) struct State {
    pub(crate) config: GatewayConfig,
    pub(crate) supergraph: Arc<Supergraph>,
    pub(crate) response_headers: ResponseHeaders,
    pub(crate) callers: Arc<RememberedCallers>,
    /// What changes, where somebody tells of it.
    pub(crate) changes: Option<Arc<Changes>>,
    pub(crate) operations: Option<Arc<dyn OperationStore>>,
    pub(crate) persisted: Arc<PersistedQueries>,
    pub(crate) surfaces: Arc<[Arc<dyn Surface>]>,
    pub(crate) checks: Vec<HealthCheck>,
    pub(crate) metrics: Option<Metrics>,
    pub(crate) clock: Clock,
    pub(crate) lifecycle: Arc<Lifecycle>,
    pub(crate) operation_names: Arc<OperationNames>,
    pub(crate) quotas: Arc<Quotas>,
    pub(crate) streams: Arc<Streams>,
    pub(crate) executions: Arc<Executions>,
    /// Answers that are kept, where any are.
    pub(crate) response_cache: Option<Arc<ResponseCache>>,
    /// What a registry is told of what clients use.
    pub(crate) usage: Option<Arc<Usage>>,
    /// Other supergraphs, which requests may choose.
    pub(crate) variants: Option<Arc<Variants>>,
}

/// What a new configuration changed, setting by setting.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reconfigured {
    /// Settings that hold from now on.
    pub changed: Vec<String>,
    /// Settings that hold when the process is started again.
    pub needs_restart: Vec<String>,
}

impl Gateway {
    /// Loads the supergraph and begins to follow its changes. Fails when there is no supergraph that can be served.
    pub async fn init(parts: GatewayParts, config: GatewayConfig) -> Result<Self, SupergraphError> {
        let GatewayParts {
            subgraphs,
            source,
            authenticator,
            revocations,
            changes,
            operations,
            surfaces,
            checks,
            metrics,
            clock,
        } = parts;
        let response_headers = ResponseHeaders::try_new(&config)?;
        config.response_cache.check()?;
        let mut background = JoinSet::new();
        // What changes from now on is heard, so that nothing that is read from now on grows old unseen.
        let changes = changes.map(|feed| {
            let changes = Arc::<Changes>::default();
            background.spawn(Arc::clone(&changes).follow(feed.changes()));
            changes
        });
        let loader = loader(subgraphs, &config, changes.as_ref());
        let variants = Variants::new(&config.supergraph, &source, &loader).map(Arc::new);
        let supergraph = Arc::new(Supergraph::init(source.as_ref(), loader).await?);
        let callers = RememberedCallers::new(authenticator, clock.clone(), config.remembered_credentials);
        background.spawn(Arc::clone(&supergraph).follow(source));
        if let Some(feed) = revocations {
            background.spawn(callers.revocations().follow(feed));
        }
        if let Some(operations) = &operations {
            background.spawn(plan_ahead(Arc::clone(&supergraph), operations.news(), &config));
        }
        let state = State {
            usage: Usage::start(&config.usage, &supergraph, &clock, &mut background)?,
            variants,
            response_cache: ResponseCache::new(&config, changes.as_ref(), &clock),
            streams: Arc::new(Streams::new(&config, &clock)),
            persisted: Arc::new(PersistedQueries::new(&config.persisted_queries)),
            quotas: Arc::new(Quotas::new(&config, clock.clone())),
            config,
            supergraph,
            response_headers,
            callers: Arc::new(callers),
            changes,
            operations,
            surfaces: surfaces.into(),
            checks,
            metrics,
            clock,
            lifecycle: Arc::default(),
            operation_names: Arc::default(),
            executions: Arc::default(),
        };
        let current = Current {
            epoch: ArcSwap::from_pointee(Epoch::begin(state)),
            changing: tokio::sync::Mutex::new(()),
            _background: background,
        };
        Ok(Self { current: Arc::new(current) })
    }

    /// Serves by `config` from now on, with the subgraphs reached as it says; requests under way end by the old one.
    /// On an error everything stays as it is.
    pub async fn reconfigure(
        &self,
        config: GatewayConfig,
        subgraphs: Subgraphs,
    ) -> Result<Reconfigured, SupergraphError> {
        let _one_at_a_time = self.current.changing.lock().await;
        let old = Arc::clone(&self.current.epoch.load().state);
        let reconfigured = old.config.changes_to(&config);
        let response_headers = ResponseHeaders::try_new(&config)?;
        config.response_cache.check()?;
        old.supergraph.reconfigure(loader(subgraphs, &config, old.changes.as_ref())).await?;
        self.current.epoch.store(Arc::new(Epoch::begin(old.with(config, response_headers))));
        old.lifecycle.accept_config();
        Ok(reconfigured)
    }

    /// Says that there is a newer configuration which cannot be used, and why: in the log, in `/health/ready` and as a
    /// metric. The next one that can be used ends it.
    pub fn refuse_config(&self, why: &str) {
        self.current.epoch.load().state.lifecycle.refuse_config(why);
    }

    /// Turns `/health/ready` to "not ready", so that load balancers send their requests elsewhere.
    pub fn begin_to_stop(&self) {
        self.current.epoch.load().state.lifecycle.begin_to_stop();
    }

    /// The routes: `/graphql`, `/health/live`, `/health/ready`, `/metrics`, and `/` for browsers.
    pub fn router(&self) -> Router {
        Router::new().fallback_service(CurrentRouter(Arc::clone(&self.current)))
    }

    /// `/metrics` and the health routes alone, for an address of their own.
    pub fn operator_router(&self) -> Router {
        http::operator_router(&self.current.epoch.load().state)
    }

    /// The streams that are open, for those who look after them.
    pub fn streams(&self) -> StreamDirectory {
        self.current.epoch.load().state.streams.directory.clone()
    }

    /// Who asks with these headers, as requests learn it: a credential that was verified before is remembered.
    pub async fn who_asks(&self, headers: &HeaderMap) -> Result<Arc<Caller>, AuthenticationError> {
        let state = Arc::clone(&self.current.epoch.load().state);
        let request = RequestId::new(state.clock.now());
        Ok(state.callers.authenticate(headers, request).await?.caller)
    }

    /// The version of the supergraph that is served now.
    pub fn supergraph_version(&self) -> String {
        self.current.epoch.load().state.supergraph.served().version.clone()
    }
}

/// Plans what is published before anybody sends it.
fn plan_ahead(
    supergraph: Arc<Supergraph>,
    mut news: BoxStream<'static, Arc<PublishedOperations>>,
    config: &GatewayConfig,
) -> impl Future<Output = ()> + use<> {
    let limit = config.supergraph.warm_up_timeout;
    async move {
        while let Some(published) = news.next().await {
            let clients = published.clients();
            let documents = clients.iter().flat_map(|client| client.operations());
            let operations = MostUsed::soon(documents.map(|operation| &*operation.document));
            let WarmedUp { planned, failed, skipped } =
                supergraph.served().engine.warm_up(operations, limit).await;
            tracing::info!(planned, failed, skipped, "planned published operations");
        }
    }
}

fn loader(subgraphs: Subgraphs, config: &GatewayConfig, changes: Option<&Arc<Changes>>) -> Loader {
    let loader = Loader::new(subgraphs, config);
    match changes {
        Some(_) => loader.with_live_queries(config.live_queries.enabled),
        None => loader.without_changes(),
    }
}

impl Epoch {
    fn begin(state: State) -> Self {
        let state = Arc::new(state);
        Self { front: Front::new(&state), state }
    }
}

impl State {
    /// The state of the next epoch.
    fn with(&self, config: GatewayConfig, response_headers: ResponseHeaders) -> Self {
        let quotas = Arc::new(self.quotas.changed(&self.config, &config));
        let response_cache = match &self.response_cache {
            Some(cache) if self.config == config => Some(Arc::clone(cache)),
            Some(cache) => cache.changed(&config),
            None => ResponseCache::new(&config, self.changes.as_ref(), &self.clock),
        };
        let Self {
            config: old,
            quotas: _,
            response_cache: _,
            response_headers: _,
            supergraph,
            callers,
            changes,
            operations,
            persisted,
            surfaces,
            checks,
            metrics,
            clock,
            lifecycle,
            operation_names,
            streams,
            executions,
            usage,
            variants,
        } = self;
        let persisted = if old.persisted_queries == config.persisted_queries {
            Arc::clone(persisted)
        } else {
            Arc::new(PersistedQueries::new(&config.persisted_queries))
        };
        Self {
            config,
            response_cache,
            response_headers,
            quotas,
            supergraph: Arc::clone(supergraph),
            callers: Arc::clone(callers),
            changes: changes.clone(),
            operations: operations.clone(),
            persisted,
            surfaces: Arc::clone(surfaces),
            checks: checks.clone(),
            metrics: metrics.clone(),
            clock: clock.clone(),
            lifecycle: Arc::clone(lifecycle),
            operation_names: Arc::clone(operation_names),
            streams: Arc::clone(streams),
            executions: Arc::clone(executions),
            usage: usage.clone(),
            variants: variants.clone(),
        }
    }
}

/// The routes of the epoch in which a request comes.
#[derive(Clone)]
struct CurrentRouter(Arc<Current>);

impl Service<Request> for CurrentRouter {
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let front = self.0.epoch.load().front.clone();
        Box::pin(async move { Ok(front.answer(request).await) })
    }
}
