//! The PostgreSQL server that tests share.

use std::path::Path;
use std::str::FromStr;

use anyhow::{Context, bail};
use pulse_postgres::{Cluster, ClusterError, ClusterOptions, Distribution, FetchOptions};
use sqlx::postgres::PgConnectOptions;
use tokio::sync::OnceCell;

use crate::database::drop_leftovers;

/// Where `cargo xtask test` says which server all test binaries share.
pub(crate) const SERVER_VARIABLE: &str = "PULSE_TEST_POSTGRES";

/// How many test runs of one user can go on at the same time.
const SLOTS: usize = 32;

/// A server for tests: not durable, and its data are thrown away.
pub struct TestServer {
    url: String,
    cluster: Option<Cluster>,
}

impl TestServer {
    /// The URL of its database `postgres`, as a superuser; what `PULSE_TEST_POSTGRES` is set to.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// How to connect to one of its databases.
    pub fn options(&self, database: &str) -> anyhow::Result<PgConnectOptions> {
        Ok(PgConnectOptions::from_str(&self.url)?.database(database))
    }

    /// The URL of one of its databases.
    pub fn url_of(&self, database: &str) -> String {
        let (address, parameters) = self.url.split_once('?').unwrap_or((&self.url, ""));
        let server = address.rsplit_once('/').map_or(address, |(server, _)| server);
        let mark = if parameters.is_empty() { "" } else { "?" };
        format!("{server}/{database}{mark}{parameters}")
    }

    /// Stops it, if this process started it.
    pub async fn stop(self) -> anyhow::Result<()> {
        match self.cluster {
            Some(cluster) => {
                cluster.stop().await;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

/// The server of this process: the one that `PULSE_TEST_POSTGRES` names, else one of its own that dies with it.
pub(crate) async fn shared() -> anyhow::Result<&'static TestServer> {
    static SERVER: OnceCell<TestServer> = OnceCell::const_new();
    SERVER
        .get_or_try_init(async || match std::env::var_os(SERVER_VARIABLE) {
            Some(url) => {
                let url = url.into_string().ok().context("PULSE_TEST_POSTGRES is not UTF-8")?;
                Ok(TestServer { url, cluster: None })
            }
            None => test_cluster().await,
        })
        .await
}

/// Starts a server for tests. It lives in one of a few folders of the user's cache, the first that no other test
/// run holds: so a migrated template is there again next time, and a killed run leaves nothing that piles up.
pub async fn test_cluster() -> anyhow::Result<TestServer> {
    let fetch = FetchOptions::from_env();
    let slots = fetch.cache_dir()?.join("test-clusters");
    let distribution = Distribution::ensure(&fetch).await?;
    for slot in 0..SLOTS {
        let folder = slots.join(slot.to_string());
        match start(&folder, &distribution).await {
            Ok(cluster) => {
                let server = TestServer { url: cluster.url("postgres"), cluster: Some(cluster) };
                drop_leftovers(&server).await.context("dropping what killed test runs left")?;
                return Ok(server);
            }
            Err(ClusterError::InUse { .. }) => {}
            Err(error) => return Err(error).context(format!("no test server in {}", folder.display())),
        }
    }
    bail!("{SLOTS} test servers run already; end some test runs")
}

/// A test server writes without waiting for the disk, so a crash of the machine may leave a folder that does not
/// start any more; nothing in it is worth keeping.
async fn start(folder: &Path, distribution: &Distribution) -> Result<Cluster, ClusterError> {
    let options = || ClusterOptions {
        durable: false,
        max_connections: 300,
        distribution: Some(distribution.clone()),
        ..ClusterOptions::new(folder.to_owned())
    };
    match Cluster::start(options()).await {
        Err(error @ (ClusterError::Exited { .. } | ClusterError::OtherVersion { .. })) => {
            tracing::warn!(%error, "making the test server anew");
            Cluster::remove_data(folder)?;
            Cluster::start(options()).await
        }
        other => other,
    }
}
