//! A server that is watched: its memory, its CPU time, the statements that it runs.

use std::str::FromStr;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use clap::Parser;
use pulse_bench_harness::child::{Server, announce};
use pulse_gateway::{ServerConfig, serve as serve_http};
use pulse_telemetry::Metrics;
use pulse_wiring::platform::{Database, Platform, SUBGRAPHS};
use sqlx::postgres::PgConnectOptions;
use tokio::time::sleep;

use super::wire::Wire;
use crate::platform::{ENCRYPTION_KEY, SEED, settings, tokens};

/// Where a server listens of which nobody has to know before it is there.
const ANYWHERE: &str = "127.0.0.1:0";

/// Connections beside those of subscribers.
const BESIDE: usize = 100;

/// How long subscribers may take to be listened to, all together.
const PATIENCE: Duration = Duration::from_mins(1);

/// The platform in one process, with room for so many subscribers.
pub(crate) async fn serve(database: &str, subscribers: usize) -> anyhow::Result<()> {
    super::limits::raise()?;
    let metrics = Metrics::install()?;
    let mut settings = settings(std::iter::empty())?;
    settings.gateway.connection_limit = subscribers + BESIDE;
    settings.gateway.subscriptions.socket_limit = subscribers + BESIDE;
    let database = Database::existing(PgConnectOptions::from_str(database)?);
    let platform = Platform::start(&database, &tokens()?, &settings, Some(metrics)).await?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    announce(listener.local_addr()?);
    serve_http(listener, platform.router, ServerConfig::from(&settings.gateway), std::future::pending())
        .await?;
    Ok(())
}

/// Pulse by its own command line.
pub(crate) async fn pulse(words: Vec<String>) -> anyhow::Result<()> {
    super::limits::raise()?;
    let words = std::iter::once("pulse".to_owned()).chain(words);
    Box::pin(pulse_wiring::run(pulse_wiring::cli::Cli::parse_from(words))).await
}

/// A gateway in a process of its own, with room for so many subscribers, and the processes behind it.
pub(crate) async fn start_apart(
    database: &str,
    subscribers: usize,
) -> anyhow::Result<(Watched, Vec<Server>)> {
    let limit = (subscribers + BESIDE).to_string();
    let mut environment = vec![
        ("PULSE_SIGNING_KEY".to_owned(), SEED.to_owned()),
        ("PULSE_ENCRYPTION_KEY".to_owned(), ENCRYPTION_KEY.to_owned()),
        ("PULSE__GATEWAY__CONNECTION_LIMIT".to_owned(), limit.clone()),
        ("PULSE__GATEWAY__SUBSCRIPTIONS__SOCKET_LIMIT".to_owned(), limit),
    ];
    environment.extend(SUBGRAPHS.map(|name| (variable("SECRET", name), "a secret of benches".to_owned())));
    let mut behind = environment.clone();
    behind.push(("DATABASE_URL".to_owned(), database.to_owned()));
    let mut others = Vec::new();
    for name in SUBGRAPHS {
        let words = ["pulse", "serve", "subgraph", name, "--listen", ANYWHERE];
        let server = Server::start_with(&words, &behind).await.context("a subgraph did not start")?;
        environment.push((variable("URL", name), format!("http://{}/graphql", server.address)));
        others.push(server);
    }
    // It says nothing of an address, for it has none.
    let program = std::env::current_exe()?;
    let assigned: Vec<_> = behind.iter().map(|(name, value)| format!("{name}='{value}'")).collect();
    let assigned = assigned.join(" ");
    let line = format!("env {assigned} '{}' pulse serve worker", program.display());
    others.push(Server::command(&line, ANYWHERE.parse()?)?);
    let words = ["pulse", "serve", "gateway", "--listen", ANYWHERE];
    let server = Server::start_with(&words, &environment).await.context("the gateway did not start")?;
    Ok((Watched { server, counts: true }, others))
}

fn variable(what: &str, subgraph: &str) -> String {
    format!("PULSE_SUBGRAPH_{what}_{}", subgraph.to_uppercase())
}

/// A server, and what it says of itself.
pub(crate) struct Watched {
    pub(crate) server: Server,
    /// Whether it counts its statements and streams.
    pub(crate) counts: bool,
}

impl Watched {
    /// The statements that it has run so far.
    pub(crate) async fn statements(&self) -> anyhow::Result<Option<f64>> {
        if !self.counts {
            return Ok(None);
        }
        Ok(Some(sum(&self.metrics().await?, "pulse_db_statement_seconds_count")))
    }

    /// How often each statement was run so far.
    pub(crate) async fn by_name(&self) -> anyhow::Result<Vec<(String, f64)>> {
        let text = self.metrics().await?;
        let lines = text.lines().filter_map(|line| {
            let rest = line.strip_prefix("pulse_db_statement_seconds_count{statement=\"")?;
            let (name, count) = rest.split_once("\"} ")?;
            Some((name.to_owned(), count.parse().ok()?))
        });
        Ok(lines.collect())
    }

    /// Waits until it has so many streams open.
    pub(crate) async fn streams(&self, expected: usize) -> anyhow::Result<()> {
        if !self.counts {
            return Ok(());
        }
        let until = Instant::now() + PATIENCE;
        loop {
            let open = sum(&self.metrics().await?, "pulse_gateway_streams{");
            #[expect(clippy::cast_precision_loss, reason = "there are far fewer")]
            if open >= expected as f64 {
                return Ok(());
            }
            ensure!(Instant::now() < until, "{open} of {expected} streams were opened");
            sleep(Duration::from_millis(100)).await;
        }
    }

    async fn metrics(&self) -> anyhow::Result<String> {
        let address = self.server.address;
        let request = format!("GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        let mut wire = Wire::open(address, &request).await?;
        match wire.status().await? {
            200 => wire.rest().await,
            status => bail!("the metrics were answered with {status}"),
        }
    }
}

/// The sum of a metric over all of its labels.
fn sum(text: &str, name: &str) -> f64 {
    let lines = text.lines().filter(|line| line.starts_with(name));
    lines.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum()
}

/// Starts this program as a server.
pub(crate) async fn start(arguments: &[&str], counts: bool) -> anyhow::Result<Watched> {
    let server = Server::start(arguments).await.context("the server did not start")?;
    Ok(Watched { server, counts })
}
