//! Writing many relationships at once.

use std::collections::HashMap;

use pulse_store::{Event, EventKind, StoreError, Write};
use pulse_types::{EntityId, OrgId, RelationshipId, UserId};
use serde_json::json;

use super::draft::Resolved;
use super::row::RelationshipRow;
use super::{SUBJECT, repo};
use crate::check;
use crate::saved::{Outcome, Saved};

/// A draft that differs from what is stored.
pub(super) struct Save<'a> {
    pub(super) id: RelationshipId,
    /// The version that it will have.
    pub(super) version: i64,
    pub(super) draft: Resolved<'a>,
    changed: Vec<&'static str>,
    /// How sure it was before, where that is different.
    was_sure: Option<f64>,
}

/// Makes relationships be as their drafts say. What is so already is not touched: no new version, no event.
pub(crate) async fn save_in_tx(
    write: &mut Write,
    (org, actor): (OrgId, Option<UserId>),
    drafts: &[Resolved<'_>],
) -> Result<Vec<Saved<RelationshipId>>, StoreError> {
    let now = write.now();
    let existing = existing_in_tx(write, drafts).await?;
    let mut saved = Vec::with_capacity(drafts.len());
    let mut different = Vec::new();
    for draft in drafts {
        let row = existing.get(&(draft.source, draft.type_name.to_owned(), draft.target));
        let was_sure = row.map(|row| row.confidence).filter(|was| was.total_cmp(&draft.confidence).is_ne());
        let (id, version, changed) = match row {
            Some(row) => (row.id, row.version, changes(draft, row)),
            None => (RelationshipId::new(now), 0, CREATED.to_vec()),
        };
        if changed.is_empty() {
            saved.push(Saved { id, version, outcome: Outcome::Unchanged });
        } else {
            let outcome = if version == 0 { Outcome::Created } else { Outcome::Updated };
            saved.push(Saved { id, version: version + 1, outcome });
            different.push(Save { id, version: version + 1, draft: *draft, changed, was_sure });
        }
    }
    let (created, updated): (Vec<_>, Vec<_>) = different.iter().partition(|save| save.version == 1);
    if !created.is_empty() {
        repo::insert_in_tx(write, org, &created).await?;
    }
    if !updated.is_empty() {
        repo::update_in_tx(write, actor, &updated).await?;
    }
    for Save { id, version, draft, changed, was_sure } in different {
        let kind = if version == 1 { EventKind::Created } else { EventKind::Updated };
        let mut event = event((kind, id, version), changed, (draft.type_name, draft.source, draft.target));
        // What walks look at besides, for who copies the graph.
        event.attributes["confidence"] = json!(draft.confidence);
        event.before = was_sure.map_or(json!(null), |was| json!({ "confidence": was }));
        write.event(event);
    }
    Ok(saved)
}

/// What saving each of the drafts would do.
pub(crate) async fn outcomes_in_tx(
    write: &mut Write,
    drafts: &[Resolved<'_>],
) -> Result<Vec<Outcome>, StoreError> {
    if drafts.is_empty() {
        return Ok(Vec::new());
    }
    let existing = existing_in_tx(write, drafts).await?;
    let outcome = |draft: &Resolved<'_>| match existing.get(&(
        draft.source,
        draft.type_name.to_owned(),
        draft.target,
    )) {
        None => Outcome::Created,
        Some(row) if changes(draft, row).is_empty() => Outcome::Unchanged,
        Some(_) => Outcome::Updated,
    };
    Ok(drafts.iter().map(outcome).collect())
}

const CREATED: [&str; 5] = ["type", "source", "target", "confidence", "properties"];

type Existing = HashMap<(EntityId, String, EntityId), RelationshipRow>;

async fn existing_in_tx(write: &mut Write, drafts: &[Resolved<'_>]) -> Result<Existing, StoreError> {
    let identities: Vec<_> =
        drafts.iter().map(|draft| (draft.source, draft.type_name, draft.target)).collect();
    let rows = repo::by_identity_in_tx(write, &identities).await?;
    Ok(rows.into_iter().map(|row| ((row.source_id, row.type_name.clone(), row.target_id), row)).collect())
}

fn changes(draft: &Resolved<'_>, row: &RelationshipRow) -> Vec<&'static str> {
    let mut changed = Vec::new();
    if draft.confidence.total_cmp(&row.confidence).is_ne() {
        changed.push("confidence");
    }
    if !row.properties.as_ref().is_some_and(|properties| check::same_object(draft.properties, properties)) {
        changed.push("properties");
    }
    changed
}

/// Ids alone, beside the type: what subscribers of an entity's surroundings route by.
pub(super) fn event(
    (kind, id, version): (EventKind, RelationshipId, i64),
    changed: Vec<&'static str>,
    (type_name, source, target): (&str, EntityId, EntityId),
) -> Event {
    let attributes = json!({ "type": type_name, "source": source, "target": target });
    Event { kind, subject: SUBJECT, key: id.uuid(), version, changed, attributes, before: json!(null) }
}
