//! A private PostgreSQL: made, started, found ready, stopped.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

use crate::folder::{Folder, POLL, Postmaster};
use crate::initdb::initialize;
use crate::listen::{Address, SOCKET_PORT};
use crate::runner::Runner;
use crate::server::Server;
use crate::{ClusterError, Distribution, FetchOptions, Listen, RunAs};

/// The login that owns the cluster.
pub(crate) const LOGIN: &str = "pulse";

/// What a cluster is started with.
#[derive(Debug, Clone)]
pub struct ClusterOptions {
    /// The cluster's folder; made if it is missing.
    pub data_dir: PathBuf,
    /// Where PostgreSQL's programs come from, unless `distribution` is given.
    pub fetch: FetchOptions,
    /// PostgreSQL's programs, where they are at hand already.
    pub distribution: Option<Distribution>,
    /// Whether committed data survive a crash of the machine. Only tests do without.
    pub durable: bool,
    /// PostgreSQL's own page cache, in MB.
    pub shared_buffers_mb: u32,
    /// How many connections it takes at most.
    pub max_connections: u32,
    /// Where it listens.
    pub listen: Listen,
    /// Whom it runs as.
    pub run_as: RunAs,
    /// How long it may take until it is ready; replaying what a crash left behind counts.
    pub start_timeout: Duration,
}

impl ClusterOptions {
    /// A durable cluster of the embedded size.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            fetch: FetchOptions::from_env(),
            distribution: None,
            durable: true,
            shared_buffers_mb: 256,
            max_connections: 100,
            listen: Listen::Auto,
            run_as: RunAs::Auto,
            start_timeout: Duration::from_mins(2),
        }
    }
}

/// A running cluster. Dropped, it stops; if Pulse is killed, it stops by itself on Linux, and elsewhere the next
/// start stops it.
#[derive(Debug)]
pub struct Cluster {
    // Dropped in this order: the folder is let go after the server has ended.
    server: Option<Server>,
    durable: bool,
    address: Address,
    password: String,
    distribution: Distribution,
    folder: Folder,
}

impl Cluster {
    /// Fetches PostgreSQL if need be, makes the cluster if need be, starts it, and returns when it accepts
    /// connections.
    pub async fn start(options: ClusterOptions) -> Result<Self, ClusterError> {
        let folder = Folder::hold(&options.data_dir)?;
        let runner = Runner::detect(&options.run_as)?;
        let distribution = distribution(&options, &runner).await?;
        runner.require_reachable(&distribution.program("postgres"))?;
        runner.give(folder.path())?;
        runner.require_writable(folder.path())?;
        if folder.has_data()? {
            folder.end_left_behind()?;
        } else {
            initialize(&folder, &runner, &distribution, options.durable)?;
        }
        let address = options.listen.address(folder.path(), &runner)?;
        let mut cluster = Self {
            server: None,
            durable: options.durable,
            address,
            password: folder.password()?,
            distribution,
            folder,
        };
        let since = Instant::now();
        loop {
            match cluster.launch(&runner, &options).await {
                Err(error) if error.is_passing() && since.elapsed() < options.start_timeout => {
                    tokio::time::sleep(20 * POLL).await;
                }
                result => return result.map(|()| cluster),
            }
        }
    }

    /// How to connect to one of its databases, as the superuser `pulse`.
    pub fn options(&self, database: &str) -> PgConnectOptions {
        let options = PgConnectOptions::new_without_pgpass()
            .username(LOGIN)
            .password(&self.password)
            .database(database)
            .port(self.port());
        match &self.address {
            Address::Socket(folder) => options.socket(folder),
            Address::Loopback(_) => options.host("127.0.0.1"),
        }
    }

    /// The same as a URL. It contains the password.
    pub fn url(&self, database: &str) -> String {
        let (password, port) = (&self.password, self.port());
        match &self.address {
            Address::Socket(folder) => {
                let folder = percent_encode(folder);
                format!("postgres://{LOGIN}:{password}@localhost:{port}/{database}?host={folder}")
            }
            Address::Loopback(_) => format!("postgres://{LOGIN}:{password}@127.0.0.1:{port}/{database}"),
        }
    }

    /// Makes a database if it is missing, and says how to connect to it.
    pub async fn ensure_database(&self, database: &str) -> Result<PgConnectOptions, ClusterError> {
        let mut conn = self.options("postgres").connect().await?;
        let there: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
            .bind(database)
            .fetch_one(&mut conn)
            .await?;
        if !there {
            let quoted = database.replace('"', "\"\"");
            sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE \"{quoted}\""))).execute(&mut conn).await?;
        }
        conn.close().await?;
        Ok(self.options(database))
    }

    /// The server's log.
    pub fn log(&self) -> PathBuf {
        self.folder.log()
    }

    /// The programs of the PostgreSQL that runs.
    pub fn distribution(&self) -> &Distribution {
        &self.distribution
    }

    /// The server's process id.
    pub fn pid(&self) -> Option<i32> {
        self.server.as_ref().map(Server::pid)
    }

    /// Waits until the server ends without having been told to, and says how.
    pub async fn ended(&self) -> Option<ExitStatus> {
        self.server.as_ref()?.wait().await
    }

    /// Stops the server: its connections are ended, what was committed is on disk.
    pub async fn stop(mut self) {
        if let Some(server) = self.server.take() {
            server.stop(self.stop_signal()).await;
        }
    }

    /// Deletes the data in a cluster's folder. Refused while a Pulse runs on it.
    pub fn remove_data(data_dir: &Path) -> Result<(), ClusterError> {
        let folder = Folder::hold(data_dir)?;
        folder.end_left_behind()?;
        folder.remove_data()
    }

    fn port(&self) -> u16 {
        match self.address {
            Address::Socket(_) => SOCKET_PORT,
            Address::Loopback(port) => port,
        }
    }

    /// Data worth keeping are written out at the end; others need not be.
    fn stop_signal(&self) -> Signal {
        if self.durable { Signal::SIGINT } else { Signal::SIGQUIT }
    }

    async fn launch(&mut self, runner: &Runner, options: &ClusterOptions) -> Result<(), ClusterError> {
        let (log, log_begin) = self.folder.open_log()?;
        let program = self.distribution.program("postgres");
        let signal = if self.durable { "INT" } else { "QUIT" };
        let mut command = runner.command(&program, Some(signal));
        command.arg("-D").arg(self.folder.data()).args(self.settings(options));
        command.stdout(Stdio::null()).stderr(log);
        // Ctrl-C in a terminal reaches the whole group; the server has to outlive those who still write.
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let server = Server::spawn(command).map_err(|source| ClusterError::Io { path: program, source })?;
        let server = self.server.insert(server);
        let since = Instant::now();
        loop {
            let found = Postmaster::read(&self.folder.data());
            if found.is_some_and(|found| found.is_ready && found.pid == server.pid()) {
                return Ok(());
            }
            if let Some(status) = server.ended() {
                let (said, log) = (self.folder.log_since(log_begin), self.folder.log());
                return Err(ClusterError::Exited { status: status.to_string(), said, log });
            }
            if since.elapsed() > options.start_timeout {
                let (said, log) = (self.folder.log_since(log_begin), self.folder.log());
                return Err(ClusterError::NotReady { seconds: options.start_timeout.as_secs(), said, log });
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// All settings are given at the start, so that a data folder made by an older Pulse gets the newer ones.
    fn settings(&self, options: &ClusterOptions) -> Vec<String> {
        let (listen, sockets) = match &self.address {
            Address::Socket(folder) => ("", folder.to_string_lossy().into_owned()),
            Address::Loopback(_) => ("127.0.0.1", String::new()),
        };
        let mut settings = vec![
            format!("listen_addresses={listen}"),
            format!("unix_socket_directories={sockets}"),
            "unix_socket_permissions=0700".to_owned(),
            format!("port={}", self.port()),
            format!("shared_buffers={}MB", options.shared_buffers_mb),
            format!("max_connections={}", options.max_connections),
            // Partitions of many collections and months may be locked by one transaction.
            "max_locks_per_transaction=256".to_owned(),
            // Its compile time exceeds what it saves on short statements.
            "jit=off".to_owned(),
            // The data are on a local SSD, if not in memory.
            "random_page_cost=1.1".to_owned(),
            // A queue of a thousand jobs a second leaves too much behind in the usual minute.
            "autovacuum_naptime=10s".to_owned(),
            "timezone=UTC".to_owned(),
            "log_timezone=UTC".to_owned(),
            "log_checkpoints=off".to_owned(),
        ];
        if !options.durable {
            let fast = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "wal_level=minimal"];
            settings.extend(fast.map(ToOwned::to_owned));
            settings.push("max_wal_senders=0".to_owned());
        }
        settings.into_iter().flat_map(|setting| ["-c".to_owned(), setting]).collect()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let signal = self.stop_signal();
        if let Some(mut server) = self.server.take() {
            server.stop_blocking(signal);
        }
    }
}

async fn distribution(options: &ClusterOptions, runner: &Runner) -> Result<Distribution, ClusterError> {
    if let Some(distribution) = &options.distribution {
        return Ok(distribution.clone());
    }
    let mut fetch = options.fetch.clone();
    let chosen = fetch.cache.is_some() || std::env::var_os("XDG_CACHE_HOME").is_some();
    if runner.is_other_user() && !chosen {
        // Root's home is closed to the user that PostgreSQL runs as.
        fetch.cache = Some(PathBuf::from("/var/cache/pulse"));
    }
    Ok(Distribution::ensure(&fetch).await?)
}

/// A path as part of a URL's query.
fn percent_encode(path: &Path) -> String {
    use std::fmt::Write;
    use std::os::unix::ffi::OsStrExt;
    let mut encoded = String::new();
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => {
                encoded.push(char::from(*byte));
            }
            _ => write!(encoded, "%{byte:02X}").expect("a string can be written to"),
        }
    }
    encoded
}
