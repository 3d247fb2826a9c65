//! Writing many entities at once.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jsonschema::Validator;
use pulse_store::{Event, EventKind, StoreError, Write};
use pulse_types::{EntityId, OrgId, UserId};
use serde_json::{Value, json};

use super::row::EntityRow;
use super::{EntityDraft, SUBJECT, repo};
use crate::check::Problem;
use crate::entity_type::{self, Validators, check_properties};
use crate::saved::{Outcome, Saved};
use crate::tags;

/// The types of some drafts.
pub(crate) struct Types(HashMap<String, Arc<Validator>>);

impl Types {
    pub(crate) async fn load_in_tx(
        write: &mut Write,
        validators: &Validators,
        drafts: &[EntityDraft],
    ) -> Result<Self, StoreError> {
        let names: HashSet<&str> = drafts.iter().map(|draft| draft.type_name.as_str()).collect();
        let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        Ok(Self(entity_type::rules_in_tx(write, validators, &names).await?))
    }

    /// Whether the draft's type exists and its properties fit it.
    pub(crate) fn check(&self, draft: &EntityDraft) -> Result<(), Problem> {
        let Some(validator) = self.0.get(&draft.type_name) else {
            let text = format!(
                "there is no entity type {:?} in this organization: create it with `createEntityType`",
                draft.type_name
            );
            return Err(Problem::missing("type", text));
        };
        check_properties(validator, &draft.type_name, &draft.properties)
    }

    /// Which types of `drafts` do not exist.
    pub(crate) fn missing<'a>(&self, drafts: &'a [EntityDraft]) -> HashSet<&'a str> {
        drafts
            .iter()
            .map(|draft| draft.type_name.as_str())
            .filter(|name| !self.0.contains_key(*name))
            .collect()
    }
}

/// A draft that differs from what is stored.
pub(crate) struct Save<'a> {
    pub(super) id: EntityId,
    /// The version that it will have.
    pub(super) version: i64,
    pub(super) draft: &'a EntityDraft,
    changed: Vec<&'static str>,
    /// Whether its rows of properties are other ones from now on.
    pub(super) is_found_otherwise: bool,
    /// The type that it had, where it gets another one.
    was: Option<&'a str>,
}

/// Makes entities be as their drafts say; beside each draft stands what is stored under its key. What is so already
/// is not touched: no new version, no event.
pub(crate) async fn save_in_tx(
    write: &mut Write,
    (org, actor): (OrgId, Option<UserId>),
    items: &[(&EntityDraft, Option<&EntityRow>)],
) -> Result<Vec<Saved<EntityId>>, StoreError> {
    let now = write.now();
    let mut saved = Vec::with_capacity(items.len());
    let mut different = Vec::new();
    for (draft, row) in items {
        let (id, version, changed) = match row {
            Some(row) => (row.id, row.version, draft.changes(row)),
            None => (EntityId::new(now), 0, CREATED.to_vec()),
        };
        let outcome = match (row, changed.is_empty()) {
            (None, _) => Outcome::Created,
            (Some(_), true) => Outcome::Unchanged,
            (Some(_), false) => Outcome::Updated,
        };
        if outcome == Outcome::Unchanged {
            saved.push(Saved { id, version, outcome });
        } else {
            saved.push(Saved { id, version: version + 1, outcome });
            let was = row.map(|row| row.type_name.as_str()).filter(|name| *name != draft.type_name);
            let is_found_otherwise = changed.iter().any(|name| matches!(*name, "type" | "properties"));
            different.push(Save { id, version: version + 1, draft, changed, is_found_otherwise, was });
        }
    }
    let (created, updated): (Vec<_>, Vec<_>) = different.iter().partition(|save| save.version == 1);
    if !created.is_empty() {
        let new: Vec<_> = created.iter().map(|save| (save.id, save.draft)).collect();
        repo::insert_in_tx(write, org, &new).await?;
    }
    if !updated.is_empty() {
        repo::update_in_tx(write, actor, &updated).await?;
    }
    let indexed =
        different.iter().filter(|save| save.is_found_otherwise && !save.draft.properties.is_empty());
    let indexed: Vec<_> = indexed.map(|save| save.id).collect();
    if !indexed.is_empty() {
        repo::index_in_tx(write, &indexed).await?;
    }
    for save in different {
        let kind = if save.version == 1 { EventKind::Created } else { EventKind::Updated };
        let attributes = attributes(&save.draft.type_name, &save.draft.key);
        let before = save.was.map_or(json!(null), |name| json!({ "type": name }));
        let (key, version, changed) = (save.id.uuid(), save.version, save.changed);
        write.event(Event { kind, subject: SUBJECT, key, version, changed, attributes, before });
    }
    Ok(saved)
}

const CREATED: [&str; 6] = ["key", "type", "name", "description", "confidence", "properties"];

/// What subscribers of entities route by.
fn attributes(type_name: &str, key: &str) -> Value {
    json!({ "type": type_name, tags::KEY_HASH: tags::key_hash(key) })
}

pub(super) fn deleted(row: &EntityRow) -> Event {
    Event {
        kind: EventKind::Deleted,
        subject: SUBJECT,
        key: row.id.uuid(),
        version: row.version + 1,
        changed: vec![],
        attributes: attributes(&row.type_name, &row.key),
        before: json!(null),
    }
}
