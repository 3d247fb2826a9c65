//! The supergraph that is served: loaded from its source, replaced when the source has a better one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use futures::StreamExt;
use metrics::counter;

use pulse_types::Clock;

use crate::config::GatewayConfig;
use crate::engine::{Engine, EngineConfig, LoadError};
use crate::ports::{SourceError, Subgraph, SupergraphSdl, SupergraphSource};
use crate::remote::{CallerSigner, InvalidHeaderRule, RemoteEndpoint, RemoteSubgraph, subgraph_endpoints};

/// Finds those who serve the subgraphs that a supergraph names. The error says what it names wrongly.
pub type Reach = dyn Fn(&SupergraphSdl) -> Result<Vec<Arc<dyn Subgraph>>, String> + Send + Sync;

/// Who serves the subgraphs of a supergraph.
#[derive(Clone)]
pub enum Subgraphs {
    /// These, whatever the supergraph names.
    Fixed(Vec<Arc<dyn Subgraph>>),
    /// Those that the supergraph names, as this function reaches them.
    Named(Arc<Reach>),
}

impl Subgraphs {
    /// Subgraphs over HTTP, at the addresses that the supergraph names or the configuration puts over them. `signer`
    /// vouches for callers where it has a secret.
    pub fn remote(config: &GatewayConfig, signer: Option<Arc<dyn CallerSigner>>, clock: Clock) -> Self {
        let config = config.clone();
        // A subgraph that stays where it is keeps its connections, whatever else a new supergraph changes.
        let known = Mutex::new(BTreeMap::<(String, String), Arc<RemoteSubgraph>>::new());
        Self::Named(Arc::new(move |supergraph| {
            let endpoints = subgraph_endpoints(&supergraph.sdl).map_err(|error| error.to_string())?;
            let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
            let mut reached = BTreeMap::new();
            for (name, url) in endpoints {
                let place = (name.clone(), config.url_of(&name).map_or(url, str::to_owned));
                let subgraph = match known.get(&place) {
                    Some(subgraph) => Arc::clone(subgraph),
                    None => {
                        let settings = config.remote_for(&name);
                        let endpoint = RemoteEndpoint { name, url: place.1.clone(), signer: signer.clone() };
                        let subgraph = RemoteSubgraph::try_new(endpoint, settings, clock.clone());
                        Arc::new(subgraph.map_err(|error| error.to_string())?)
                    }
                };
                reached.insert(place, subgraph);
            }
            *known = reached;
            Ok(known.values().map(|subgraph| Arc::clone(subgraph) as Arc<dyn Subgraph>).collect())
        }))
    }
}

/// Why no supergraph could be served.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SupergraphError {
    /// The source gave none.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// What it gave cannot be served.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// Its subgraphs cannot be reached as it says.
    #[error("the supergraph's subgraphs cannot be used: {0}")]
    Subgraphs(String),
    /// Headers cannot be handled as the configuration says.
    #[error(transparent)]
    Headers(#[from] InvalidHeaderRule),
    /// Loading it broke the planner.
    #[error("loading the supergraph failed inside; please report it with the supergraph")]
    Panicked,
}

/// The engine over one version of the supergraph.
pub(crate) struct Served {
    pub(crate) engine: Engine,
    pub(crate) version: String,
    /// What the engine was made of, to make it again when the configuration changes.
    sdl: String,
}

/// The supergraph that is served now.
pub(crate) struct Supergraph {
    served: ArcSwap<Served>,
    /// How the next one is loaded. Held while one is, so that they replace each other in order.
    loader: tokio::sync::Mutex<Loader>,
    /// Why the newest version is not the one that is served.
    refused: Mutex<Option<String>>,
}

#[derive(Clone)]
struct Loader {
    subgraphs: Subgraphs,
    config: EngineConfig,
}

impl Supergraph {
    pub(crate) async fn init(
        source: &dyn SupergraphSource,
        subgraphs: Subgraphs,
        config: EngineConfig,
    ) -> Result<Self, SupergraphError> {
        let loader = Loader { subgraphs, config };
        let served = loader.load(source.current().await?).await?;
        Ok(Self {
            served: ArcSwap::from_pointee(served),
            loader: tokio::sync::Mutex::new(loader),
            refused: Mutex::new(None),
        })
    }

    /// The engine to use for a whole request, however long it takes.
    pub(crate) fn served(&self) -> Arc<Served> {
        self.served.load_full()
    }

    /// Why the newest version of the source is not served, when it is not.
    pub(crate) fn refused(&self) -> Option<String> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes in new versions, until the source ends.
    pub(crate) async fn follow(self: Arc<Self>, source: Arc<dyn SupergraphSource>) {
        let mut changes = source.changes();
        while let Some(supergraph) = changes.next().await {
            self.replace(supergraph).await;
        }
    }

    /// Serves the same supergraph by another configuration from now on. On an error everything stays as it is.
    pub(crate) async fn reconfigure(
        &self,
        subgraphs: Subgraphs,
        config: EngineConfig,
    ) -> Result<(), SupergraphError> {
        let mut loader = self.loader.lock().await;
        let new = Loader { subgraphs, config };
        let served = self.served();
        let same = SupergraphSdl { sdl: served.sdl.clone(), version: served.version.clone() };
        self.served.store(Arc::new(new.load(same).await?));
        *loader = new;
        Ok(())
    }

    async fn replace(&self, supergraph: SupergraphSdl) {
        let loader = self.loader.lock().await;
        let version = supergraph.version.clone();
        let refused = if self.served().version == version {
            None
        } else {
            match loader.load(supergraph).await {
                Ok(served) => {
                    self.served.store(Arc::new(served));
                    counter!("pulse_gateway_supergraph_loads_total", "outcome" => "ok").increment(1);
                    tracing::info!(%version, "serving a new supergraph");
                    None
                }
                Err(error) => {
                    counter!("pulse_gateway_supergraph_loads_total", "outcome" => "error").increment(1);
                    tracing::error!(%version, %error, "keeping the supergraph that is served");
                    Some(format!("version {version} was refused: {error}"))
                }
            }
        };
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = refused;
    }
}

impl Loader {
    /// Builds the engine where it keeps nobody waiting: planners of large supergraphs take a while.
    async fn load(&self, supergraph: SupergraphSdl) -> Result<Served, SupergraphError> {
        let Self { subgraphs, config } = self.clone();
        let load = move || {
            let subgraphs = match subgraphs {
                Subgraphs::Fixed(subgraphs) => subgraphs,
                Subgraphs::Named(reach) => reach(&supergraph).map_err(SupergraphError::Subgraphs)?,
            };
            let engine = Engine::load(&supergraph, subgraphs, &config)?;
            Ok(Served { engine, version: supergraph.version, sdl: supergraph.sdl })
        };
        tokio::task::spawn_blocking(load).await.unwrap_or(Err(SupergraphError::Panicked))
    }
}
