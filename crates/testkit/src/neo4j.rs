//! A Neo4j for tests: Community, from its Maven artifacts, on the machine's JDK.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use pulse_postgres::FetchOptions;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::time::Instant;

/// Where `cargo xtask test` says which server all test binaries share.
const SERVER_VARIABLE: &str = "PULSE_TEST_NEO4J";
/// What is fetched.
const VERSION: &str = "5.26.30";
/// What fetches it.
const MAVEN_GOAL: &str = "org.apache.maven.plugins:maven-dependency-plugin:2.8:copy-dependencies";
/// How long a server may take to listen.
const PATIENCE: Duration = Duration::from_mins(2);
/// What is missing where its program cannot be started.
const NO_JAVA: &str = "`java` 17 or 21 is needed for Neo4j: apt-get install openjdk-17-jre-headless";
/// Where it says what it does.
const LOG: &str = "said.log";
/// The program, and what the server needs of a JDK that is newer than it expects.
const JAVA: [&str; 11] = [
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "--add-opens=java.base/java.nio=ALL-UNNAMED",
    "--add-opens=java.base/java.io=ALL-UNNAMED",
    "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
    "--add-opens=java.base/java.util.concurrent=ALL-UNNAMED",
    "--enable-native-access=ALL-UNNAMED",
    "-Dio.netty.tryReflectionSetAccessible=true",
    "-Dlog4j2.disable.jmx=true",
    "-cp",
];

/// A server that ends with this value, unless it is the one that all share.
pub struct Neo4jServer {
    address: String,
    own: Option<Own>,
}

struct Own {
    folder: TempDir,
    libraries: PathBuf,
    process: Child,
}

impl Neo4jServer {
    /// The name to sign in with.
    pub const USER: &'static str = "neo4j";
    /// Its password.
    pub const PASSWORD: &'static str = "only-for-tests";

    /// The server of this test run, in which tests keep out of each other's way by having tenants of their own; one of the test's
    /// own where there is none.
    pub async fn shared() -> anyhow::Result<Self> {
        let Some(address) = std::env::var_os(SERVER_VARIABLE) else { return Self::start().await };
        let address = address.into_string().ok().context("the address of the shared Neo4j cannot be read")?;
        let mut server = Self { address, own: None };
        server.listening().await?;
        Ok(server)
    }

    /// Starts one, empty, on a free port of this machine alone.
    pub async fn start() -> anyhow::Result<Self> {
        let mut server = Self::starting().await?;
        server.listening().await?;
        Ok(server)
    }

    /// The same, which does not listen yet.
    pub async fn starting() -> anyhow::Result<Self> {
        let place = tokio::task::spawn_blocking(fetched).await??;
        let folder = tempfile::tempdir()?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let address = format!("127.0.0.1:{port}");
        fs::create_dir_all(folder.path().join("conf"))?;
        fs::write(folder.path().join("conf/neo4j.conf"), settings(&address))?;
        sign_in_by(&place, folder.path())?;
        let libraries = place.join("lib");
        let process = spawn(folder.path(), &libraries)?;
        Ok(Self { address, own: Some(Own { folder, libraries, process }) })
    }

    /// How to reach it.
    pub fn uri(&self) -> String {
        format!("bolt://{}", self.address)
    }

    /// Its host and port.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Ends the server as a crash would.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        let own = self.own.as_mut().context("the shared server is not the test's to kill")?;
        own.process.kill()?;
        own.process.wait()?;
        Ok(())
    }

    /// Takes away all that a killed server had on its disk, but who may sign in.
    pub fn empty(&mut self) -> anyhow::Result<()> {
        let own = self.own.as_ref().context("the shared server is not the test's to empty")?;
        fs::remove_dir_all(own.folder.path().join("data"))?;
        let place = own.libraries.parent().context("libraries are in a folder")?;
        sign_in_by(place, own.folder.path())
    }

    /// Starts a killed server again, with what is on its disk.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        let own = self.own.as_mut().context("the shared server is not the test's to start")?;
        own.process = spawn(own.folder.path(), &own.libraries)?;
        self.listening().await
    }

    async fn listening(&mut self) -> anyhow::Result<()> {
        let started = Instant::now();
        while TcpStream::connect(&self.address).await.is_err() {
            if let Some(own) = &mut self.own
                && let Some(status) = own.process.try_wait()?
            {
                let said = fs::read_to_string(own.folder.path().join(LOG))?;
                bail!("Neo4j ended while it started: {status}\n{said}");
            }
            ensure!(started.elapsed() < PATIENCE, "Neo4j does not listen");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        // It may be gone already.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn settings(address: &str) -> String {
    format!(
        "server.bolt.enabled=true\nserver.bolt.listen_address={address}\nserver.bolt.advertised_address={address}\n\
         server.http.enabled=false\nserver.https.enabled=false\ndbms.security.auth_enabled=true\n\
         server.memory.pagecache.size=64m\ndb.tx_log.preallocate=false\ndbms.usage_report.enabled=false\n"
    )
}

fn spawn(folder: &Path, libraries: &Path) -> anyhow::Result<Child> {
    let mut java = java(libraries);
    java.arg("org.neo4j.server.CommunityEntryPoint");
    java.arg(format!("--home-dir={}", folder.display()));
    java.arg(format!("--config-dir={}", folder.join("conf").display())).arg("--console-mode");
    let said = File::options().create(true).append(true).open(folder.join(LOG))?;
    java.stdin(Stdio::null()).stdout(said.try_clone()?).stderr(said);
    java.spawn().context(NO_JAVA)
}

fn java(libraries: &Path) -> Command {
    let mut java = Command::new("java");
    java.args(JAVA).arg(libraries.join("*"));
    java
}

/// Lets the one user sign in with the one password: what was made for it once is copied.
fn sign_in_by(place: &Path, folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder.join("data/dbms"))?;
    fs::copy(place.join("auth.ini"), folder.join("data/dbms/auth.ini"))?;
    Ok(())
}

/// The folder of what was fetched: `lib` and `auth.ini`. The first that asks fetches it, by Maven.
fn fetched() -> anyhow::Result<PathBuf> {
    let cache = FetchOptions::from_env().cache_dir()?;
    let place = cache.join(format!("neo4j-{VERSION}"));
    if place.exists() {
        return Ok(place);
    }
    fs::create_dir_all(&cache)?;
    let lock = File::create(cache.join("neo4j.lock"))?;
    lock.lock()?;
    if place.exists() {
        return Ok(place);
    }
    let work = tempfile::Builder::new().prefix("neo4j-").tempdir_in(&cache)?;
    fs::write(work.path().join("pom.xml"), pom())?;
    let mut maven = Command::new("mvn");
    maven.args(["-B", "-q", MAVEN_GOAL, "-DoutputDirectory=lib"]);
    let fetched = maven.current_dir(work.path()).stdin(Stdio::null()).output();
    let fetched = fetched.context("`mvn` is needed to fetch Neo4j: apt-get install maven")?;
    let said = String::from_utf8_lossy(&fetched.stdout);
    ensure!(fetched.status.success(), "Maven could not fetch Neo4j {VERSION}:\n{said}");
    // The server's own tool writes down who may sign in.
    fs::create_dir_all(work.path().join("conf"))?;
    fs::write(work.path().join("conf/neo4j.conf"), "")?;
    let mut tool = java(&work.path().join("lib"));
    tool.args(["org.neo4j.cli.AdminTool", "dbms", "set-initial-password", Neo4jServer::PASSWORD]);
    tool.env("NEO4J_HOME", work.path()).env("NEO4J_CONF", work.path().join("conf"));
    let set = tool.output().context(NO_JAVA)?;
    let said = String::from_utf8_lossy(&set.stderr);
    ensure!(set.status.success(), "Neo4j's own tool could not set a password:\n{said}");
    fs::rename(work.path().join("data/dbms/auth.ini"), work.path().join("auth.ini"))?;
    fs::rename(work.keep(), &place)?;
    Ok(place)
}

fn pom() -> String {
    format!(
        "<project><modelVersion>4.0.0</modelVersion>\
         <groupId>pulse</groupId><artifactId>neo4j</artifactId><version>1</version><packaging>pom</packaging>\
         <dependencies><dependency><groupId>org.neo4j</groupId><artifactId>neo4j</artifactId>\
         <version>{VERSION}</version></dependency></dependencies></project>"
    )
}
