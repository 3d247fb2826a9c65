//! The gateways that are compared.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use pulse_bench_harness::child::Server;
use pulse_bench_harness::load::Call;
use tokio::net::TcpListener;

use crate::case::Case;

/// How long a gateway may take to start.
const START: Duration = Duration::from_mins(1);

/// A gateway that can be started.
#[derive(Debug, Clone)]
pub(crate) enum Peer {
    /// Pulse's own.
    Pulse,
    /// Another, by its command.
    Command { name: String, command: String },
}

impl Peer {
    /// A peer out of `NAME=COMMAND`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (name, command) = text.split_once('=').ok_or("write it as NAME=COMMAND")?;
        Ok(Self::Command { name: name.to_owned(), command: command.to_owned() })
    }

    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Pulse => "Pulse",
            Self::Command { name, .. } => name,
        }
    }

    /// Starts it for a case and waits until it answers.
    pub(crate) async fn start(&self, case: &Case, supergraph: &Path) -> anyhow::Result<Server> {
        let file = supergraph.to_str().context("the temporary folder's name is not UTF-8")?;
        let server = match self {
            Self::Pulse => {
                let mut arguments = vec!["gateway", "--supergraph", file];
                arguments.extend(case.dedup.then_some("--dedup"));
                arguments.extend(case.in_process.then_some("--in-process"));
                Server::start(&arguments).await?
            }
            Self::Command { command, .. } => {
                let address = free_address().await?;
                let line = command
                    .replace("{port}", &address.port().to_string())
                    .replace("{supergraph}", file)
                    .replace("{dedup}", if case.dedup { "true" } else { "false" });
                Server::command(&line, address)?
            }
        };
        let call = case.call(server.address);
        answers(&call).await.with_context(|| format!("{} did not answer", self.name()))?;
        Ok(server)
    }
}

async fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0").await?.local_addr()?)
}

async fn answers(call: &Call) -> anyhow::Result<()> {
    let until = Instant::now() + START;
    loop {
        match call.once().await {
            Ok(body) => {
                ensure!(body.len() > 100, "its answer is too short: {}", String::from_utf8_lossy(&body));
                return Ok(());
            }
            Err(error) if Instant::now() > until => return Err(error),
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}
