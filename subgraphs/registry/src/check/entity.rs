//! A check as it is stored.

use chrono::{DateTime, Utc};
use pulse_types::{CompositionId, SchemaCheckId, SchemaOverrideId, UserId};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use sqlx::types::Json;

use crate::composer::{Criticality, Finding};

/// What came of a check, the worst that there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type, async_graphql::Enum)]
#[graphql(name = "SchemaVerdict")]
#[sqlx(type_name = "text", rename_all = "UPPERCASE")]
pub(crate) enum Verdict {
    /// Nobody notices.
    Safe,
    /// Somebody may meet what they do not expect.
    Dangerous,
    /// It breaks somebody.
    Breaking,
    /// It does not compose with the other subgraphs.
    Broken,
    /// It breaks nobody, and a rule of style that is an error.
    Lint,
}

impl Verdict {
    /// The word that is stored and told in events.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Safe => "SAFE",
            Self::Dangerous => "DANGEROUS",
            Self::Breaking => "BREAKING",
            Self::Broken => "BROKEN",
            Self::Lint => "LINT",
        }
    }

    /// Whether it may be published.
    pub(crate) const fn is_accepted(self) -> bool {
        matches!(self, Self::Safe | Self::Dangerous)
    }
}

/// A client that notices a change, by an operation of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, async_graphql::SimpleObject)]
#[graphql(name = "SchemaUser")]
pub(crate) struct User {
    /// The name of the operation; empty for one without.
    pub(crate) operation_name: String,
    /// SHA-256 of its document without values, in hexadecimal.
    pub(crate) signature: String,
    /// What the client calls itself; empty for one that does not say.
    pub(crate) client_name: String,
    /// The version that it says it is; empty for one that does not say.
    pub(crate) client_version: String,
    /// How often it was sent within the time that counts.
    pub(crate) requests: i64,
    /// The beginning of the day on which it last was; null where it is known from a manifest alone.
    pub(crate) last_seen_at: Option<DateTime<Utc>>,
    /// Whether it is in a manifest of the client.
    pub(crate) is_declared: bool,
}

/// A face of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, async_graphql::Enum)]
#[graphql(name = "SchemaSurfaceKind")]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SurfaceKind {
    /// A route of the REST API, for OpenAPI clients.
    RestRoute,
    /// An operation that a client published, which is also a URL.
    PublishedOperation,
    /// An operation that is a tool for models.
    McpTool,
}

/// Something of another face of the API that notices a change.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, async_graphql::SimpleObject,
)]
#[graphql(name = "SchemaSurface")]
pub(crate) struct Surface {
    /// Of which face.
    pub(crate) kind: SurfaceKind,
    /// What it is called there, such as `GET /users/{id}`.
    pub(crate) name: String,
}

/// A change, seen from what is in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, async_graphql::SimpleObject)]
#[graphql(name = "SchemaCheckChange")]
pub(crate) struct JudgedChange {
    /// The kind of change, such as `FIELD_REMOVED`.
    pub(crate) code: String,
    /// What it does in fact: safe where nobody who counts notices.
    pub(crate) criticality: Criticality,
    /// What it does to a client that uses what it concerns.
    pub(crate) potential: Criticality,
    /// What it concerns, such as `User.posts(first:)`.
    pub(crate) coordinate: String,
    /// What has changed.
    pub(crate) message: String,
    /// The override that lets it through; null if none does.
    pub(crate) override_id: Option<SchemaOverrideId>,
    /// Why it is let through.
    pub(crate) override_reason: Option<String>,
    /// How many operations notice.
    pub(crate) operation_count: i32,
    /// How often these were sent within the time that counts.
    pub(crate) request_count: i64,
    /// Clients that notice, those who do most often first; of very many, the first 20.
    pub(crate) users: Vec<User>,
    /// What notices it on other faces of the API, whether used or not; of very many, the first 20.
    pub(crate) surfaces: Vec<Surface>,
}

/// What is stored of a check beside its verdict.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct CheckResult {
    /// The gravest first, as far as they are kept.
    pub(crate) changes: Vec<JudgedChange>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) breaking: i32,
    pub(crate) dangerous: i32,
    pub(crate) safe: i32,
    /// Use within so many days counted.
    pub(crate) window_days: i32,
}

/// A row of `registry.checks`.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct CheckRow {
    pub(crate) id: SchemaCheckId,
    pub(crate) environment: String,
    pub(crate) variant: String,
    pub(crate) subgraph: String,
    pub(crate) against: Option<CompositionId>,
    pub(crate) verdict: Verdict,
    pub(crate) sdl_hash: String,
    pub(crate) revision: Option<String>,
    pub(crate) result: Json<CheckResult>,
    pub(crate) actor: Option<UserId>,
    pub(crate) created_at: DateTime<Utc>,
}
