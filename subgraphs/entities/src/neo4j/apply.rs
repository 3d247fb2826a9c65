//! What a range of the log does to the copy.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use pulse_types::{Change, ChangeKind, OrgId};
use serde_json::Value;
use uuid::Uuid;

use super::SUBJECTS;
use super::copy::{EntityCopy, RelationshipCopy, Work};
use crate::{entity, relationship};

/// The work of each tenant.
#[derive(Debug, Default)]
pub(super) struct Applied {
    pub(super) work: BTreeMap<OrgId, Work>,
    /// Tenants of whom changes do not say enough: from before events told confidences. Their parts are read anew.
    pub(super) unreadable: Vec<OrgId>,
}

/// Whether a change is one of the graph.
pub(super) fn is_of_graph(change: &Change) -> bool {
    change.tenant.is_some() && SUBJECTS.contains(&&*change.subject)
}

/// What these changes, which are in order, come to. Of each thing its last change counts: no walk sees what is in between.
pub(super) fn work_of(changes: &[Arc<Change>]) -> Applied {
    let mut last: HashMap<Uuid, &Change> = HashMap::new();
    for change in changes.iter().filter(|change| is_of_graph(change)) {
        last.insert(change.key, change);
    }
    let mut applied = Applied::default();
    for change in last.into_values() {
        let Some(tenant) = change.tenant else { continue };
        let work = applied.work.entry(tenant).or_default();
        if add(work, change).is_none() && !applied.unreadable.contains(&tenant) {
            applied.unreadable.push(tenant);
        }
    }
    applied
}

fn add(work: &mut Work, change: &Change) -> Option<()> {
    let id = change.key.to_string();
    let text = |name| change.attributes.get(name).and_then(Value::as_str).map(str::to_owned);
    let is_gone = change.kind == ChangeKind::Deleted;
    if *change.subject == *entity::SUBJECT {
        if is_gone {
            work.gone_entities.push(id);
        } else {
            work.entities.push(EntityCopy { id, type_name: text("type")?, version: change.version });
        }
        return Some(());
    }
    debug_assert_eq!(&*change.subject, relationship::SUBJECT);
    let (source, target) = (text("source")?, text("target")?);
    if is_gone {
        work.gone_relationships.push((id, source, target));
    } else {
        let confidence = change.attributes.get("confidence").and_then(Value::as_f64)?;
        let (type_name, version) = (text("type")?, change.version);
        work.relationships.push(RelationshipCopy { id, type_name, source, target, confidence, version });
    }
    Some(())
}
