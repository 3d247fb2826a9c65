//! The platform in one process, as `pulse serve all` runs it.

use std::str::FromStr;

use pulse_gateway::{ServerConfig, serve as serve_http};
use pulse_telemetry::Metrics;
use pulse_tokens::{AccessClaims, AccessTokens};
use pulse_types::{OrgId, Role, Secret, SessionId, UserId};
use pulse_wiring::platform::{Database, Platform, signing_tokens};
use pulse_wiring::settings::Settings;
use sqlx::postgres::PgConnectOptions;

use crate::bare::CONNECTIONS;
use pulse_bench_harness::child::announce;

/// A seed that only benches use.
pub(crate) const SEED: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// And a key.
pub(crate) const ENCRYPTION_KEY: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

pub(crate) fn tokens() -> anyhow::Result<AccessTokens> {
    signing_tokens(Some(&Secret::new(SEED)))
}

/// An access token of a viewer of `org`.
pub(crate) fn access_token(org: OrgId) -> anyhow::Result<String> {
    access_token_of(org, Role::Viewer)
}

/// An access token of somebody new who has this role in `org`.
pub(crate) fn access_token_of(org: OrgId, role: Role) -> anyhow::Result<String> {
    let now = pulse_types::Clock::system().now();
    let permissions = role.permissions();
    let claims = AccessClaims::new(UserId::new(now), SessionId::new(now), Some((org, &permissions)), now);
    Ok(tokens()?.sign(&claims).ok_or_else(|| anyhow::anyhow!("no key"))??)
}

/// The defaults with `environment`, a key that only benches use, and as many connections as the bare handler has.
pub(crate) fn settings(environment: impl Iterator<Item = (String, String)>) -> anyhow::Result<Settings> {
    let mut settings = Settings::from_env(None, environment)?;
    settings.secrets.encryption_key = Some(Secret::new(ENCRYPTION_KEY));
    settings.database.max_connections = CONNECTIONS;
    Ok(settings)
}

pub(crate) async fn serve(
    database: &str,
    redis: Option<String>,
    adapt: impl FnOnce(&mut Settings),
) -> anyhow::Result<()> {
    let redis = redis.map(|url| ("REDIS_URL".to_owned(), url));
    let mut settings = settings(redis.into_iter())?;
    adapt(&mut settings);
    let database = Database::existing(PgConnectOptions::from_str(database)?);
    let platform = Platform::start(&database, &tokens()?, &settings, Some(Metrics::install()?)).await?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    announce(listener.local_addr()?);
    serve_http(listener, platform.router, ServerConfig::from(&settings.gateway), std::future::pending())
        .await?;
    Ok(())
}
