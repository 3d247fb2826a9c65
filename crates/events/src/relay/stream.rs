//! The commands on the stream.

use std::time::Duration;

use pulse_types::{Change, ProcessId};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Cmd, ErrorKind, FromRedisValue, RedisError, Script, Value, cmd};

use super::{Relay, RelayError};

/// How many changes the stream keeps, about. Who is further behind reads from the log.
const KEPT: usize = 50_000;

/// How long one command may take, beside the time that it waits on purpose.
const PATIENCE: Duration = Duration::from_secs(2);

/// Takes the lease, or keeps it: whether it is ours.
const LEASE: &str = r"
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 0";

/// Lets go of the lease, if it is ours.
const RELEASE: &str = r"
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0";

/// The stream of one log, over a connection of its own.
pub(crate) struct Stream {
    connection: MultiplexedConnection,
    key: String,
    lease: String,
}

/// What a reader takes from the stream.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) position: i64,
    pub(crate) change: Change,
}

impl Stream {
    pub(crate) async fn connect(relay: &Relay, log: &str) -> Result<Self, RelayError> {
        // Commands wait on purpose; how long is looked after here.
        let config =
            AsyncConnectionConfig::new().set_connection_timeout(Some(PATIENCE)).set_response_timeout(None);
        let connection = relay.client.get_multiplexed_async_connection_with_config(&config).await?;
        Ok(Self { connection, key: relay.stream_key(log), lease: relay.lease_key(log) })
    }

    /// Takes or keeps the right to publish; whether it is ours.
    pub(super) async fn lead(&mut self, me: ProcessId, lease: Duration) -> Result<bool, RelayError> {
        let script = Script::new(LEASE);
        let mut call = script.key(&self.lease);
        call.arg(me.to_string()).arg(u64::try_from(lease.as_millis()).unwrap_or(u64::MAX));
        let ours: i64 = in_time(PATIENCE, call.invoke_async(&mut self.connection)).await?;
        Ok(ours == 1)
    }

    pub(super) async fn release(&mut self, me: ProcessId) -> Result<(), RelayError> {
        let script = Script::new(RELEASE);
        let mut call = script.key(&self.lease);
        let _: i64 = in_time(PATIENCE, call.arg(me.to_string()).invoke_async(&mut self.connection)).await?;
        Ok(())
    }

    /// The position of the stream's last entry; `None` when it is empty.
    pub(super) async fn last(&mut self) -> Result<Option<i64>, RelayError> {
        let mut command = cmd("XREVRANGE");
        command.arg(&self.key).arg("+").arg("-").arg("COUNT").arg(1);
        let answer = self.ask(&command, PATIENCE).await?;
        let Value::Array(entries) = answer else { return Err(RelayError::Malformed) };
        entries.into_iter().next().map(|entry| position(&entry)).transpose()
    }

    /// Adds changes at their positions. One that is there already, or lies behind, is left out: another publisher was
    /// quicker.
    pub(super) async fn add(&mut self, changes: &[std::sync::Arc<Change>]) -> Result<(), RelayError> {
        for change in changes {
            let text = serde_json::to_string(&**change).map_err(|_| RelayError::Malformed)?;
            let mut command = cmd("XADD");
            command.arg(&self.key).arg("MAXLEN").arg("~").arg(KEPT);
            command.arg(format!("{}-0", change.position)).arg("c").arg(text);
            match self.ask(&command, PATIENCE).await {
                Ok(_) => {}
                Err(RelayError::Redis(error)) if is_behind(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Up to `count` entries behind `position`; waits for the first one, for as long as `wait` at most.
    pub(crate) async fn read(
        &mut self,
        position: i64,
        count: usize,
        wait: Duration,
    ) -> Result<Vec<Entry>, RelayError> {
        let mut command = cmd("XREAD");
        command
            .arg("COUNT")
            .arg(count)
            .arg("BLOCK")
            .arg(u64::try_from(wait.as_millis()).unwrap_or(1_000).max(1));
        command.arg("STREAMS").arg(&self.key).arg(format!("{position}-0"));
        let streams = match self.ask(&command, wait + PATIENCE).await? {
            Value::Nil => return Ok(Vec::new()),
            Value::Array(streams) => streams,
            _ => return Err(RelayError::Malformed),
        };
        // A list of one stream, which is its key and its entries.
        let Some(Value::Array(stream)) = streams.into_iter().next() else {
            return Err(RelayError::Malformed);
        };
        let Some(Value::Array(entries)) = stream.into_iter().nth(1) else {
            return Err(RelayError::Malformed);
        };
        entries.into_iter().map(read_entry).collect()
    }

    async fn ask(&mut self, command: &Cmd, patience: Duration) -> Result<Value, RelayError> {
        in_time(patience, command.query_async(&mut self.connection)).await
    }
}

/// Whether Redis answers.
pub(super) async fn ping(relay: &Relay) -> Result<(), RelayError> {
    let config =
        AsyncConnectionConfig::new().set_connection_timeout(Some(PATIENCE)).set_response_timeout(None);
    let ping = async {
        let mut connection = relay.client.get_multiplexed_async_connection_with_config(&config).await?;
        cmd("PING").query_async::<String>(&mut connection).await
    };
    in_time(PATIENCE, ping).await.map(drop)
}

async fn in_time<T>(
    patience: Duration,
    answer: impl Future<Output = Result<T, RedisError>>,
) -> Result<T, RelayError> {
    match tokio::time::timeout(patience, answer).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(RelayError::TimedOut(patience)),
    }
}

/// Whether an entry was refused because the stream is further already.
fn is_behind(error: &RedisError) -> bool {
    matches!(error.kind(), ErrorKind::Server(_)) && error.to_string().contains("equal or smaller")
}

fn position(entry: &Value) -> Result<i64, RelayError> {
    let Value::Array(parts) = entry else { return Err(RelayError::Malformed) };
    let id = parts.first().and_then(|id| String::from_redis_value_ref(id).ok());
    let position = id.as_deref().and_then(|id| id.split_once('-')?.0.parse().ok());
    position.ok_or(RelayError::Malformed)
}

/// An entry is its id and a list of field and value.
fn read_entry(entry: Value) -> Result<Entry, RelayError> {
    let position = position(&entry)?;
    let Value::Array(parts) = entry else { return Err(RelayError::Malformed) };
    let Some(Value::Array(fields)) = parts.into_iter().nth(1) else { return Err(RelayError::Malformed) };
    let text = fields.get(1).and_then(|text| Vec::<u8>::from_redis_value_ref(text).ok());
    let change = text.and_then(|text| serde_json::from_slice::<Change>(&text).ok());
    match change {
        Some(change) if change.position == position => Ok(Entry { position, change }),
        _ => Err(RelayError::Malformed),
    }
}
