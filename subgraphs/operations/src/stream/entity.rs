//! A stream as gateways reported it.

use chrono::{DateTime, Utc};
use pulse_types::{MachineId, SessionId, StreamId, UserId};
use sqlx::FromRow;

/// What a stream is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type, async_graphql::Enum)]
#[graphql(name = "LiveStreamKind")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum StreamType {
    /// A subscription's events.
    Subscription,
    /// A query with `@live`, which is answered again and again.
    LiveQuery,
}

/// A row of `operations.streams`.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct StreamRow {
    pub(crate) id: StreamId,
    pub(crate) person: Option<UserId>,
    pub(crate) machine: Option<MachineId>,
    pub(crate) session: Option<SessionId>,
    pub(crate) kind: StreamType,
    pub(crate) transport: String,
    pub(crate) operation: Option<String>,
    pub(crate) hash: String,
    pub(crate) opened_at: DateTime<Utc>,
}
