//! The platform in one process, as `pulse serve all` runs it.

use std::str::FromStr;

use pulse_gateway::{ServerConfig, serve as serve_http};
use pulse_tokens::{AccessClaims, AccessTokens};
use pulse_types::{OrgId, Role, Secret, SessionId, UserId};
use pulse_wiring::platform::{Database, Platform, signing_tokens};
use pulse_wiring::settings::Settings;
use sqlx::postgres::PgConnectOptions;

use crate::bare::CONNECTIONS;
use pulse_bench_harness::child::announce;

/// A seed that only benches use.
const SEED: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

fn tokens() -> anyhow::Result<AccessTokens> {
    signing_tokens(Some(&Secret::new(SEED)))
}

/// An access token of a viewer of `org`.
pub(crate) fn access_token(org: OrgId) -> anyhow::Result<String> {
    let now = pulse_types::Clock::system().now();
    let permissions = Role::Viewer.permissions();
    let claims = AccessClaims::new(UserId::new(now), SessionId::new(now), Some((org, &permissions)), now);
    Ok(tokens()?.sign(&claims).ok_or_else(|| anyhow::anyhow!("no key"))??)
}

pub(crate) async fn serve(database: &str, deduplicate: bool) -> anyhow::Result<()> {
    let mut settings = Settings::from_env(None, std::iter::empty())?;
    settings.secrets.encryption_key = Some(Secret::new("AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="));
    settings.database.max_connections = CONNECTIONS;
    settings.gateway.deduplicate = deduplicate;
    let database = Database::existing(PgConnectOptions::from_str(database)?);
    let platform = Platform::start(&database, &tokens()?, &settings, None).await?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    announce(listener.local_addr()?);
    serve_http(listener, platform.router, ServerConfig::from(&settings.gateway), std::future::pending())
        .await?;
    Ok(())
}
