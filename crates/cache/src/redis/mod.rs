//! The level behind the process: values that several processes share.
//!
//! Nothing is ever invalidated in Redis. A value there says up to which position of the log it is true, and whoever reads
//! it checks it against what they have heard of since; so it does not matter what Redis has missed, lost or kept too long.

mod stored;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use metrics::gauge;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, FromRedisValue, Script, Value};

use crate::RedisOptions;
use crate::key::Place;

pub(crate) use stored::{Head, Stored};

/// How long others leave a value to the one who loads it.
const LOCKED: Duration = Duration::from_secs(2);

/// How long a Redis that did not answer is left alone.
const LEFT_ALONE: Duration = Duration::from_secs(1);

/// A Redis that several processes share.
pub(crate) struct Redis {
    connection: ConnectionManager,
    options: RedisOptions,
    /// What is in it belongs to this log.
    log: OnceLock<String>,
    claim: Script,
    put: Script,
    started: Instant,
    /// Until when it is left alone, in milliseconds since the start.
    down_until: AtomicU64,
    is_down: AtomicBool,
}

/// Why Redis gave no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RedisFailure {
    #[error("Redis did not answer within {} ms", .0.as_millis())]
    TimedOut(Duration),
    #[error("Redis answered with an error")]
    Failed(#[from] redis::RedisError),
    #[error("Redis has not answered lately")]
    LeftAlone,
}

/// What Redis says of a value.
#[derive(Debug)]
pub(crate) enum Claim {
    /// It is there.
    Found(Stored),
    /// It is the caller's to load.
    Ours,
    /// Somebody else is loading it.
    Theirs,
}

/// A value that is to be kept; only its lock is let go of when there is none.
pub(crate) struct Put {
    pub(crate) place: Place,
    pub(crate) stored: Option<(Stored, Duration)>,
}

impl Redis {
    /// The Redis that is configured. It is connected to when it is first needed.
    pub(crate) fn new(options: RedisOptions) -> Option<Self> {
        let timeouts = ConnectionManagerConfig::new()
            .set_number_of_retries(1)
            .set_connection_timeout(Some(options.timeout))
            .set_response_timeout(Some(options.timeout));
        let connection = Client::open(options.url.expose())
            .and_then(|client| ConnectionManager::new_lazy_with_config(client, timeouts));
        let connection = connection.map_err(|error| tracing::error!(%error, "Redis cannot be used")).ok()?;
        Some(Self {
            connection,
            options,
            log: OnceLock::new(),
            claim: Script::new(include_str!("claim.lua")),
            put: Script::new(include_str!("put.lua")),
            started: Instant::now(),
            down_until: AtomicU64::new(0),
            is_down: AtomicBool::new(false),
        })
    }

    /// Says which log the positions of values belong to.
    pub(crate) fn begin(&self, log: &str) {
        let _ = self.log.set(log.to_owned());
    }

    /// Asks for values, each with the position of the one that was refused; -1 when none was. What is not there is to be
    /// loaded by `owner`, or by whoever was before them.
    pub(crate) async fn claim(
        &self,
        owner: &str,
        wanted: &[(Place, i64)],
    ) -> Result<Vec<Claim>, RedisFailure> {
        let mut call = self.claim.prepare_invoke();
        call.arg(owner).arg(millis(LOCKED));
        for (place, refused) in wanted {
            let key = self.key(place);
            call.key(&key).key(format!("{key}:lock")).arg(*refused);
        }
        let answers: Vec<Value> = self.run(&call).await?;
        let claim = |answer: &Value| match answer {
            Value::Int(1) => Claim::Ours,
            Value::Int(_) => Claim::Theirs,
            // What cannot be read is loaded, and replaced.
            other => Vec::<u8>::from_redis_value_ref(other)
                .ok()
                .and_then(Stored::read)
                .map_or(Claim::Ours, Claim::Found),
        };
        Ok(answers.iter().map(claim).collect())
    }

    /// Keeps values, and lets go of the locks of `owner`.
    pub(crate) async fn put(&self, owner: &str, puts: Vec<Put>) -> Result<(), RedisFailure> {
        let mut call = self.put.prepare_invoke();
        call.arg(owner);
        for Put { place, stored } in puts {
            let key = self.key(&place);
            call.key(&key).key(format!("{key}:lock"));
            match stored {
                Some((stored, ttl)) => {
                    call.arg(stored.position).arg(millis(ttl)).arg(stored.write());
                }
                None => {
                    call.arg(0).arg(0).arg("");
                }
            }
        }
        self.run(&call).await
    }

    fn key(&self, place: &Place) -> String {
        let log = self.log.get().map_or("", String::as_str);
        format!("{{{}:cache}}:{log}:{}", self.options.prefix, place.digest())
    }

    async fn run<T: FromRedisValue>(&self, call: &redis::ScriptInvocation<'_>) -> Result<T, RedisFailure> {
        let now = || millis(self.started.elapsed());
        if now() < self.down_until.load(Ordering::Relaxed) {
            return Err(RedisFailure::LeftAlone);
        }
        let mut connection = self.connection.clone();
        let answer = tokio::time::timeout(self.options.timeout, call.invoke_async(&mut connection)).await;
        let answer = match answer {
            Ok(answer) => answer.map_err(RedisFailure::from),
            Err(_) => Err(RedisFailure::TimedOut(self.options.timeout)),
        };
        if let Err(error) = &answer {
            self.down_until.store(now() + millis(LEFT_ALONE), Ordering::Relaxed);
            if !self.is_down.swap(true, Ordering::Relaxed) {
                tracing::warn!(%error, "cached values are not shared: Redis does not answer");
            }
            gauge!("pulse_cache_redis_up").set(0.0);
        } else {
            if self.is_down.swap(false, Ordering::Relaxed) {
                tracing::info!("cached values are shared through Redis again");
            }
            gauge!("pulse_cache_redis_up").set(1.0);
        }
        answer
    }
}

impl std::fmt::Debug for Redis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redis").field("options", &self.options).finish_non_exhaustive()
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
