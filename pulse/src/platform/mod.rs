//! The roles that a process can play, built of subgraphs, gateway and background work.

mod apart;
mod authenticator;
mod background;
mod cache;
mod changes;
mod database;
pub mod demo;
mod health;
mod in_process;
mod job_socket;
mod keys;
mod machines;
mod published;
mod revoked;
mod sealing;
mod signer;
mod streams;
mod supergraph;
mod supergraphs;
mod surfaces;
mod upkeep;
mod values;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::http::StatusCode;
use axum::middleware::map_request;
use pulse_accounts::{Machines, SigningKeys};
use pulse_audit::AuditExports;
use pulse_events::Tail;
use pulse_files::Files;
use pulse_gateway::StaticSource;
use pulse_gateway::Subgraphs;
use pulse_gateway::ports::{AuthenticationError, Authenticator, ChangeFeed};
use pulse_gateway::remote::CallerSigner;
use pulse_gateway::{Gateway, GatewayConfig, GatewayParts};
use pulse_graphql::Subgraph;
use pulse_privacy::{Privacy, Who};
use pulse_registry::{ClientApi, PublishedReader};
use pulse_store::Store;
use pulse_telemetry::Metrics;
use pulse_tokens::AccessTokens;
use pulse_types::{ClientAddress, Clock, ProcessId, Secret};

pub use apart::ApartFeed;
pub use authenticator::TokenAuthenticator;
pub use background::Background;
pub use cache::over as cached;
pub use changes::TailFeed;
pub use database::Database;
pub(crate) use database::write_private;
pub use in_process::InProcess;
pub use keys::{KeySource, NewerKeys};
pub use machines::VerifyMachines;
pub(crate) use published::file_operations;
pub use revoked::{Revoked, RevokedByLog};
pub use sealing::sealer;
pub use signer::SecretSigner;
pub use supergraph::{compose_own, not_composing, own_api, sdls};
pub use surfaces::mapping;
pub(crate) use surfaces::surfaces;

use self::apart::ProcessApart;
use self::keys::KeysApart;
use self::published::Published;
use crate::commands::Reach;
use crate::exit::Failure;
use crate::settings::{PrivacySettings, Settings};

/// How long a gateway apart waits for its subgraphs before it serves without news of what was revoked, and believes nobody.
const FIRST_NEWS: Duration = Duration::from_secs(3);

/// The version with which is told that a person is erased.
const NEXT_VERSION_OF_USER: &str = "SELECT version + 1 FROM accounts.users WHERE user_id = $1";

/// The names of the subgraphs, in the order of the alphabet.
pub const SUBGRAPHS: [&str; 6] = ["accounts", "analytics", "entities", "operations", "registry", "vectors"];

/// All subgraphs, over one database and the end of its log.
pub fn subgraphs(
    store: &Store,
    tail: &Tail,
    tokens: &AccessTokens,
    settings: &Settings,
) -> anyhow::Result<Vec<Subgraph>> {
    SUBGRAPHS.iter().map(|name| subgraph(name, store, tail, tokens, settings)).collect()
}

/// The subgraph of that name.
pub fn subgraph(
    name: &str,
    store: &Store,
    tail: &Tail,
    tokens: &AccessTokens,
    settings: &Settings,
) -> anyhow::Result<Subgraph> {
    let (store, tail) = (store.clone(), tail.clone());
    let mut subgraph = match name {
        "accounts" => {
            let (sealer, config) = (sealer(&settings.secrets)?, settings.accounts.clone());
            pulse_accounts::subgraph((store, tail), tokens.clone(), sealer, config)
                .map_err(|error| Failure::Setting(error.to_string()))?
        }
        "analytics" => pulse_analytics::subgraph(store, tail),
        "entities" => {
            let neo4j = settings.entities.neo4j.open().map_err(Failure::Setting)?;
            pulse_entities::subgraph_with(store, tail, neo4j)
        }
        "operations" => {
            let sealer = sealer(&settings.secrets)?;
            pulse_operations::subgraph(store, tail, sealer, settings.operations.clone())?
        }
        "registry" => {
            let (sealer, api) = (sealer(&settings.secrets)?, ClientApi::new(own_api));
            let routes = surfaces::routes_of_others(&settings.rest);
            pulse_registry::subgraph(store, tail, sealer, (routes, api))
        }
        "vectors" => pulse_vectors::subgraph(store, tail),
        other => anyhow::bail!("there is no subgraph {other}"),
    };
    let files = Files::new(&settings.files.folder);
    // Of all that persons have, only accounts tells of the person as a whole.
    let told = (name == "accounts").then_some(("accounts.user", NEXT_VERSION_OF_USER));
    pulse_privacy::take_part(&mut subgraph, &files, told);
    if name == "operations" {
        let PrivacySettings { export_lifetime: lifetime, audit_export_delay: delay, .. } = settings.privacy;
        let sealer = sealer(&settings.secrets)?;
        AuditExports { files: files.clone(), sealer, lifetime, delay }.take_up(&mut subgraph);
    }
    if name == "accounts" {
        let PrivacySettings { export_lifetime, retention, .. } = settings.privacy;
        Privacy { files, export_lifetime, retention }.coordinate(&mut subgraph);
    }
    Ok(subgraph)
}

/// A whole platform in one process: what it serves, and what works behind it.
pub struct Platform {
    /// The subgraphs, for calls that do not go through the gateway.
    pub subgraphs: Vec<Subgraph>,
    /// The gateway, to tell it what happens to the process.
    pub gateway: Gateway,
    /// The gateway's routes, and those that subgraphs have beside GraphQL.
    pub router: Router,
    /// What works in the background until it is stopped.
    pub background: Background,
    store: Store,
    tail: Tail,
}

impl Platform {
    /// Builds all of it over a migrated database.
    pub async fn start(
        database: &Database,
        tokens: &AccessTokens,
        settings: &Settings,
        metrics: Option<Metrics>,
    ) -> anyhow::Result<Self> {
        let store = cache::over(database.store(settings), database, settings);
        let keys = signing_keys(&store, tokens, settings).await?;
        let (tail, reader) = Tail::new(&store);
        let subgraphs = subgraphs(&store, &tail, tokens, settings)?;
        let revoked = Arc::new(Revoked::default());
        // Without a database nobody is answered anyway, and it is read again before the feed tells of anything.
        if let Err(error) = revoked.read(&store).await {
            tracing::warn!(%error, "what was revoked cannot be read yet");
        }
        let machines: Arc<dyn VerifyMachines> = Arc::new(Machines::new(store.clone()));
        let clock = store.clock().clone();
        let authenticator = Arc::new(
            TokenAuthenticator::new(tokens.clone(), Arc::clone(&machines), clock, Arc::clone(&revoked))
                .with_newer_keys(NewerKeys::new(Arc::clone(&keys) as _)),
        );
        let published = Published::new(settings, Box::new(PublishedReader::new(store.clone())))?;
        let published = Arc::new(published);
        let parts = GatewayParts {
            subgraphs: Subgraphs::Fixed(subgraphs.iter().cloned().map(InProcess::port).collect()),
            source: Arc::new(StaticSource::new(compose_own()?)),
            authenticator: Arc::clone(&authenticator) as _,
            revocations: Some(Arc::new(RevokedByLog::new((store.clone(), tail.clone()), revoked, machines))),
            changes: Some(Arc::new(TailFeed(tail.clone()))),
            operations: Some(Arc::clone(&published) as _),
            surfaces: surfaces::surfaces(settings, true)?,
            checks: [health::database(&store)]
                .into_iter()
                .chain(health::redis(&settings.gateway.redis))
                .chain(subgraphs.iter().flat_map(health::helpers))
                .collect(),
            metrics,
            clock: store.clock().clone(),
        };
        let gateway =
            Gateway::init(parts, settings.gateway.clone()).await.context("the gateway does not start")?;
        let beside =
            subgraphs.iter().fold(Router::new(), |beside, subgraph| beside.merge(subgraph.routes.clone()));
        let router = gateway.router().merge(naming_clients(beside, &settings.gateway));
        let router = router.merge(job_socket::route(gateway.router(), &settings.gateway.subscriptions));
        let router = router.merge(supergraphs::route(gateway.router()));
        let router = router.merge(downloads(settings, authenticator, store.clock().clone())?);
        let mut background = Background::start(&store, database, (&tail, reader), &subgraphs, settings);
        let reports = Arc::new(streams::ToStore(store.clone()));
        let process = ProcessId::new(store.clock().now());
        background.spawn(streams::report(gateway.streams(), reports, process));
        background.spawn(streams::end(gateway.streams(), TailFeed(tail.clone()).changes()));
        background.spawn(keys.keep_fresh());
        background.spawn(published.follow(TailFeed(tail.clone()).changes()));
        Ok(Self { subgraphs, gateway, router, background, store, tail })
    }

    /// The database that all subgraphs share.
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// The end of that database's event log, read once for everybody in this process.
    pub const fn tail(&self) -> &Tail {
        &self.tail
    }
}

/// The keys that access tokens are signed with, in use as far as they can be read.
pub async fn signing_keys(
    store: &Store,
    tokens: &AccessTokens,
    settings: &Settings,
) -> anyhow::Result<Arc<SigningKeys>> {
    let (sealer, config) = (sealer(&settings.secrets)?, settings.accounts.signing_keys);
    let keys = Arc::new(SigningKeys::new(store.clone(), sealer, tokens.clone(), config));
    // Without a database nobody signs in anyway, and they are read again in a while.
    if let Err(error) = keys.refresh().await {
        let error = &error as &dyn std::error::Error;
        tracing::warn!(error, "the keys of access tokens cannot be read yet");
    }
    Ok(keys)
}

/// Whether it is set where each subgraph is, and which secret it has.
fn require_subgraphs(settings: &Settings) -> anyhow::Result<()> {
    if let Some(missing) = SUBGRAPHS.iter().find(|name| settings.gateway.url_of(name).is_none()) {
        let variable = format!("PULSE_SUBGRAPH_URL_{}", missing.to_uppercase());
        let problem = format!(
            "the gateway does not know where {missing} is: set {variable} to its address, such as http://{missing}:4001/graphql"
        );
        return Err(Failure::Setting(problem).into());
    }
    match SUBGRAPHS.iter().find(|name| !settings.secrets.subgraphs.contains_key(**name)) {
        Some(missing) => Err(missing_secret(missing).into()),
        None => Ok(()),
    }
}

/// A gateway in front of Pulse's subgraphs in other processes, routes beside the API, and how settings reach subgraphs.
pub async fn remote_gateway(
    settings: &Settings,
    metrics: Metrics,
) -> anyhow::Result<(Gateway, Router, Box<Reach>)> {
    let tokens = signing_tokens(settings.secrets.signing_key.as_ref())?;
    require_subgraphs(settings)?;
    let clock = Clock::system();
    let signer: Arc<dyn CallerSigner> =
        Arc::new(SecretSigner::new(&settings.secrets.subgraphs, clock.clone()));
    let revoked = Arc::<Revoked>::default();
    let feed = ApartFeed::start(&settings.gateway, &signer, (&clock, Arc::clone(&revoked)));
    let (feed, machines) = feed.map_err(|error| Failure::Setting(error.to_string()))?;
    let feed = Arc::new(feed);
    feed.first_news(FIRST_NEWS).await;
    let reach = {
        let (clock, feed) = (clock.clone(), Arc::clone(&feed));
        move |settings: &Settings| {
            // An address that is none is said when the subgraphs are reached.
            let _ = feed.move_to(&settings.gateway, &signer, &clock);
            Subgraphs::remote(&settings.gateway, Some(Arc::clone(&signer)), clock.clone())
        }
    };
    let accounts = ProcessApart::new("accounts", feed.places());
    let logos = accounts.clone().logos();
    let keys: Arc<dyn KeySource> = Arc::new(KeysApart { accounts, tokens: tokens.clone() });
    if let Err(error) = keys.refresh().await {
        tracing::warn!(
            error,
            "the keys of access tokens cannot be fetched yet; the configured one is believed"
        );
    }
    let authenticator =
        TokenAuthenticator::new(tokens.clone(), Arc::clone(&machines) as _, clock.clone(), revoked)
            .with_newer_keys(NewerKeys::new(Arc::clone(&keys)));
    let authenticator = Arc::new(authenticator.with_news(Arc::clone(&feed) as _));
    let downloads = downloads(settings, Arc::clone(&authenticator) as _, clock.clone())?;
    let published = Box::new(ProcessApart::new("registry", feed.places()));
    let published = Arc::new(Published::new(settings, published)?);
    tokio::spawn(Arc::clone(&published).follow(feed.changes()));
    let parts = GatewayParts {
        subgraphs: reach(settings),
        source: Arc::new(StaticSource::new(compose_own()?)),
        authenticator,
        revocations: Some(Arc::clone(&feed) as _),
        changes: Some(Arc::clone(&feed) as _),
        operations: Some(Arc::clone(&published) as _),
        surfaces: surfaces::surfaces(settings, true)?,
        checks: [feed.health()].into_iter().chain(health::redis(&settings.gateway.redis)).collect(),
        metrics: Some(metrics),
        clock,
    };
    let process = ProcessId::new(parts.clock.now());
    let gateway =
        Gateway::init(parts, settings.gateway.clone()).await.context("the gateway does not start")?;
    // Both end with the process, or with the feed.
    let reports = Arc::new(streams::ToProcess(feed.places()));
    tokio::spawn(streams::report(gateway.streams(), reports, process));
    tokio::spawn(streams::end(gateway.streams(), feed.changes()));
    tokio::spawn(keys::keep_fresh(keys));
    let more = job_socket::route(gateway.router(), &settings.gateway.subscriptions);
    let more = more.merge(supergraphs::route(gateway.router()));
    let token_routes = naming_clients(pulse_accounts::token_routes(machines), &settings.gateway);
    let more = token_routes.merge(more).merge(logos).merge(downloads);
    Ok((gateway, pulse_accounts::routes(&tokens).merge(more), Box::new(reach)))
}

/// The routes, which are told from where they are asked.
fn naming_clients(routes: Router, config: &GatewayConfig) -> Router {
    let clients = config.clients.clone();
    routes.route_layer(map_request(move |mut request: axum::extract::Request| {
        if let Some(address) = pulse_gateway::client_of(&clients, &request) {
            request.extensions_mut().insert(ClientAddress(address));
        }
        std::future::ready(request)
    }))
}

/// Exports, at a gateway that has the folder of files and the key that signs links to them.
fn downloads(
    settings: &Settings,
    authenticator: Arc<dyn Authenticator>,
    clock: Clock,
) -> anyhow::Result<Router> {
    if settings.files.folder.as_os_str().is_empty() {
        return Ok(Router::new());
    }
    let (files, sealer) = (Files::new(&settings.files.folder), sealer(&settings.secrets)?);
    let who: Who = Arc::new(move |headers| {
        let authenticator = Arc::clone(&authenticator);
        Box::pin(async move {
            match authenticator.authenticate(&headers).await {
                Ok(authenticated) => Ok(authenticated.caller),
                Err(AuthenticationError::Missing(why) | AuthenticationError::Invalid(why)) => {
                    Err((StatusCode::UNAUTHORIZED, why))
                }
                Err(AuthenticationError::Unavailable(why)) => Err((StatusCode::SERVICE_UNAVAILABLE, why)),
            }
        })
    });
    Ok(pulse_privacy::downloads(files, sealer, who, clock))
}

/// A gateway and a subgraph in processes of their own have to share a secret.
pub(crate) fn missing_secret(subgraph: &str) -> Failure {
    let variable = format!("PULSE_SUBGRAPH_SECRET_{}", subgraph.to_uppercase());
    Failure::Setting(format!(
        "secrets.subgraphs.{subgraph} is not set: make one with `openssl rand -hex 32` and set it as {variable} at the subgraph and its gateways"
    ))
}

/// The tokens of a signing key that must be set.
pub fn signing_tokens(seed: Option<&Secret>) -> anyhow::Result<AccessTokens> {
    let seed = seed.ok_or_else(|| {
        let problem = "secrets.signing_key is not set: make one with `openssl rand -base64 32` and set it as PULSE_SIGNING_KEY";
        Failure::Setting(problem.to_owned())
    })?;
    let key = pulse_tokens::SigningKey::from_base64(seed)
        .map_err(|error| Failure::Setting(format!("secrets.signing_key (PULSE_SIGNING_KEY): {error}")))?;
    Ok(AccessTokens::signing(key)?)
}
