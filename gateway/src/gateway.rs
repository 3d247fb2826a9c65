//! The gateway as one value: its ports wired together, its background work, its routes.

use std::sync::Arc;

use axum::Router;
use pulse_telemetry::Metrics;
use pulse_types::Clock;
use tokio::task::JoinSet;

use crate::auth::RememberedCallers;
use crate::config::GatewayConfig;
use crate::http::{self, HealthCheck};
use crate::ports::{Authenticator, OperationStore, RevocationFeed, SupergraphSource};
use crate::supergraph::{Subgraphs, Supergraph, SupergraphError};

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
    /// Operations known by an id.
    pub operations: Option<Arc<dyn OperationStore>>,
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
    state: Arc<State>,
}

/// What every request sees.
pub(crate) struct State {
    pub(crate) config: GatewayConfig,
    pub(crate) supergraph: Arc<Supergraph>,
    pub(crate) callers: RememberedCallers,
    pub(crate) operations: Option<Arc<dyn OperationStore>>,
    pub(crate) checks: Vec<HealthCheck>,
    pub(crate) metrics: Option<Metrics>,
    pub(crate) clock: Clock,
    /// Follows the source and the revocations; aborted when dropped.
    _background: JoinSet<()>,
}

impl Gateway {
    /// Loads the supergraph and begins to follow its changes. Fails when there is no supergraph that can be served.
    pub async fn init(parts: GatewayParts, config: GatewayConfig) -> Result<Self, SupergraphError> {
        let GatewayParts {
            subgraphs,
            source,
            authenticator,
            revocations,
            operations,
            checks,
            metrics,
            clock,
        } = parts;
        let supergraph = Supergraph::init(source.as_ref(), subgraphs, (&config.limits).into()).await?;
        let supergraph = Arc::new(supergraph);
        let callers = RememberedCallers::new(authenticator, clock.clone(), config.remembered_credentials);
        let mut background = JoinSet::new();
        background.spawn(Arc::clone(&supergraph).follow(source));
        if let Some(feed) = revocations {
            background.spawn(callers.revocations().follow(feed));
        }
        let state = State {
            config,
            supergraph,
            callers,
            operations,
            checks,
            metrics,
            clock,
            _background: background,
        };
        Ok(Self { state: Arc::new(state) })
    }

    /// The routes: `/graphql`, `/health/live`, `/health/ready`, `/metrics`, and `/` for browsers.
    pub fn router(&self) -> Router {
        http::router(Arc::clone(&self.state))
    }

    /// The version of the supergraph that is served now.
    pub fn supergraph_version(&self) -> String {
        self.state.supergraph.served().version.clone()
    }
}
