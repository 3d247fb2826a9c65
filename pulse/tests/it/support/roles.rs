//! The roles as processes, started by the words of containers.

use std::collections::BTreeMap;

use futures::future::try_join_all;
use nix::sys::signal::Signal;
use tokio::process::Command;

use super::process::{Running, pulse, run};
use crate::cli::deploy_commands;

/// What a role says when it serves.
pub(crate) const READY: &str = "ready at http://";

const SIGNING_KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
const ENCRYPTION_KEY: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
pub(crate) const SECRET: &str = "a secret of this test's processes";

/// A role by the words of its command; `addresses` of the containers become ones of this machine.
pub(crate) fn role(database: &str, words: &[&str]) -> Command {
    let mut command = pulse(words.iter().map(|word| match *word {
        "0.0.0.0:4000" | "0.0.0.0:4001" => "127.0.0.1:0",
        word => word,
    }));
    command.env("DATABASE_URL", database).env("PULSE_SIGNING_KEY", SIGNING_KEY);
    command.env("PULSE_ENCRYPTION_KEY", ENCRYPTION_KEY);
    for name in pulse::platform::SUBGRAPHS {
        command.env(format!("PULSE_SUBGRAPH_SECRET_{}", name.to_uppercase()), SECRET);
    }
    command
}

/// The container command that begins with these words.
pub(crate) fn container(begin: &[&str]) -> Vec<&'static str> {
    deploy_commands().find(|words| words.starts_with(begin)).expect("containers start it")
}

/// Every role by itself, as containers are started.
pub(crate) struct Roles {
    pub(crate) gateway: Running,
    pub(crate) worker: Running,
    pub(crate) subgraphs: BTreeMap<&'static str, Running>,
}

impl Roles {
    /// Starts all of them on a database, migrated.
    pub(crate) async fn start(database: &str) -> anyhow::Result<Self> {
        Self::start_with(database, &[]).await
    }

    /// The same with more in their environment.
    pub(crate) async fn start_with(database: &str, environment: &[(&str, &str)]) -> anyhow::Result<Self> {
        Self::migrate(database).await?;
        let role = |words: &[&str]| {
            let mut command = role(database, &container(words));
            command.envs(environment.iter().copied());
            command
        };
        let subgraphs = pulse::platform::SUBGRAPHS.map(async |name| {
            anyhow::Ok((name, Running::start(role(&["serve", "subgraph", name]), READY).await?))
        });
        let worker = Running::start(role(&["serve", "worker"]), "working");
        let (subgraphs, worker) = tokio::try_join!(try_join_all(subgraphs), worker)?;
        let subgraphs = subgraphs.into_iter().collect();
        let gateway = Running::start(at(role(&["serve", "gateway"]), &subgraphs), READY).await?;
        Ok(Self { gateway, worker, subgraphs })
    }

    /// Brings a database up to date.
    pub(crate) async fn migrate(database: &str) -> anyhow::Result<()> {
        run(role(database, &container(&["migrate"]))).await?.success()?;
        Ok(())
    }

    /// One more gateway over the same subgraphs.
    pub(crate) async fn another_gateway(&self, database: &str) -> anyhow::Result<Running> {
        let gateway = role(database, &container(&["serve", "gateway"]));
        Running::start(at(gateway, &self.subgraphs), READY).await
    }

    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        for process in self.subgraphs.into_values().chain([self.gateway, self.worker]) {
            terminate(process).await?;
        }
        Ok(())
    }
}

/// A gateway before these subgraphs. It needs no database.
fn at(mut gateway: Command, subgraphs: &BTreeMap<&'static str, Running>) -> Command {
    gateway.env_remove("DATABASE_URL");
    for (name, subgraph) in subgraphs {
        let variable = format!("PULSE_SUBGRAPH_URL_{}", name.to_uppercase());
        gateway.env(variable, format!("{}/graphql", subgraph.url()));
    }
    gateway
}

/// SIGTERM, on which a process finishes what it does and succeeds.
pub(crate) async fn terminate(process: Running) -> anyhow::Result<()> {
    process.end(Signal::SIGTERM).await?.success()?;
    Ok(())
}
