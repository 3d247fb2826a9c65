//! Rows of sessions.

use chrono::{DateTime, Utc};
use pulse_types::{OrgId, SessionId};
use sqlx::FromRow;

/// A refresh token with the session that it continues.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct TokenRow {
    pub(crate) session_id: SessionId,
    pub(crate) organization: Option<OrgId>,
    pub(crate) expires_at: DateTime<Utc>,
    pub(crate) rotated_at: Option<DateTime<Utc>>,
    pub(crate) ended_at: Option<DateTime<Utc>>,
}

/// A session that can go on.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct SessionRow {
    pub(crate) id: SessionId,
    pub(crate) organization: Option<OrgId>,
    pub(crate) created_at: DateTime<Utc>,
    /// `None` for one that was begun before this was written down.
    pub(crate) last_used_at: Option<DateTime<Utc>>,
    pub(crate) user_agent: Option<String>,
    pub(crate) address: Option<String>,
}

/// Why a session ended, as stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EndReason {
    /// The person ended it.
    SignedOut,
    /// One of its refresh tokens came a second time.
    TokenReused,
    /// The person has another password.
    PasswordChanged,
    /// Another second factor is asked of the person, or none.
    FactorChanged,
    /// The person ended it from another one.
    Ended,
}

impl EndReason {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::SignedOut => "signed_out",
            Self::TokenReused => "token_reused",
            Self::PasswordChanged => "password_changed",
            Self::FactorChanged => "factor_changed",
            Self::Ended => "ended",
        }
    }
}
