//! Client applications and what they published, as they are stored.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use pulse_manifests::OperationMode;
use pulse_types::{ClientAppId, OperationManifestId, UserId};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use sqlx::types::Json;

/// How far a client is held to what it published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, async_graphql::Enum, sqlx::Type)]
#[graphql(name = "OperationMode")]
#[sqlx(type_name = "text", rename_all = "UPPERCASE")]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Mode {
    /// It may send any text; what it did not publish is counted.
    Log,
    /// It may send texts, of those that it published.
    Prefer,
    /// It sends what it published, by id alone.
    Only,
}

impl From<Mode> for OperationMode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Log => Self::Log,
            Mode::Prefer => Self::Prefer,
            Mode::Only => Self::Only,
        }
    }
}

/// A row of `registry.clients`.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub(crate) struct ClientRow {
    pub(crate) id: ClientAppId,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) mode: Option<Mode>,
    /// By environment.
    pub(crate) modes: Json<BTreeMap<String, Mode>>,
    /// By the name of the operation: what it is good for.
    pub(crate) tools: Json<BTreeMap<String, String>>,
    /// How many manifests there ever were.
    pub(crate) manifests: i64,
    pub(crate) version: i64,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
}

/// A row of `registry.manifests`.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct ManifestRow {
    pub(crate) id: OperationManifestId,
    pub(crate) client_id: ClientAppId,
    pub(crate) number: i64,
    pub(crate) label: String,
    /// The environment of the tenant's own graph that they are sent to; the API of Pulse, when there is none.
    pub(crate) environment: Option<String>,
    pub(crate) variant: Option<String>,
    pub(crate) digest: Vec<u8>,
    pub(crate) operations: i32,
    pub(crate) actor: Option<UserId>,
    pub(crate) created_at: DateTime<Utc>,
}

/// An operation of a manifest, with its text.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct OperationRow {
    pub(crate) name: String,
    pub(crate) operation_id: String,
    pub(crate) kind: String,
    pub(crate) document: String,
}

/// What a client has of its operations, as gateways are told.
#[derive(Debug, Clone, FromRow)]
pub(super) struct PublishedRow {
    pub(super) client: String,
    pub(super) name: Option<String>,
    pub(super) operation_id: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) document: Option<String>,
}
