//! `pulse serve gateway`.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use pulse_gateway::ports::Authenticator;
use pulse_gateway::{AnonymousAuthenticator, JwtAuthenticator, JwtConfig};
use pulse_gateway::{Gateway, GatewayParts, MetricsConfig, ServerConfig, Subgraphs};
use pulse_telemetry::Metrics;
use pulse_types::Clock;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::reload::{self, Reloaded};
use super::source::source;
use crate::cli::GatewayArgs;
use crate::commands::serve::listen;
use crate::commands::stop;
use crate::exit::Failure;
use crate::platform;
use crate::settings::Settings;
use crate::terminal::say;

/// Serves Pulse's own supergraph or another, until the process is told to stop.
pub(in crate::commands) async fn serve(
    args: GatewayArgs,
    settings: &Settings,
    file: Option<&Path>,
    metrics: Metrics,
) -> anyhow::Result<()> {
    let listener = listen(args.listen.listen).await?;
    let operators = operators(&settings.gateway.metrics).await?;
    let (gateway, more, reach) = match args.supergraph {
        None => platform::remote_gateway(settings, metrics).await?,
        Some(place) => {
            let (gateway, reach) = standalone(&place, settings, metrics).await?;
            (gateway, Router::new(), reach)
        }
    };
    let router = gateway.router().merge(more);
    let reloaded = Reloaded { gateway: gateway.clone(), settings: settings.clone(), reach };
    let mut beside = JoinSet::new();
    beside.spawn(reload::follow(reloaded, file.map(Path::to_owned)));
    if let Some(operators) = operators {
        // It serves as long as the API does, so that the stop can be watched.
        let router = gateway.operator_router();
        beside.spawn(async move {
            if let Err(error) = axum::serve(operators, router).await {
                tracing::error!(%error, "the address for metrics serves no longer");
            }
        });
    }
    until_stopped(listener, router, &gateway, settings).await
}

/// The listener for `/metrics`, where it has an address of its own.
async fn operators(config: &MetricsConfig) -> Result<Option<TcpListener>, Failure> {
    if config.listen.is_empty() {
        return Ok(None);
    }
    let address = config.listen.parse().map_err(|_| {
        let problem = format!(
            "gateway.metrics.listen {:?} is no address; write it like \"127.0.0.1:9090\"",
            config.listen
        );
        Failure::Setting(problem)
    })?;
    listen(address).await.map(Some)
}

/// A gateway by itself: no database, no accounts.
async fn standalone(
    place: &str,
    settings: &Settings,
    metrics: Metrics,
) -> anyhow::Result<(Gateway, Box<reload::Reach>)> {
    let clock = Clock::system();
    let reach = {
        let clock = clock.clone();
        move |settings: &Settings| Subgraphs::remote(&settings.gateway, None, clock.clone())
    };
    let parts = GatewayParts {
        subgraphs: reach(settings),
        source: source(place, &settings.gateway.supergraph)?,
        authenticator: authenticator(&settings.gateway.jwt, &clock).await?,
        revocations: None,
        changes: None,
        operations: Some(Arc::new(crate::platform::file_operations(settings)?)),
        surfaces: crate::platform::surfaces(settings, false)?,
        checks: Vec::new(),
        metrics: Some(metrics),
        clock,
    };
    let gateway = Gateway::init(parts, settings.gateway.clone()).await;
    let gateway = gateway
        .map_err(|error| Failure::Supergraph(format!("{error:#}")))
        .context("the gateway does not start")?;
    Ok((gateway, Box::new(reach)))
}

/// Who turns credentials into callers for a gateway by itself: the issuers that the settings name, if any.
async fn authenticator(config: &JwtConfig, clock: &Clock) -> anyhow::Result<Arc<dyn Authenticator>> {
    if !config.is_used() {
        return Ok(Arc::new(AnonymousAuthenticator::new(clock)));
    }
    let authenticator = JwtAuthenticator::init(config, clock.clone()).await;
    Ok(Arc::new(authenticator.map_err(|error| Failure::Setting(error.to_string()))?))
}

/// Serves until the process is told to stop. Then load balancers are told first, and what is under way is finished.
pub(in crate::commands) async fn until_stopped(
    listener: TcpListener,
    router: Router,
    gateway: &Gateway,
    settings: &Settings,
) -> anyhow::Result<()> {
    let scheme = if settings.gateway.tls.certificate_file.as_os_str().is_empty() { "http" } else { "https" };
    // Whoever reads that it is ready may stop it at once.
    let requested = stop::requested();
    say(&format!("ready at {scheme}://{}/graphql", listener.local_addr()?));
    let delay = settings.gateway.drain_delay;
    let stopped = async {
        if let Err(error) = requested.await {
            tracing::error!(%error, "signals cannot be waited for");
        }
        gateway.begin_to_stop();
        if delay > Duration::ZERO {
            tracing::info!(?delay, "not ready any more; still serving until load balancers know");
            tokio::time::sleep(delay).await;
        }
    };
    Ok(pulse_gateway::serve(listener, router, ServerConfig::from(&settings.gateway), stopped).await?)
}
