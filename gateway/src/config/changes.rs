//! What differs from one configuration to the next, and what of it can change while the gateway serves.

use serde_json::Value;

use super::GatewayConfig;
use crate::gateway::Reconfigured;

/// Settings, and sections of them, that are used once when the process starts.
const FIXED: [&str; 28] = [
    "persisted_operations.environment",
    "persisted_operations.manifests",
    "jwt",
    "header_timeout",
    "connection_limit",
    "connections_per_address",
    "tls",
    "drain_delay",
    "drain_timeout",
    "remembered_credentials",
    "metrics.listen",
    "subscriptions.socket_limit",
    "subscriptions.stream_limit",
    "subscriptions.reservation_limit",
    "live_queries.limit",
    "supergraph.file_interval",
    "supergraph.poll_interval",
    "supergraph.long_poll",
    "supergraph.timeout",
    "supergraph.size_limit",
    "supergraph.authorization",
    "supergraph.signature_keys",
    "supergraph.signature_of",
    "supergraph.variant_header",
    "supergraph.variant_url",
    "supergraph.max_backoff",
    "supergraph.cache_file",
    "usage",
];

impl GatewayConfig {
    /// What changes when `new` takes this one's place. Values are not told: there may be secrets among them.
    pub(crate) fn changes_to(&self, new: &Self) -> Reconfigured {
        let tree = |config| serde_json::to_value(config).unwrap_or_default();
        let mut names = Vec::new();
        differences("", &tree(self), &tree(new), &mut names);
        let is_fixed = |name: &String| {
            FIXED.iter().any(|fixed| {
                name.strip_prefix(fixed).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            })
        };
        let (fixed, live): (Vec<_>, Vec<_>) = names.into_iter().partition(is_fixed);
        let full = |names: Vec<String>| names.into_iter().map(|name| format!("gateway.{name}")).collect();
        Reconfigured { changed: full(live), needs_restart: full(fixed) }
    }
}

fn differences(path: &str, old: &Value, new: &Value, names: &mut Vec<String>) {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            let added = new.keys().filter(|key| !old.contains_key(*key));
            for key in old.keys().chain(added) {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                let value =
                    |side: &serde_json::Map<String, Value>| side.get(key).cloned().unwrap_or_default();
                differences(&path, &value(old), &value(new), names);
            }
        }
        (old, new) if old != new => names.push(path.to_owned()),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_changes_is_named_and_what_cannot_change_live_apart() {
        let old = GatewayConfig::default();
        let mut new =
            GatewayConfig { drain_timeout: Duration::from_secs(1), query_page: false, ..old.clone() };
        new.limits.max_depth = 3;
        new.subgraph_urls.insert("books".to_owned(), "http://books/graphql".to_owned());
        let names = |names: &[&str]| names.iter().map(|name| format!("gateway.{name}")).collect::<Vec<_>>();
        let changes = old.changes_to(&new);
        assert_eq!(changes.changed, names(&["query_page", "limits.max_depth", "subgraph_urls.books"]));
        assert_eq!(changes.needs_restart, names(&["drain_timeout"]));
        assert_eq!(old.changes_to(&old), Reconfigured::default());
    }

    #[test]
    fn what_needs_a_restart_is_a_setting() {
        let tree = serde_json::to_value(GatewayConfig::default()).unwrap();
        for name in FIXED {
            assert!(name.split('.').try_fold(&tree, |tree, key| tree.get(key)).is_some(), "{name}");
        }
    }
}
