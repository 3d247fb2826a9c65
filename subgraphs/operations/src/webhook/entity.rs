//! A webhook as it is stored.

use chrono::{DateTime, Utc};
use pulse_types::WebhookId;
use sqlx::FromRow;

use super::EventFilter;

/// Whether events are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type, async_graphql::Enum)]
#[sqlx(type_name = "text", rename_all = "UPPERCASE")]
pub(crate) enum WebhookState {
    /// They are sent as they happen.
    Active,
    /// They are held until somebody resumes it, and sent when somebody has them replayed.
    Paused,
}

/// Why a webhook is paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type, async_graphql::Enum)]
#[sqlx(type_name = "text", rename_all = "UPPERCASE")]
pub(crate) enum PauseReason {
    /// Somebody paused it.
    Requested,
    /// Its receiver answered 410 Gone: it wants nothing more.
    Gone,
    /// Nothing but failures for too long.
    Failing,
}

impl PauseReason {
    /// The word that events carry.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "REQUESTED",
            Self::Gone => "GONE",
            Self::Failing => "FAILING",
        }
    }
}

/// A row of `operations.webhooks`, without its secrets.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct WebhookRow {
    pub(crate) id: WebhookId,
    pub(crate) url: String,
    pub(crate) description: String,
    #[sqlx(json)]
    pub(crate) filter: EventFilter,
    pub(crate) previous_secret_until: Option<DateTime<Utc>>,
    pub(crate) state: WebhookState,
    pub(crate) pause_reason: Option<PauseReason>,
    pub(crate) paused_at: Option<DateTime<Utc>>,
    pub(crate) failing_since: Option<DateTime<Utc>>,
    pub(crate) failed_in_row: i32,
    pub(crate) version: i64,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
}
