//! A Redis for one test: Debian's `redis-server` on a socket in a folder of its own.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A server that ends with the test.
pub(crate) struct RedisServer {
    folder: TempDir,
    process: Child,
}

impl RedisServer {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let process = spawn(folder.path());
        let server = Self { folder, process };
        server.wait().await;
        server
    }

    /// What `gateway.redis.url` says to reach it.
    pub(crate) fn url(&self) -> String {
        format!("redis+unix://{}", self.folder.path().join("redis.sock").display())
    }

    /// Ends the server as a crash would.
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Starts it again, empty.
    pub(crate) async fn restart(&mut self) {
        self.process = spawn(self.folder.path());
        self.wait().await;
    }

    async fn wait(&self) {
        let started = Instant::now();
        let socket = self.folder.path().join("redis.sock");
        while tokio::net::UnixStream::connect(&socket).await.is_err() {
            assert!(started.elapsed() < Duration::from_secs(20), "redis-server does not listen");
            crate::support::pause(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        // It may be gone already.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn spawn(folder: &Path) -> Child {
    Command::new("redis-server")
        .args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket"])
        .arg(folder.join("redis.sock"))
        .arg("--dir")
        .arg(folder)
        .stdout(Stdio::null())
        .spawn()
        .expect("`redis-server` is needed: apt-get install redis-server")
}
