//! Subscriptions: what changes in the graph.

mod entity;
mod entity_type;
mod relationship;

use async_graphql::Context;
use pulse_graphql::{ContextExt, Error};
use pulse_types::{Change, ChangeKind};
use serde::de::DeserializeOwned;

pub(super) use entity::EntitySubscriptions;
pub(super) use entity_type::EntityTypeSubscriptions;
pub(super) use relationship::RelationshipSubscriptions;

use super::Loaders;
use crate::history::{HistoryRow, Past};

/// What the thing was before the change, and when that ended; `None` for what is new.
async fn before<T: DeserializeOwned>(
    ctx: &Context<'_>,
    subject: &'static str,
    change: &Change,
) -> Result<Option<(T, HistoryRow)>, Error> {
    if change.kind == ChangeKind::Created {
        return Ok(None);
    }
    let past = Past { subject, id: change.key, version: change.version - 1 };
    match ctx.part::<Loaders>().past(past).await? {
        Some(row) => Ok(Some((row.read()?, row))),
        None => Ok(None),
    }
}
