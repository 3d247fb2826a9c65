//! A delivery as it is stored.

use chrono::{DateTime, Utc};
use pulse_types::DeliveryId;
use sqlx::FromRow;

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type, async_graphql::Enum)]
#[sqlx(type_name = "text", rename_all = "UPPERCASE")]
pub(crate) enum DeliveryStatus {
    /// It waits for its first or next attempt.
    Pending,
    /// The receiver answered with a status from 200 to 299.
    Delivered,
    /// It was given up after the last attempt.
    Failed,
    /// Its webhook was paused: it is sent when somebody has it replayed.
    Held,
}

/// A row of `operations.deliveries`.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct DeliveryRow {
    pub(crate) id: DeliveryId,
    pub(crate) event_type: String,
    pub(crate) body: String,
    pub(crate) status: DeliveryStatus,
    pub(crate) attempts: i32,
    pub(crate) next_attempt_at: Option<DateTime<Utc>>,
    pub(crate) last_attempt_at: Option<DateTime<Utc>>,
    pub(crate) last_status_code: Option<i32>,
    pub(crate) last_duration_ms: Option<i32>,
    pub(crate) last_error: Option<String>,
    pub(crate) created_at: DateTime<Utc>,
}
