//! The feed of changes for gateways in processes of their own: the end of the event log as lines of JSON, over HTTP.
//!
//! A gateway asks for `/internal/changes`. It is told of every change that is committed from then on, and first of what it
//! has missed: from behind its own cursor, where that is still in memory, or else that it has missed something. One who
//! begins, or has missed something, is told before that of what has happened lately to the subjects that it names.

mod serve;

use pulse_types::Change;
use serde::{Deserialize, Serialize};

pub(crate) use serve::changes;

/// Where a subgraph's process serves the feed.
pub const CHANGES_PATH: &str = "/internal/changes";

/// What a gateway asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FeedQuery {
    /// The cursor of what it heard last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Of which subjects it wants to know what happened lately; several with commas between.
    pub subjects: String,
    /// What is lately, in seconds: an hour at most.
    pub lately: u32,
}

/// One line of the feed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FeedLine {
    /// Something that happened lately, as far as a gateway has to know of it. For one who begins anew.
    Lately(Change),
    /// The feed begins anew at this cursor: anything may have changed before.
    Gap(String),
    /// The feed goes on where the gateway's cursor was.
    Resumed(String),
    /// Something changed.
    Change(Change),
    /// Nothing has changed for a moment; the process is there.
    Alive,
}
