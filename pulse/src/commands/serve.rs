//! `pulse serve`: one role a process, or all of them.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use pulse_events::Tail;
use pulse_gateway::{ServerConfig, serve};
use pulse_graphql::Subgraph;
use pulse_store::Store;
use pulse_telemetry::{Metrics, init};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{gateway, stop};
use crate::cli::{ListenArgs, ServeCommand, SubgraphArgs, WorkerArgs};
use crate::exit::Failure;
use crate::platform::{self, Background, Database, Platform, signing_tokens};
use crate::settings::Settings;
use crate::terminal::say;

pub(super) async fn run(
    command: ServeCommand,
    settings: Settings,
    file: Option<&Path>,
) -> anyhow::Result<()> {
    let traces = init(&settings.telemetry)?;
    let metrics = Metrics::install()?;
    let served = match command {
        ServeCommand::Gateway(args) => gateway::serve(args, &settings, file, metrics).await,
        ServeCommand::Subgraph(args) => subgraph(args, &settings, metrics).await,
        ServeCommand::Worker(args) => worker(&args, &settings, metrics).await,
        ServeCommand::All(args) => all(args, &settings, metrics).await,
    };
    if let Some(traces) = traces {
        traces.shutdown().await;
    }
    served
}

/// The listener, before anything else is started: a taken address should cost nothing.
pub(super) async fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|problem| Failure::Listen { address, problem })
}

/// Serves until the process is told to stop, then tells what has no end of its own by `stop`, and drains.
async fn until_stopped(
    listener: TcpListener,
    router: Router,
    settings: &Settings,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let scheme = if settings.gateway.tls.certificate_file.as_os_str().is_empty() { "http" } else { "https" };
    // Whoever reads that it is ready may stop it at once.
    let requested = stop::requested();
    say(&format!("ready at {scheme}://{}/graphql", listener.local_addr()?));
    let stopped = async {
        if let Err(error) = requested.await {
            tracing::error!(%error, "signals cannot be waited for");
        }
        stop.cancel();
    };
    serve(listener, router, ServerConfig::from(&settings.gateway), stopped).await?;
    Ok(())
}

async fn subgraph(args: SubgraphArgs, settings: &Settings, metrics: Metrics) -> anyhow::Result<()> {
    let name = args.name;
    let secret = settings.secrets.subgraphs.get(&name).ok_or_else(|| platform::missing_secret(&name))?;
    let listener = listen(args.listen).await?;
    let database = Database::named(&settings.database)?;
    let store = platform::cached(database.store(settings), &database, settings);
    // Only accounts makes tokens; the others need no key.
    let tokens = match name.as_str() {
        "accounts" => signing_tokens(settings.secrets.signing_key.as_ref())?,
        _ => pulse_tokens::AccessTokens::none(),
    };
    let keys = match name.as_str() {
        "accounts" => Some(platform::signing_keys(&store, &tokens, settings).await?),
        _ => None,
    };
    let (tail, reader) = Tail::new(&store);
    let subgraph = platform::subgraph(&name, &store, &tail, &tokens, settings)?;
    let stop = CancellationToken::new();
    let router = pulse_graphql::router(subgraph, secret, store.clock().clone(), stop.clone())
        .route("/metrics", get(move || std::future::ready(metrics.render())));
    let mut background = Background::of_subgraph(&store, &database, reader, settings);
    if let Some(keys) = keys {
        background.spawn(keys.keep_fresh());
    }
    until_stopped(listener, router, settings, stop).await?;
    background.stop().await;
    store.close().await;
    Ok(())
}

async fn worker(args: &WorkerArgs, settings: &Settings, metrics: Metrics) -> anyhow::Result<()> {
    let listener = match args.listen {
        Some(address) => Some(listen(address).await?),
        None => None,
    };
    let database = Database::named(&settings.database)?;
    let store = database.store(settings);
    store.ping().await.context("the worker does not start")?;
    let (tail, reader) = Tail::new(&store);
    let subgraphs = platform::subgraphs(&store, &tail, &pulse_tokens::AccessTokens::none(), settings)?;
    let background = Background::start(&store, &database, (&tail, reader), &subgraphs, settings);
    say("working");
    let router = probes(&store, subgraphs, metrics);
    let served = async {
        match listener {
            Some(listener) => axum::serve(listener, router).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        stopped = stop::requested() => stopped?,
        served = served => served?,
    }
    background.stop().await;
    store.close().await;
    Ok(())
}

/// What an orchestrator and Prometheus ask of a process without an API.
fn probes(store: &Store, subgraphs: Vec<Subgraph>, metrics: Metrics) -> Router {
    let store = store.clone();
    let ready = move || async move {
        if let Err(error) = store.ping().await {
            tracing::warn!(%error, "not ready");
            return (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n".to_owned());
        }
        let mut missing = Vec::new();
        for subgraph in &subgraphs {
            missing.extend(subgraph.missing().await);
        }
        let degraded = missing.iter().map(|(name, problem)| format!("degraded: {name}: {problem}"));
        let said =
            if missing.is_empty() { "ready".to_owned() } else { degraded.collect::<Vec<_>>().join("\n") };
        (StatusCode::OK, said + "\n")
    };
    Router::new()
        .route("/health/live", get(|| async { "live\n" }))
        .route("/health/ready", get(ready))
        .route("/metrics", get(move || std::future::ready(metrics.render())))
}

async fn all(args: ListenArgs, settings: &Settings, metrics: Metrics) -> anyhow::Result<()> {
    let tokens = signing_tokens(settings.secrets.signing_key.as_ref())?;
    let listener = listen(args.listen).await?;
    let database = Database::named(&settings.database)?;
    let platform = Platform::start(&database, &tokens, settings, Some(metrics)).await?;
    gateway::until_stopped(listener, platform.router, &platform.gateway, settings).await?;
    platform.background.stop().await;
    Ok(())
}
