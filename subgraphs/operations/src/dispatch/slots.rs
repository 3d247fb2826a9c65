//! How much is under way at once: in all, of one organization, and on one host.

use std::collections::HashMap;
use std::hash::Hash;

use pulse_types::OrgId;

use super::repo::Turn;
use crate::config::WebhookConfig;

/// What is under way in this process.
pub(crate) struct Slots {
    limit: usize,
    taken: usize,
    tenants: Counts<OrgId>,
    hosts: Counts<String>,
}

struct Counts<K> {
    limit: usize,
    counts: HashMap<K, usize>,
}

impl<K: Clone + Eq + Hash> Counts<K> {
    fn new(limit: usize) -> Self {
        Self { limit: limit.max(1), counts: HashMap::new() }
    }

    fn is_full(&self, key: &K) -> bool {
        self.counts.get(key).is_some_and(|count| *count >= self.limit)
    }

    fn full(&self) -> Vec<K> {
        self.counts.keys().filter(|key| self.is_full(key)).cloned().collect()
    }

    fn add(&mut self, key: &K) {
        *self.counts.entry(key.clone()).or_default() += 1;
    }

    fn remove(&mut self, key: &K) {
        if let Some(count) = self.counts.get_mut(key) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(key);
            }
        }
    }
}

impl Slots {
    pub(crate) fn new(config: &WebhookConfig) -> Self {
        Self {
            limit: config.concurrency.max(1),
            taken: 0,
            tenants: Counts::new(config.concurrency_per_organization),
            hosts: Counts::new(config.concurrency_per_host),
        }
    }

    /// How many more there may be.
    pub(crate) fn free(&self) -> usize {
        self.limit - self.taken
    }

    /// The hosts and the tenants that have as many as they may.
    pub(crate) fn full(&self) -> (Vec<String>, Vec<OrgId>) {
        (self.hosts.full(), self.tenants.full())
    }

    /// Whether there is room for a turn, which it then has.
    pub(crate) fn enter(&mut self, turn: &Turn) -> bool {
        let has_room =
            self.free() > 0 && !self.hosts.is_full(&turn.host) && !self.tenants.is_full(&turn.tenant);
        if has_room {
            self.taken += 1;
            self.hosts.add(&turn.host);
            self.tenants.add(&turn.tenant);
        }
        has_room
    }

    /// A turn has ended.
    pub(crate) fn leave(&mut self, turn: &Turn) {
        self.taken -= 1;
        self.hosts.remove(&turn.host);
        self.tenants.remove(&turn.tenant);
    }
}

#[cfg(test)]
mod tests {
    use pulse_types::WebhookId;
    use uuid::Uuid;

    use super::*;

    fn turn(tenant: u128, host: &str) -> Turn {
        Turn {
            webhook: WebhookId::from_uuid(Uuid::nil()),
            tenant: OrgId::from_uuid(Uuid::from_u128(tenant)),
            host: host.to_owned(),
            holder: Uuid::nil(),
        }
    }

    #[test]
    fn none_takes_more_than_its_share() {
        let config = WebhookConfig {
            concurrency: 4,
            concurrency_per_organization: 2,
            concurrency_per_host: 2,
            ..WebhookConfig::default()
        };
        let mut slots = Slots::new(&config);
        assert!(slots.enter(&turn(1, "a")) && slots.enter(&turn(2, "a")));
        // The host has two, and then the organization.
        assert!(!slots.enter(&turn(3, "a")));
        assert!(slots.enter(&turn(1, "b")));
        assert!(!slots.enter(&turn(1, "c")));
        let full = slots.full();
        assert_eq!(full, (vec!["a".to_owned()], vec![turn(1, "").tenant]));
        assert!(slots.enter(&turn(4, "d")));
        assert_eq!(slots.free(), 0);
        slots.leave(&turn(2, "a"));
        assert!(slots.enter(&turn(3, "a")));
    }
}
