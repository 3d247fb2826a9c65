//! Variants: the schemas of one graph in an environment.

mod entity;
mod error;
pub(crate) mod repo;

use pulse_graphql::Error;
use pulse_store::{Event, EventKind, Session};
use pulse_types::Permission;
use serde_json::json;

pub(crate) use entity::VariantRow;
pub(crate) use error::VariantError;

use crate::target::Target;

/// What events of variants are about: `revision` tells of a new supergraph.
pub(crate) const SUBJECT: &str = "registry.variant";

/// One variant.
pub(crate) async fn get(
    session: &Session,
    environment: String,
    name: String,
) -> Result<Option<VariantRow>, Error<VariantError>> {
    session.caller().require(&Permission::SCHEMA_READ)?;
    let target = Target::try_new(environment, name).map_err(VariantError::from)?;
    Ok(repo::find(session, &target).await?)
}

/// That gateways have something else to serve from now on.
pub(crate) fn moved(row: &VariantRow) -> Event {
    let kind = if row.revision == 1 { EventKind::Created } else { EventKind::Updated };
    Event {
        kind,
        subject: SUBJECT,
        key: row.id.uuid(),
        version: row.revision,
        changed: vec!["current", "revision"],
        attributes: json!({ "environment": row.environment, "variant": row.name }),
        before: json!(null),
    }
}
