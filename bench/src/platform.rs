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

/// Somebody with a session.
pub(crate) struct Person {
    user: UserId,
    session: SessionId,
}

impl Person {
    /// Somebody new.
    pub(crate) fn new() -> Self {
        let now = pulse_types::Clock::system().now();
        Self { user: UserId::new(now), session: SessionId::new(now) }
    }

    /// The same one for each number.
    pub(crate) fn numbered(number: usize) -> Self {
        let id = uuid::Uuid::from_u128(number as u128 + 1);
        Self { user: UserId::from_uuid(id), session: SessionId::from_uuid(id) }
    }
}

/// An access token of a viewer of `org`.
pub(crate) fn access_token(org: OrgId) -> anyhow::Result<String> {
    access_token_of(&Person::new(), org, Role::Viewer)
}

/// An access token of this person, who has this role in `org`.
pub(crate) fn access_token_of(person: &Person, org: OrgId, role: Role) -> anyhow::Result<String> {
    let now = pulse_types::Clock::system().now();
    let claims = AccessClaims::new(person.user, person.session, Some((org, &role.permissions())), now);
    Ok(tokens()?.sign(&claims).ok_or_else(|| anyhow::anyhow!("no key"))??)
}

/// The platform with room for as many streams as a bench opens. `/bench/statements` says how many statements it has run.
pub(crate) async fn serve_live(database: &str) -> anyhow::Result<()> {
    let mut settings = Settings::from_env(None, std::iter::empty())?;
    settings.database.max_connections = CONNECTIONS;
    settings.gateway.connection_limit = 100_000;
    settings.gateway.subscriptions.socket_limit = 100_000;
    serve_with(database, &settings).await
}

pub(crate) async fn serve(database: &str, deduplicate: bool) -> anyhow::Result<()> {
    let mut settings = Settings::from_env(None, std::iter::empty())?;
    settings.database.max_connections = CONNECTIONS;
    settings.gateway.deduplicate = deduplicate;
    serve_with(database, &settings).await
}

async fn serve_with(database: &str, settings: &Settings) -> anyhow::Result<()> {
    let database = Database::existing(PgConnectOptions::from_str(database)?);
    let platform = Platform::start(&database, &tokens()?, settings, None).await?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    announce(listener.local_addr()?);
    let store = platform.store().clone();
    let statements = axum::routing::get(async move || store.statistics().statements().to_string());
    let router = platform.router.route("/bench/statements", statements);
    serve_http(listener, router, ServerConfig::from(&settings.gateway), std::future::pending()).await?;
    Ok(())
}
