//! Rows of machines.

use chrono::{DateTime, Utc};
use pulse_store::Reading;
use pulse_tokens::MachineKind;
use pulse_types::{MachineId, OrgId, UserId};
use serde::Serialize;
use sqlx::FromRow;

/// What kind of credential it is, as stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// Sent with each request.
    ApiKey,
    /// Exchanged for access tokens.
    ServiceAccount,
}

impl Kind {
    /// What its secrets are called.
    pub(crate) const fn secret(self) -> MachineKind {
        match self {
            Self::ApiKey => MachineKind::ApiKey,
            Self::ServiceAccount => MachineKind::ServiceAccount,
        }
    }

    /// The word that is stored.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::ApiKey => "api_key",
            Self::ServiceAccount => "service_account",
        }
    }

    /// What the audit calls it that somebody saw some.
    pub(super) const fn reading(self) -> Reading {
        let (action, again) = match self {
            Self::ApiKey => ("api-key:read", "api-key:read_again"),
            Self::ServiceAccount => ("service-account:read", "service-account:read_again"),
        };
        Reading { action, again, subject: super::SUBJECT }
    }

    /// What the audit calls something that was done to one.
    pub(super) const fn action(self, done: Done) -> &'static str {
        match (self, done) {
            (Self::ApiKey, Done::Create) => "api-key:create",
            (Self::ApiKey, Done::Update) => "api-key:update",
            (Self::ApiKey, Done::Rotate) => "api-key:rotate",
            (Self::ApiKey, Done::Revoke) => "api-key:revoke",
            (Self::ServiceAccount, Done::Create) => "service-account:create",
            (Self::ServiceAccount, Done::Update) => "service-account:update",
            (Self::ServiceAccount, Done::Rotate) => "service-account:rotate",
            (Self::ServiceAccount, Done::Revoke) => "service-account:delete",
        }
    }
}

/// What can be done to a machine.
#[derive(Debug, Clone, Copy)]
pub(super) enum Done {
    Create,
    Update,
    Rotate,
    Revoke,
}

/// An API key or a service account.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub(crate) struct MachineRow {
    pub(crate) id: MachineId,
    pub(crate) kind: Kind,
    pub(crate) name: String,
    pub(crate) maker: UserId,
    pub(crate) scopes: Vec<String>,
    pub(crate) operations: Vec<String>,
    pub(crate) client: Option<String>,
    pub(crate) networks: Vec<String>,
    pub(crate) requests_per_minute: Option<i32>,
    pub(crate) cost_per_minute: Option<i32>,
    pub(crate) enabled: bool,
    pub(crate) expires_at: Option<DateTime<Utc>>,
    pub(crate) version: i64,
    pub(crate) terms: i64,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
    pub(crate) last_used_at: Option<DateTime<Utc>>,
    pub(crate) revoked_at: Option<DateTime<Utc>>,
    /// Until when the secret before the newest one is good.
    pub(crate) previous_until: Option<DateTime<Utc>>,
}

/// What a secret leads to.
#[derive(Debug, Clone, FromRow)]
pub(super) struct FoundRow {
    pub(super) org_id: OrgId,
    pub(super) id: MachineId,
    pub(super) kind: Kind,
    pub(super) maker: UserId,
    /// The role of the person who answers for it; `None` for no member any more.
    pub(super) role: Option<String>,
    pub(super) scopes: Vec<String>,
    pub(super) operations: Vec<String>,
    pub(super) client: Option<String>,
    pub(super) networks: Vec<String>,
    pub(super) requests_per_minute: Option<i32>,
    pub(super) cost_per_minute: Option<i32>,
    pub(super) enabled: bool,
    pub(super) expires_at: Option<DateTime<Utc>>,
    pub(super) good_until: Option<DateTime<Utc>>,
    pub(super) terms: i64,
}
