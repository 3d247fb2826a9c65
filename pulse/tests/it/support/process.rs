//! The program, started and watched.

use std::ffi::OsStr;
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// How long a process may take to say that it is ready, or to end: far more than it needs on a loaded machine.
const PATIENCE: Duration = Duration::from_mins(2);

/// Variables that are settings of the program: those of the test's own environment must not reach it.
const SETTINGS: [&str; 7] = [
    "DATABASE_",
    "PULSE_ENCRYPTION_KEY",
    "PULSE_OLD_ENCRYPTION_KEYS",
    "PULSE_REGISTRY",
    "PULSE_SIGNING_KEY",
    "PULSE_SUBGRAPH_",
    "PULSE__",
];

/// The program with these words. Of its log it shows errors alone.
pub(crate) fn pulse(words: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pulse"));
    command.args(words).kill_on_drop(true);
    for (name, _) in std::env::vars_os() {
        if SETTINGS.iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    command.env("PULSE__TELEMETRY__LOG_FILTER", "error");
    command
}

/// How a process ended, and what it said.
pub(crate) struct Ended {
    /// `None` when a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// Its exit code and standard error, for snapshots; `private` parts are replaced by their names.
    pub(crate) fn refusal(&self, private: &[(&str, &str)]) -> String {
        let code = self.code.map_or("none".to_owned(), |code| code.to_string());
        let text = format!("exit code {code}\n{}", without_numbers(self.stderr.trim_end()));
        private.iter().fold(text, |text, (private, name)| text.replace(private, name))
    }

    /// Standard output of a process that succeeded.
    pub(crate) fn success(self) -> anyhow::Result<String> {
        anyhow::ensure!(self.code == Some(0), "{}", self.refusal(&[]));
        Ok(self.stdout)
    }
}

/// Leaves out the numbers of system errors, which each system has its own of.
fn without_numbers(text: &str) -> String {
    let mut parts = text.split(" (os error ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once(')').map_or(part, |(_, after)| after))
}

/// Runs a process to its end, with nothing on its standard input.
pub(crate) async fn run(mut command: Command) -> anyhow::Result<Ended> {
    let output = command.stdin(Stdio::null()).output();
    let output = timeout(PATIENCE, output).await.context("the process does not end")??;
    Ok(Ended {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout)?,
        stderr: String::from_utf8(output.stderr)?,
    })
}

/// A process under way; killed when dropped.
pub(crate) struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    stderr: JoinHandle<std::io::Result<String>>,
    /// What it said on standard output so far.
    pub(crate) said: String,
}

impl Running {
    /// Starts a process whose standard input stays open for `feed`.
    pub(crate) fn spawn(mut command: Command) -> anyhow::Result<Self> {
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let lines = BufReader::new(child.stdout.take().context("it is piped")?).lines();
        let mut stderr = child.stderr.take().context("it is piped")?;
        let stderr = tokio::spawn(async move {
            let mut text = String::new();
            stderr.read_to_string(&mut text).await.map(|_| text)
        });
        Ok(Self { child, lines, stderr, said: String::new() })
    }

    /// Starts a process and waits until it says a line that contains `announcement`.
    pub(crate) async fn start(command: Command, announcement: &str) -> anyhow::Result<Self> {
        let mut running = Self::spawn(command)?;
        let announced = timeout(PATIENCE, running.read_until(announcement)).await;
        if announced.context("the process does not become ready")?? {
            return Ok(running);
        }
        let ended = running.ended().await?;
        anyhow::bail!("the process ended before it was ready: {}", ended.refusal(&[]))
    }

    async fn read_until(&mut self, announcement: &str) -> anyhow::Result<bool> {
        while let Some(line) = self.lines.next_line().await? {
            self.said.push_str(&line);
            self.said.push('\n');
            if line.contains(announcement) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Where it serves, as it said: `http://127.0.0.1:1234`.
    pub(crate) fn url(&self) -> &str {
        let begin = self.said.find("http://").expect("it said where it serves");
        let said = &self.said[begin..];
        &said[..said.find("/graphql").expect("it serves GraphQL")]
    }

    /// Writes to its standard input.
    pub(crate) async fn feed(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        let stdin = self.child.stdin.as_mut().context("it is piped")?;
        Ok(timeout(PATIENCE, stdin.write_all(bytes)).await.context("it does not read on")??)
    }

    /// Sends a signal and waits for the end.
    pub(crate) async fn end(self, signal: Signal) -> anyhow::Result<Ended> {
        self.signal(signal)?;
        self.ended().await
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let pid = self.child.id().context("it runs")?;
        Ok(kill(Pid::from_raw(i32::try_from(pid)?), signal)?)
    }

    /// Waits until it is gone, after a signal that it cannot answer.
    pub(crate) async fn gone(&mut self) -> anyhow::Result<()> {
        timeout(PATIENCE, self.child.wait()).await.context("the process does not end")??;
        Ok(())
    }

    /// Waits for the end.
    pub(crate) async fn ended(mut self) -> anyhow::Result<Ended> {
        let status = timeout(PATIENCE, async {
            while let Some(line) = self.lines.next_line().await? {
                self.said.push_str(&line);
                self.said.push('\n');
            }
            // Waiting closes standard input; a process has to end by its signal even while it is open.
            let stdin = self.child.stdin.take();
            let status = self.child.wait().await?;
            drop(stdin);
            anyhow::Ok(status)
        });
        let status = status.await.context("the process does not end")??;
        Ok(Ended { code: status.code(), stdout: self.said, stderr: self.stderr.await?? })
    }
}
