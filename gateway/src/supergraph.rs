//! The supergraph that is served: loaded from its source, replaced when the source has a better one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use futures::StreamExt;
use metrics::{counter, gauge, histogram};
use tokio::sync::watch;

use pulse_types::Clock;

use crate::config::{GatewayConfig, InvalidResponseCache};
use crate::engine::{CachingRules, Engine, EngineConfig, LoadError, WarmedUp};
use crate::ports::{SourceError, Subgraph, SupergraphSdl, SupergraphSource};
use crate::remote::{CallerSigner, InvalidHeaderRule, RemoteEndpoint, RemoteSubgraph, subgraph_endpoints};
use crate::usage::InvalidUsage;

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
                let subgraph = if let Some(subgraph) = known.get(&place) {
                    Arc::clone(subgraph)
                } else {
                    let settings = config.remote_for(&name);
                    let endpoint = RemoteEndpoint { name, url: place.1.clone(), signer: signer.clone() };
                    let subgraph = RemoteSubgraph::try_new(endpoint, settings, clock.clone())
                        .and_then(|subgraph| subgraph.with_streams(&config.subscriptions.upstream));
                    Arc::new(subgraph.map_err(|error| error.to_string())?)
                };
                reached.insert(place, subgraph);
            }
            *known = reached;
            Ok(known.values().map(|subgraph| Arc::clone(subgraph) as Arc<dyn Subgraph>).collect())
        }))
    }
}

impl Subgraphs {
    /// Those of this supergraph.
    pub(crate) fn of(&self, supergraph: &SupergraphSdl) -> Result<Vec<Arc<dyn Subgraph>>, String> {
        match self {
            Self::Fixed(subgraphs) => Ok(subgraphs.clone()),
            Self::Named(reach) => reach(supergraph),
        }
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
    /// Answers cannot be kept as the configuration says.
    #[error(transparent)]
    ResponseCache(#[from] InvalidResponseCache),
    /// What clients use cannot be told as the configuration says.
    #[error(transparent)]
    Usage(#[from] InvalidUsage),
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
    /// Counts what was served; those who wait are told of each change.
    changes: watch::Sender<u64>,
    /// How the next one is loaded. Held while one is, so that they replace each other in order.
    loader: tokio::sync::Mutex<Loader>,
    /// The newest version, when it is not the one that is served.
    refused: Mutex<Option<Refused>>,
}

/// A version that cannot be served, and why.
#[derive(Clone)]
struct Refused {
    supergraph: SupergraphSdl,
    why: String,
}

/// How a version is made ready to be served.
#[derive(Clone)]
pub(crate) struct Loader {
    pub(crate) subgraphs: Subgraphs,
    pub(crate) engine: EngineConfig,
    /// How many of the operations that the version before is asked for most are planned first, and how long that may take.
    pub(crate) warm_up: (usize, Duration),
}

impl Supergraph {
    pub(crate) async fn init(source: &dyn SupergraphSource, loader: Loader) -> Result<Self, SupergraphError> {
        let served = loader.load(source.current().await?).await?;
        source.served(&served.supergraph()).await;
        Ok(Self {
            served: ArcSwap::from_pointee(served),
            changes: watch::Sender::default(),
            loader: tokio::sync::Mutex::new(loader),
            refused: Mutex::new(None),
        })
    }

    /// The engine to use for a whole request, however long it takes.
    pub(crate) fn served(&self) -> Arc<Served> {
        self.served.load_full()
    }

    /// Tells of every change after this call. Who asks for what is served after that misses none.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Why the newest version of the source is not served, when it is not.
    pub(crate) fn refused(&self) -> Option<String> {
        self.newest_refused().map(|refused| refused.why)
    }

    fn newest_refused(&self) -> Option<Refused> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_refused(&self, refused: Option<Refused>) {
        gauge!("pulse_gateway_supergraph_refused").set(if refused.is_some() { 1.0 } else { 0.0 });
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = refused;
    }

    /// Takes in new versions, until the source ends.
    pub(crate) async fn follow(self: Arc<Self>, source: Arc<dyn SupergraphSource>) {
        let mut changes = source.changes();
        while let Some(supergraph) = changes.next().await {
            if self.replace(supergraph).await {
                source.served(&self.served().supergraph()).await;
            }
        }
    }

    /// Serves by another configuration from now on. On an error everything stays as it is. A version that was refused may
    /// be good by the new configuration.
    pub(crate) async fn reconfigure(&self, new: Loader) -> Result<(), SupergraphError> {
        let mut loader = self.loader.lock().await;
        if let Some(refused) = self.newest_refused()
            && let Ok(served) = new.load(refused.supergraph).await
        {
            self.serve(served, &new).await;
        } else {
            let same = new.load(self.served().supergraph()).await?;
            self.serve(same, &new).await;
        }
        *loader = new;
        Ok(())
    }

    /// Serves another version if it can be served. Whether it is.
    async fn replace(&self, supergraph: SupergraphSdl) -> bool {
        let loader = self.loader.lock().await;
        if self.served().version == supergraph.version {
            self.set_refused(None);
            return false;
        }
        match loader.load(supergraph.clone()).await {
            Ok(served) => {
                self.serve(served, &loader).await;
                true
            }
            Err(error) => {
                let version = &supergraph.version;
                counter!("pulse_gateway_supergraph_loads_total", "outcome" => "error").increment(1);
                tracing::error!(%version, %error, "keeping the supergraph that is served");
                let why = format!("version {version} was refused: {error}");
                self.set_refused(Some(Refused { supergraph, why }));
                false
            }
        }
    }

    async fn serve(&self, served: Served, loader: &Loader) {
        let old = self.served();
        loader.warm_up(&old.engine, &served).await;
        if old.version != served.version {
            counter!("pulse_gateway_supergraph_loads_total", "outcome" => "ok").increment(1);
            tracing::info!(version = served.version, "serving a new supergraph");
        }
        self.served.store(Arc::new(served));
        self.changes.send_modify(|count| *count += 1);
        self.set_refused(None);
    }
}

impl Served {
    pub(crate) fn supergraph(&self) -> SupergraphSdl {
        SupergraphSdl { sdl: self.sdl.clone(), version: self.version.clone() }
    }
}

impl Loader {
    /// The loader of a configuration.
    pub(crate) fn new(subgraphs: Subgraphs, config: &GatewayConfig) -> Self {
        let warm_up = (config.supergraph.warm_up_operations, config.supergraph.warm_up_timeout);
        Self { subgraphs, engine: config.into(), warm_up }
    }

    /// The same, whose queries may be `@live`, or not.
    pub(crate) fn with_live_queries(mut self, live: bool) -> Self {
        self.engine.live_queries = live;
        self
    }

    /// The same, where nobody tells of changes.
    pub(crate) fn without_changes(mut self) -> Self {
        self.engine.caching = self.engine.caching.map(CachingRules::without_changes);
        self.with_live_queries(false)
    }

    /// Builds the engine where it keeps nobody waiting: planners of large supergraphs take a while.
    pub(crate) async fn load(&self, supergraph: SupergraphSdl) -> Result<Served, SupergraphError> {
        let Self { subgraphs, engine: config, warm_up: _ } = self.clone();
        let load = move || {
            let subgraphs = subgraphs.of(&supergraph).map_err(SupergraphError::Subgraphs)?;
            let engine = Engine::load(&supergraph, subgraphs, &config)?;
            Ok(Served { engine, version: supergraph.version, sdl: supergraph.sdl })
        };
        tokio::task::spawn_blocking(load).await.unwrap_or(Err(SupergraphError::Panicked))
    }

    /// Plans what clients ask for most, so that nobody waits for a plan when the new version takes the old one's place.
    async fn warm_up(&self, old: &Engine, new: &Served) {
        let (count, limit) = self.warm_up;
        if count == 0 || limit.is_zero() {
            return;
        }
        let started = Instant::now();
        let WarmedUp { planned, failed, skipped } = new.engine.warm_up(old.most_used(count), limit).await;
        histogram!("pulse_gateway_warm_up_duration_seconds").record(started.elapsed());
        for (outcome, count) in [("planned", planned), ("failed", failed), ("skipped", skipped)] {
            counter!("pulse_gateway_warm_up_operations_total", "outcome" => outcome).increment(count as u64);
        }
        let version = &new.version;
        tracing::info!(version, planned, failed, skipped, took = ?started.elapsed(), "planned the most used operations");
    }
}
