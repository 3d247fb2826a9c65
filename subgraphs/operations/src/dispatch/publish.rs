//! From the event log to deliveries: one for each webhook that wants an event.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use pulse_events::{Consumer, ConsumerError, Handling, Tail};
use pulse_store::{Connection, Store, StoreError};
use pulse_types::{AUDIT, Change, DeliveryId, OrgId};
use tokio::sync::Notify;

use super::{payload, repo};
use crate::delivery::SUBJECT as DELIVERIES;
use crate::webhook::SUBJECT as WEBHOOK;

/// Which tenants have webhooks, so that the events of all others cost nothing.
#[derive(Default)]
struct Known {
    /// `None` until it was read, and again after changes that were not seen here.
    tenants: Option<HashSet<OrgId>>,
    /// The last position that was seen.
    position: i64,
}

impl Known {
    /// Whether the change may matter. Changes are seen in order; a gap means that another process read for a while.
    fn sees(&mut self, change: &Change) -> bool {
        if change.position > self.position + 1 {
            self.tenants = None;
        }
        self.position = change.position;
        let Some(tenant) = change.tenant else { return false };
        match &mut self.tenants {
            Some(tenants) if *change.subject == *WEBHOOK => {
                tenants.insert(tenant);
                true
            }
            Some(tenants) => tenants.contains(&tenant),
            None => true,
        }
    }
}

/// Writes a delivery for each webhook that wants an event, in the transaction that moves the group's position.
pub(crate) struct Publisher {
    store: Store,
    tail: Tail,
    known: Mutex<Known>,
    wake: Arc<Notify>,
}

impl Publisher {
    /// `wake` is told when something may be due.
    pub(crate) fn new(store: Store, tail: Tail, wake: Arc<Notify>) -> Self {
        Self { store, tail, known: Mutex::default(), wake }
    }

    /// The tenants of `changes` that have webhooks.
    async fn tenants(
        &self,
        changes: &[&Change],
        handling: &mut Handling<'_>,
    ) -> Result<HashSet<OrgId>, StoreError> {
        let of_changes: HashSet<OrgId> = changes.iter().filter_map(|change| change.tenant).collect();
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).tenants.clone();
        let known = if let Some(known) = known {
            known
        } else {
            // A webhook that is committed after this read has its event behind the changes of this batch.
            let read = repo::tenants(handling.system().await?).await?;
            self.known.lock().unwrap_or_else(PoisonError::into_inner).tenants.insert(read).clone()
        };
        Ok(of_changes.intersection(&known).copied().collect())
    }

    async fn publish(
        &self,
        connection: &mut Connection,
        tenant: OrgId,
        changes: &[&Change],
    ) -> Result<(), StoreError> {
        let now = self.store.clock().now();
        let wishes = repo::wishes(connection).await?;
        let mut new = repo::NewDeliveries::default();
        for change in changes {
            let mut body = None;
            for wish in wishes.iter().filter(|wish| wish.filter.0.wants(change)) {
                let cursor = || self.tail.cursor(change.position).map(|cursor| cursor.to_string());
                let body = body.get_or_insert_with(|| payload::of_change(change, cursor()));
                new.push(
                    DeliveryId::new(now),
                    wish,
                    change.position,
                    (payload::event_type(change), body.clone()),
                );
            }
        }
        if new.is_empty() { Ok(()) } else { new.insert(connection, tenant, now).await }
    }
}

#[async_trait]
impl Consumer for Publisher {
    fn name(&self) -> &'static str {
        "operations.webhooks"
    }

    fn wants(&self, change: &Change) -> bool {
        let may_matter = self.known.lock().unwrap_or_else(PoisonError::into_inner).sees(change);
        // Something may be due, of which perhaps another process tells; nothing is to be written for that.
        let is_own = *change.subject == *DELIVERIES;
        if is_own {
            self.wake.notify_one();
        }
        // Facts are for those who may read the audit, not for a receiver.
        may_matter && !is_own && *change.subject != *AUDIT
    }

    async fn handle(&self, changes: &[&Change], handling: &mut Handling<'_>) -> Result<(), ConsumerError> {
        let tenants = self.tenants(changes, handling).await?;
        let mut by_tenant: BTreeMap<OrgId, Vec<&Change>> = BTreeMap::new();
        for change in changes {
            if let Some(tenant) = change.tenant.filter(|tenant| tenants.contains(tenant)) {
                by_tenant.entry(tenant).or_default().push(change);
            }
        }
        for (tenant, changes) in by_tenant {
            self.publish(handling.tenant(tenant).await?, tenant, &changes).await?;
        }
        Ok(())
    }

    fn committed(&self) {
        self.wake.notify_one();
        // Deliveries that were written are told of.
        self.store.committed().notify_one();
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use pulse_types::ChangeKind;

    use super::*;

    fn change(position: i64, tenant: Option<OrgId>, subject: &str) -> Change {
        Change {
            position,
            tenant,
            kind: ChangeKind::Created,
            subject: subject.into(),
            key: uuid::Uuid::nil(),
            version: 1,
            changed: vec![],
            attributes: serde_json::Map::new(),
            before: serde_json::Map::new(),
            actor: None,
            request: None,
            at: DateTime::UNIX_EPOCH,
            facts: vec![],
        }
    }

    #[test]
    fn events_of_tenants_without_webhooks_are_passed_over_once_that_is_known() {
        let [with, without] = [1, 2].map(|n| OrgId::from_uuid(uuid::Uuid::from_u128(n)));
        let mut known = Known::default();
        assert!(known.sees(&change(1, Some(without), "a.b")));
        assert!(!known.sees(&change(2, None, "a.b")));
        known.tenants = Some(HashSet::from([with]));
        assert!(known.sees(&change(3, Some(with), "a.b")));
        assert!(!known.sees(&change(4, Some(without), "a.b")));
        // It gets its first one.
        assert!(known.sees(&change(5, Some(without), WEBHOOK)));
        assert!(known.sees(&change(6, Some(without), "a.b")));
    }

    #[test]
    fn after_a_gap_nothing_is_known() {
        let tenant = OrgId::from_uuid(uuid::Uuid::from_u128(1));
        let mut known = Known { tenants: Some(HashSet::new()), position: 7 };
        // Read again after a failure.
        assert!(!known.sees(&change(7, Some(tenant), "a.b")));
        assert!(!known.sees(&change(8, Some(tenant), "a.b")));
        assert!(known.sees(&change(10, Some(tenant), "a.b")));
    }
}
