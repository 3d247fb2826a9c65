//! The processes that are killed and started again, and those that live on.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use anyhow::Context;
use futures::future::try_join_all;
use nix::sys::signal::Signal;
use pulse_testkit::{RedisServer, TestDatabase};
use tokio::process::Command;

use super::pass;
use crate::support::http::get;
use crate::support::process::Running;
use crate::support::roles::{READY, role, terminate};

/// Who is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Victim {
    Gateway,
    Worker,
    Redis,
    /// The worker that publishes to Redis.
    Publisher,
    /// The process of a subgraph.
    Subgraph,
}

impl Victim {
    pub(super) const ALL: [Self; 5] =
        [Self::Gateway, Self::Worker, Self::Redis, Self::Publisher, Self::Subgraph];
}

/// Those that the clients and writers need. The gateway does without the others.
const SUBGRAPHS: [&str; 3] = ["accounts", "entities", "vectors"];

/// How long a job of a worker that was killed is left alone: as short as the settings allow.
const LEASE: (&str, &str) = ("PULSE__JOBS__LEASE", "3s");

/// All processes of a platform.
pub(super) struct Processes {
    redis: RedisServer,
    subgraphs: Vec<Role>,
    workers: Vec<Role>,
    gateway: Role,
    gateway_url: String,
}

/// A process that is started again as it was, at the same address.
struct Role {
    command: Box<dyn Fn() -> Command + Send + Sync>,
    announcement: &'static str,
    address: SocketAddr,
    running: Running,
}

impl Role {
    async fn start(
        announcement: &'static str,
        command: impl Fn(SocketAddr) -> Command + Send + Sync + 'static,
    ) -> anyhow::Result<Self> {
        let address = free_address()?;
        let command = Box::new(move || command(address));
        let running = Running::start(command(), announcement).await?;
        Ok(Self { command, announcement, address, running })
    }

    /// Kills it as `kill -9` does, and starts it again after a while.
    async fn kill_and_start(&mut self, away: Duration) -> anyhow::Result<()> {
        self.running.signal(Signal::SIGKILL)?;
        self.running.gone().await?;
        pass(away).await;
        self.running = Running::start((self.command)(), self.announcement).await?;
        Ok(())
    }
}

impl Processes {
    /// Starts all of them.
    pub(super) async fn start(database: &TestDatabase) -> anyhow::Result<Self> {
        let redis = RedisServer::start().await?;
        let base = {
            let (url, redis) = (database.url(), redis.url());
            move |words: &[&str]| {
                let mut command = role(&url, words);
                command.env("REDIS_URL", &redis).env(LEASE.0, LEASE.1);
                command
            }
        };
        let subgraphs = SUBGRAPHS.map(|name| {
            let base = base.clone();
            Role::start(READY, move |address| {
                base(&["serve", "subgraph", name, "--listen", &address.to_string()])
            })
        });
        let subgraphs = try_join_all(subgraphs).await?;
        let workers = [(), ()].map(|()| {
            let base = base.clone();
            Role::start("working", move |address| {
                base(&["serve", "worker", "--listen", &address.to_string()])
            })
        });
        let workers = try_join_all(workers).await?;
        let urls: Vec<_> = SUBGRAPHS
            .iter()
            .zip(&subgraphs)
            .map(|(name, at)| (*name, format!("http://{}", at.address)))
            .collect();
        let gateway = Role::start(READY, move |address| {
            let mut command = base(&["serve", "gateway", "--listen", &address.to_string()]);
            command.env_remove("DATABASE_URL");
            for name in pulse::platform::SUBGRAPHS {
                let url = urls
                    .iter()
                    .find(|(known, _)| *known == name)
                    .map_or("http://127.0.0.1:9", |(_, url)| url);
                let variable = format!("PULSE_SUBGRAPH_URL_{}", name.to_uppercase());
                command.env(variable, format!("{url}/graphql"));
            }
            command
        });
        let gateway = gateway.await?;
        let gateway_url = format!("http://{}", gateway.address);
        Ok(Self { redis, subgraphs, workers, gateway, gateway_url })
    }

    /// Where the gateway is, whenever it is.
    pub(super) fn gateway_url(&self) -> &str {
        &self.gateway_url
    }

    /// Kills one and starts it again. `any` chooses among workers or subgraphs, when any of them is meant.
    pub(super) async fn kill_and_start(
        &mut self,
        victim: Victim,
        away: Duration,
        any: usize,
    ) -> anyhow::Result<()> {
        match victim {
            Victim::Gateway => self.gateway.kill_and_start(away).await,
            Victim::Worker => self.workers[any % 2].kill_and_start(away).await,
            Victim::Subgraph => self.subgraphs[any % SUBGRAPHS.len()].kill_and_start(away).await,
            Victim::Publisher => {
                let publisher = self.publisher().await?.unwrap_or(any % 2);
                self.workers[publisher].kill_and_start(away).await
            }
            Victim::Redis => {
                self.redis.kill()?;
                pass(away).await;
                self.redis.restart().await
            }
        }
    }

    /// The worker that publishes, if one does just now.
    async fn publisher(&self) -> anyhow::Result<Option<usize>> {
        for (number, worker) in self.workers.iter().enumerate() {
            let metrics = get(&format!("http://{}", worker.address), "/metrics").await?;
            if metrics.text.lines().any(|line| line == "pulse_events_publisher 1") {
                return Ok(Some(number));
            }
        }
        Ok(None)
    }

    /// Stops all of them.
    pub(super) async fn stop(self) -> anyhow::Result<()> {
        for role in self.workers.into_iter().chain([self.gateway]).chain(self.subgraphs) {
            terminate(role.running).await?;
        }
        Ok(())
    }
}

/// An address that nobody has just now.
fn free_address() -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").context("no address is free")?;
    Ok(listener.local_addr()?)
}
