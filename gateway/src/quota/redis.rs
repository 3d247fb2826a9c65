//! Buckets in Redis: one script for all demands of a request, so that several processes never spend the same twice.

use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, Script, ScriptInvocation};

use super::store::{Demand, Lease, LeaseId, Levels, Outcome};
use crate::config::RedisConfig;

pub(super) struct RedisBuckets {
    connection: ConnectionManager,
    timeout: Duration,
    prefix: String,
    take: Script,
    settle: Script,
}

/// Why Redis gave no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum RedisFailure {
    #[error("Redis did not answer within {} ms", .0.as_millis())]
    TimedOut(Duration),
    #[error("Redis answered with an error")]
    Failed(#[from] redis::RedisError),
    #[error("Redis answered with something else than a script's result")]
    Malformed,
}

impl RedisBuckets {
    /// Buckets in the Redis that is configured, if one is. It is connected to when it is first needed.
    pub(super) fn new(config: &RedisConfig) -> Option<Self> {
        let url = config.url.expose();
        if url.is_empty() {
            return None;
        }
        let timeouts = ConnectionManagerConfig::new()
            .set_number_of_retries(1)
            .set_connection_timeout(Some(config.timeout))
            .set_response_timeout(Some(config.timeout));
        let connection =
            Client::open(url).and_then(|client| ConnectionManager::new_lazy_with_config(client, timeouts));
        let connection = connection.map_err(|error| tracing::error!(%error, "Redis cannot be used")).ok()?;
        Some(Self {
            connection,
            timeout: config.timeout,
            prefix: config.prefix.clone(),
            take: Script::new(include_str!("take.lua")),
            settle: Script::new(include_str!("settle.lua")),
        })
    }

    pub(super) async fn take(
        &self,
        demands: &[Demand],
        lease: Lease,
        now: i64,
    ) -> Result<Outcome, RedisFailure> {
        let mut call = self.take.prepare_invoke();
        call.arg(now).arg(lease.until).arg(format!("{:032x}", lease.id));
        self.keys(&mut call, demands);
        for demand in demands {
            call.arg(demand.amount.to_string()).arg(i32::from(demand.leased));
        }
        let answer = self.run(&call).await?;
        let (short, levels) = answer.split_first().ok_or(RedisFailure::Malformed)?;
        // The script counts from one; zero is none.
        let short: usize = short.parse().map_err(|_| RedisFailure::Malformed)?;
        Ok(Outcome { levels: numbers(levels, demands.len())?, short: short.checked_sub(1) })
    }

    pub(super) async fn settle(
        &self,
        demands: &[Demand],
        actual: f64,
        lease: LeaseId,
        now: i64,
    ) -> Result<Levels, RedisFailure> {
        let mut call = self.settle.prepare_invoke();
        call.arg(now).arg(actual.to_string()).arg(format!("{lease:032x}"));
        self.keys(&mut call, demands);
        for demand in demands {
            call.arg(demand.amount.to_string()).arg(i32::from(demand.leased));
        }
        numbers(&self.run(&call).await?, demands.len())
    }

    /// Two keys a bucket, all in one slot of a cluster, and what it holds at most and gains each millisecond.
    fn keys(&self, call: &mut ScriptInvocation<'_>, demands: &[Demand]) {
        for demand in demands {
            let key = u128::from_be_bytes(demand.key);
            call.key(format!("{{{}}}:quota:{key:032x}", self.prefix));
            call.key(format!("{{{}}}:quota:{key:032x}:leases", self.prefix));
        }
        for demand in demands {
            call.arg(demand.measure.capacity.to_string()).arg(demand.measure.per_millisecond.to_string());
        }
    }

    async fn run(&self, call: &ScriptInvocation<'_>) -> Result<Vec<String>, RedisFailure> {
        let mut connection = self.connection.clone();
        let answer = tokio::time::timeout(self.timeout, call.invoke_async(&mut connection)).await;
        Ok(answer.map_err(|_| RedisFailure::TimedOut(self.timeout))??)
    }
}

fn numbers(answer: &[String], count: usize) -> Result<Levels, RedisFailure> {
    if answer.len() != count {
        return Err(RedisFailure::Malformed);
    }
    answer.iter().map(|number| number.parse().map_err(|_| RedisFailure::Malformed)).collect()
}
