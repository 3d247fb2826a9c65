//! Schemas of subgraphs as they are published.

mod entity;
mod error;
mod publish;
pub(crate) mod repo;
mod restore;
mod standing;

use pulse_graphql::Error;
use pulse_store::{AuditFact, Event, EventKind, Session};
use pulse_types::{CompositionId, Permission, SchemaVersionId};
use serde_json::json;

pub(crate) use entity::{PartRow, PartSdl, VersionRow, VersionState};
pub(crate) use error::VersionError;
pub(crate) use publish::{LONGEST_SDL, NewVersion, Published, publish, remove};
pub(crate) use restore::roll_back;
pub(crate) use standing::Standing;

use crate::composer::{Changes, Composer, changes};
use crate::composition;

/// What events of published schemas are about.
pub(crate) const SUBJECT: &str = "registry.schema_version";

/// One published schema.
pub(crate) async fn get(session: &Session, id: SchemaVersionId) -> Result<Option<VersionRow>, Error> {
    session.caller().require(&Permission::SCHEMA_READ)?;
    Ok(repo::find_many(session, &[id]).await?.pop())
}

/// What is different for clients between two compositions. Nothing, where one of them is not there or has no supergraph.
pub(crate) async fn compare(
    session: &Session,
    composer: &Composer,
    (from, to): (CompositionId, CompositionId),
) -> Result<Option<Changes>, Error> {
    session.caller().require(&Permission::SCHEMA_READ)?;
    let mut supergraphs = composition::repo::supergraphs(session, &[from, to]).await?;
    let (Some(to), Some(from)) = (supergraphs.get(&to).cloned(), supergraphs.remove(&from)) else {
        return Ok(None);
    };
    composer.run(move || changes(&from, &to)).await.map(Some)
}

fn published(row: &VersionRow) -> Event {
    Event {
        kind: EventKind::Created,
        subject: SUBJECT,
        key: row.id.uuid(),
        version: 1,
        changed: vec![],
        attributes: json!({
            "environment": row.environment,
            "variant": row.variant,
            "subgraph": row.subgraph,
            "state": row.state.as_str(),
        }),
        before: json!(null),
    }
}

fn fact(action: &'static str, subject: &'static str, key: uuid::Uuid) -> AuditFact {
    AuditFact { action, subject, key: Some(key), version: Some(1), items: 1 }
}
