//! A Redis for one test: Debian's `redis-server` on a socket in a folder of its own.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};
use tempfile::TempDir;
use tokio::net::UnixStream;
use tokio::time::Instant;

/// How long a server may take to listen.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server that ends with the test.
pub struct RedisServer {
    folder: TempDir,
    process: Child,
}

impl RedisServer {
    /// Starts one, empty.
    pub async fn start() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let process = spawn(folder.path())?;
        let server = Self { folder, process };
        server.listening().await?;
        Ok(server)
    }

    /// How to reach it.
    pub fn url(&self) -> String {
        format!("redis+unix://{}", self.folder.path().join("redis.sock").display())
    }

    /// Ends the server as a crash would.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.process.kill()?;
        self.process.wait()?;
        Ok(())
    }

    /// Starts it again, empty.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        self.process = spawn(self.folder.path())?;
        self.listening().await
    }

    async fn listening(&self) -> anyhow::Result<()> {
        let started = Instant::now();
        let socket = self.folder.path().join("redis.sock");
        while UnixStream::connect(&socket).await.is_err() {
            ensure!(started.elapsed() < PATIENCE, "redis-server does not listen");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        // It may be gone already.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn spawn(folder: &Path) -> anyhow::Result<Child> {
    Command::new("redis-server")
        .args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket"])
        .arg(folder.join("redis.sock"))
        .arg("--dir")
        .arg(folder)
        .stdout(Stdio::null())
        .spawn()
        .context("`redis-server` is needed: apt-get install redis-server")
}
