//! Servers as processes of their own, so that each has a runtime, a heap and a CPU account of its own.

use std::net::SocketAddr;
use std::process::Stdio;

use anyhow::{Context, ensure};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::table::say;

/// What a server prints before its address: one of a bench's own, or a role of Pulse.
const READY: [&str; 2] = ["listening on ", "ready at http://"];

/// A running server; killed when dropped.
pub struct Server {
    child: Child,
    pid: u32,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Server {
    /// Starts this program again with other arguments, and waits until it listens.
    pub async fn start(arguments: &[&str]) -> anyhow::Result<Self> {
        Self::start_with(arguments, &[]).await
    }

    /// The same with more in its environment.
    pub async fn start_with(arguments: &[&str], environment: &[(String, String)]) -> anyhow::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(arguments)
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let stdout = child.stdout.take().context("stdout is piped")?;
        let mut lines = BufReader::new(stdout).lines();
        let line = lines.next_line().await?.unwrap_or_default();
        let address = READY.iter().find_map(|ready| line.strip_prefix(ready));
        let address = address.context("the server ended before it listened")?;
        let address = address.split('/').next().unwrap_or_default().parse()?;
        let pid = child.id().context("the server has ended")?;
        Ok(Self { child, pid, address })
    }

    /// Starts another program by a line for the shell, which is to listen at `address`. Nothing is waited for.
    pub fn command(line: &str, address: SocketAddr) -> anyhow::Result<Self> {
        let child = Command::new("sh")
            .args(["-c", &format!("exec {line}")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let pid = child.id().context("the command has ended")?;
        Ok(Self { child, pid, address })
    }

    /// Ends it and waits until it has.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }

    /// The CPU time that the process has used, in milliseconds.
    pub fn cpu_ms(&self) -> anyhow::Result<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid))?;
        // The second field is the program's name in brackets and may hold spaces.
        let fields: Vec<&str> = stat.rsplit_once(')').context("no name")?.1.split_whitespace().collect();
        ensure!(fields.len() > 12, "an unknown form of /proc/PID/stat");
        let ticks: f64 = fields[11].parse::<f64>()? + fields[12].parse::<f64>()?;
        // Linux counts in hundredths of a second.
        Ok(ticks * 10.0)
    }

    /// The most memory that the process has had at once, in MiB.
    pub fn peak_mib(&self) -> anyhow::Result<f64> {
        Ok(self.status_kib("VmHWM:")? / 1024.0)
    }

    /// The memory that the process has now, in KiB.
    pub fn resident_kib(&self) -> anyhow::Result<f64> {
        self.status_kib("VmRSS:")
    }

    fn status_kib(&self, field: &str) -> anyhow::Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid))?;
        let line = status.lines().find_map(|line| line.strip_prefix(field)).context("no such field")?;
        let kib = line.split_whitespace().next().context("an unknown form of /proc/PID/status")?;
        Ok(kib.parse()?)
    }
}

/// Tells the process that started this one where it listens.
pub fn announce(address: SocketAddr) {
    say(&format!("{}{address}", READY[0]));
}
