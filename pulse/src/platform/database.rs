//! The database of a process: a server that was named, or the private one that Pulse starts.

use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use pulse_migrations::{Migrator, Target};
use pulse_postgres::{Cluster, ClusterError, ClusterOptions};
use pulse_store::{PoolOptions, Store};
use pulse_types::{Clock, Secret};
use sqlx::postgres::PgConnectOptions;

use super::sealing::kept_address;
use crate::exit::Failure;
use crate::settings::{DatabaseSettings, Settings};

/// The name of the database in the private cluster.
const EMBEDDED_DATABASE: &str = "pulse";

/// Where a running `pulse dev` says how its private server is reached.
const URL_FILE: &str = "database-url";

/// Where the data are, and the private server when it is ours.
pub struct Database {
    connect: PgConnectOptions,
    direct: PgConnectOptions,
    cluster: Option<Cluster>,
}

impl Database {
    /// The server that the settings name, or the private one in `data_dir`, started.
    pub async fn open(settings: &DatabaseSettings, data_dir: &Path) -> anyhow::Result<Self> {
        if !settings.url.expose().is_empty() {
            return Self::named(settings);
        }
        let cluster = Cluster::start(ClusterOptions::new(data_dir.join("postgres"))).await?;
        let connect = cluster.ensure_database(EMBEDDED_DATABASE).await?;
        Ok(Self { direct: connect.clone(), connect, cluster: Some(cluster) })
    }

    /// The same for a command beside a running `pulse dev`: the private server is shared when it runs already.
    pub async fn open_or_join(settings: &DatabaseSettings, data_dir: &Path) -> anyhow::Result<Self> {
        let opened = Self::open(settings, data_dir).await;
        let in_use = |error: &anyhow::Error| matches!(error.downcast_ref(), Some(ClusterError::InUse { .. }));
        match (opened, std::fs::read_to_string(data_dir.join(URL_FILE))) {
            (Err(error), Ok(url)) if in_use(&error) => {
                Ok(Self::existing(PgConnectOptions::from_str(url.trim())?))
            }
            (opened, _) => opened,
        }
    }

    /// Tells commands that are run beside this process where the private server is, in a file for this user alone.
    pub fn publish(&self, data_dir: &Path) -> io::Result<()> {
        let Some(cluster) = &self.cluster else { return Ok(()) };
        write_private(&data_dir.join(URL_FILE), &cluster.url(EMBEDDED_DATABASE))
    }

    /// The server that the settings name.
    pub fn named(settings: &DatabaseSettings) -> anyhow::Result<Self> {
        if settings.url.expose().is_empty() {
            let problem = "database.url is not set: this role needs a server of its own; set DATABASE_URL, or run `pulse dev`";
            return Err(Failure::Setting(problem.to_owned()).into());
        }
        let connect = parse("database.url (DATABASE_URL)", &settings.url)?;
        let direct = match settings.direct_url.expose() {
            "" => connect.clone(),
            _ => parse("database.direct_url (DATABASE_DIRECT_URL)", &settings.direct_url)?,
        };
        Ok(Self { connect, direct, cluster: None })
    }

    /// A database that exists, for tests.
    pub fn existing(connect: PgConnectOptions) -> Self {
        Self { direct: connect.clone(), connect, cluster: None }
    }

    /// Applies the migrations that are missing; how many.
    pub async fn migrate(&self) -> anyhow::Result<usize> {
        Ok(self.migrator()?.up(Target::Latest).await?.len())
    }

    /// What migrates it.
    pub fn migrator(&self) -> anyhow::Result<Migrator> {
        Ok(Migrator::try_new(&self.direct)?)
    }

    /// A pool over it.
    pub fn store(&self, settings: &Settings) -> Store {
        let DatabaseSettings { max_connections, acquire_timeout_ms, statement_timeout_ms, .. } =
            settings.database;
        let options = PoolOptions {
            max_connections,
            acquire_timeout: Duration::from_millis(acquire_timeout_ms),
            statement_timeout: Duration::from_millis(statement_timeout_ms),
        };
        Store::new(self.connect.clone(), &options, Clock::system()).keeping(kept_address(settings))
    }

    /// Whether this process alone has it, because it has started it.
    pub const fn is_private(&self) -> bool {
        self.cluster.is_some()
    }

    /// How to connect without a pooler between.
    pub const fn direct(&self) -> &PgConnectOptions {
        &self.direct
    }

    /// Ends when the private server does, which it should not; never for a named one.
    pub async fn lost(&self) {
        match &self.cluster {
            Some(cluster) => drop(cluster.ended().await),
            None => std::future::pending().await,
        }
    }

    /// Stops the private server.
    pub async fn close(self) {
        if let Some(cluster) = self.cluster {
            cluster.stop().await;
        }
    }
}

/// Writes a file that only this user can read, in place of the one that is there.
pub(crate) fn write_private(path: &Path, content: &str) -> io::Result<()> {
    let mut file =
        std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(content.as_bytes())
}

fn parse(setting: &str, url: &Secret) -> Result<PgConnectOptions, Failure> {
    // The parser itself takes any scheme.
    let is_ours = |url: &&str| url.starts_with("postgres://") || url.starts_with("postgresql://");
    let parsed = Some(url.expose()).filter(is_ours).and_then(|url| PgConnectOptions::from_str(url).ok());
    parsed.ok_or_else(|| {
        Failure::Setting(format!(
            "{setting} is not a PostgreSQL URL: expected postgresql://user:password@host:5432/database"
        ))
    })
}
