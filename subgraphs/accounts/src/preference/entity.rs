//! What somebody prefers.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use sqlx::types::Json;

use crate::settings::Theme;

/// How somebody hears of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, async_graphql::Enum)]
#[serde(rename_all = "snake_case")]
#[graphql(name = "NotificationChannel")]
pub(crate) enum Channel {
    /// By mail.
    Email,
    /// On the person's devices.
    Push,
    /// Where the person works.
    InApp,
}

/// What all clients share; `None` is left to where the person acts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Shared {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) locale: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) time_zone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) theme: Option<Theme>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reduced_motion: Option<bool>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) notifications: BTreeMap<String, Vec<Channel>>,
}

/// One namespace.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct PreferencesRow {
    pub(crate) namespace: String,
    pub(crate) value: Json<serde_json::Value>,
    pub(crate) version: i64,
    pub(crate) updated_at: DateTime<Utc>,
}
