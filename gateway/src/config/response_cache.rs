//! Answers that are kept.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytesize::ByteSize;
use serde::{Deserialize, Serialize};

use super::GatewayConfig;
use crate::engine::{CachingRules, Unstated};

/// The section `[gateway.response_cache]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ResponseCacheConfig {
    /// Whether answers are kept.
    pub enabled: bool,
    /// How much memory they may take in this process, about.
    pub memory: ByteSize,
    /// How large one may be; a larger one is not kept.
    pub entry_limit: ByteSize,
    /// For how long that is kept of which the supergraph does not say it.
    #[serde(with = "humantime_serde")]
    pub default_ttl: Duration,
    /// The same where each change of what it was made of ends it.
    #[serde(with = "humantime_serde")]
    pub tracked_ttl: Duration,
    /// The longest that anything is kept, whatever the supergraph says.
    #[serde(with = "humantime_serde")]
    pub max_ttl: Duration,
    /// How many things that an answer was made of are told apart. Of one made of more, any change of the same types of
    /// things in the tenant ends it.
    pub max_tags: usize,
    /// Whether clients may send `Cache-Control: no-cache` for a new answer, and `no-store` for one that is not kept.
    pub client_directives: bool,
    /// Whether answers are kept in `gateway.redis` too, where that is configured.
    pub redis: bool,
    /// What differs for subgraphs, by name.
    pub subgraphs: BTreeMap<String, SubgraphCacheConfig>,
}

/// What differs for one subgraph.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct SubgraphCacheConfig {
    /// Whether its answers are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// For how long that is kept of which the supergraph does not say it.
    #[serde(with = "humantime_serde", skip_serializing_if = "Option::is_none")]
    pub default_ttl: Option<Duration>,
    /// The same where each change of what it was made of ends it.
    #[serde(with = "humantime_serde", skip_serializing_if = "Option::is_none")]
    pub tracked_ttl: Option<Duration>,
}

/// Settings by which nothing could be kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidResponseCache {
    /// There is no room.
    #[error("gateway.response_cache.{0}: nothing fits in; give it some, or turn `enabled` off")]
    NoRoom(&'static str),
    /// One answer would not fit.
    #[error(
        "gateway.response_cache.entry_limit: it is larger than `memory`; make it smaller, or that larger"
    )]
    TooLarge,
    /// A time is longer than the longest.
    #[error(
        "gateway.response_cache.{0}: it is longer than `max_ttl`, so that it never holds; shorten it or lengthen that"
    )]
    TooLong(String),
}

impl Default for ResponseCacheConfig {
    fn default() -> Self {
        Self {
            enabled: false,
            memory: ByteSize::mb(64),
            entry_limit: ByteSize::mb(1),
            default_ttl: Duration::ZERO,
            tracked_ttl: Duration::ZERO,
            max_ttl: Duration::from_hours(1),
            max_tags: 1_000,
            client_directives: true,
            redis: true,
            subgraphs: BTreeMap::new(),
        }
    }
}

impl ResponseCacheConfig {
    /// Whether anything could be kept by these settings.
    pub(crate) fn check(&self) -> Result<(), InvalidResponseCache> {
        if !self.enabled {
            return Ok(());
        }
        let room = [
            ("memory", self.memory.as_u64() == 0),
            ("entry_limit", self.entry_limit.as_u64() == 0),
            ("max_ttl", self.max_ttl.is_zero()),
            ("max_tags", self.max_tags == 0),
        ];
        if let Some((setting, _)) = room.into_iter().find(|(_, is_empty)| *is_empty) {
            return Err(InvalidResponseCache::NoRoom(setting));
        }
        if self.entry_limit > self.memory {
            return Err(InvalidResponseCache::TooLarge);
        }
        let own = self.subgraphs.iter().flat_map(|(name, own)| {
            let named = |setting: &str| format!("subgraphs.{name}.{setting}");
            [(named("default_ttl"), own.default_ttl), (named("tracked_ttl"), own.tracked_ttl)]
        });
        let all = [("default_ttl", self.default_ttl), ("tracked_ttl", self.tracked_ttl)];
        let all = all.map(|(setting, ttl)| (setting.to_owned(), Some(ttl)));
        let too_long = all.into_iter().chain(own).find(|(_, ttl)| ttl.is_some_and(|ttl| ttl > self.max_ttl));
        too_long.map_or(Ok(()), |(setting, _)| Err(InvalidResponseCache::TooLong(setting)))
    }
}

impl GatewayConfig {
    /// What is kept of subgraphs' answers. Nothing of those whose headers come back to clients: they would be missing.
    pub(crate) fn caching_rules(&self) -> Option<CachingRules> {
        let ResponseCacheConfig { enabled, default_ttl, tracked_ttl, max_ttl, subgraphs, .. } =
            &self.response_cache;
        if !enabled {
            return None;
        }
        let all = Unstated { always: *default_ttl, tracked: *tracked_ttl };
        let rule = |name: &str| {
            let own = subgraphs.get(name).cloned().unwrap_or_default();
            let is_kept = own.enabled.unwrap_or(true) && self.remote_for(name).headers.response.is_empty();
            is_kept.then(|| Unstated {
                always: own.default_ttl.unwrap_or(all.always),
                tracked: own.tracked_ttl.unwrap_or(all.tracked),
            })
        };
        let named: BTreeSet<_> = subgraphs.keys().chain(self.subgraphs.keys()).collect();
        Some(CachingRules {
            others: self.remote.headers.response.is_empty().then_some(all),
            subgraphs: named.into_iter().map(|name| (name.clone(), rule(name))).collect(),
            longest: *max_ttl,
        })
    }

    /// Subgraphs whose answers are to be kept and cannot be, as headers of them come back to clients.
    pub(crate) fn not_kept_for_headers(&self) -> bool {
        let rules = || {
            let own = self.subgraphs.keys().map(|name| self.remote_for(name).headers.response);
            own.chain([self.remote.headers.response.clone()]).any(|rules| !rules.is_empty())
        };
        self.response_cache.enabled && rules()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(settings: &str) -> String {
        let config: ResponseCacheConfig = toml::from_str(settings).unwrap();
        config.check().unwrap_err().to_string()
    }

    #[test]
    fn settings_by_which_nothing_is_kept_are_refused() {
        let refused = [
            refused("enabled = true\nmemory = \"0B\""),
            refused("enabled = true\nmemory = \"1kB\""),
            refused("enabled = true\ndefault_ttl = \"2h\""),
            refused("enabled = true\nsubgraphs.books.tracked_ttl = \"2h\""),
        ];
        insta::assert_snapshot!(refused.join("\n"), @r"
        gateway.response_cache.memory: nothing fits in; give it some, or turn `enabled` off
        gateway.response_cache.entry_limit: it is larger than `memory`; make it smaller, or that larger
        gateway.response_cache.default_ttl: it is longer than `max_ttl`, so that it never holds; shorten it or lengthen that
        gateway.response_cache.subgraphs.books.tracked_ttl: it is longer than `max_ttl`, so that it never holds; shorten it or lengthen that
        ");
        assert_eq!(ResponseCacheConfig::default().check(), Ok(()));
    }

    #[test]
    fn a_subgraph_differs_in_what_it_says() {
        let config: GatewayConfig = toml::from_str(
            "[response_cache]\nenabled = true\ndefault_ttl = \"5s\"\nsubgraphs.a.tracked_ttl = \"9s\"\n\
             subgraphs.b.enabled = false\n[subgraphs.c.headers]\nresponse = [{ propagate = \"x-a\" }]",
        )
        .unwrap();
        let rules = config.caching_rules().unwrap();
        let seconds = Duration::from_secs;
        let unstated =
            |always, tracked| Some(Unstated { always: seconds(always), tracked: seconds(tracked) });
        assert_eq!(rules.others, unstated(5, 0));
        assert_eq!(rules.subgraphs["a"], unstated(5, 9));
        assert_eq!((rules.subgraphs["b"], rules.subgraphs["c"]), (None, None));
        assert_eq!(GatewayConfig::default().caching_rules(), None);
    }
}
