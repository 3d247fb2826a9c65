//! What a plan depends on beside the operation's text: the labels of progressive `@override` that are on, and what is
//! denied to the caller.

use std::collections::{BTreeSet, HashSet};
use std::hash::Hash;
use std::sync::Arc;

use hive_router_query_planner::graph::PlannerOverrideContext;
use hive_router_query_planner::planner::Planner;
use indexmap::Equivalent;

use super::authorization::Denied;
use crate::response_cache::Digest;

/// What a plan depends on beside the operation's text and name. Equal for all requests that the same plan serves, so that
/// it should hold as few different values as possible.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct PlanVariant {
    /// The labels of progressive `@override` that are on.
    pub overrides: ActiveOverrides,
    /// What the caller may not have.
    pub denied: Denied,
}

/// What a plan is kept under.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct PlanKey {
    document: String,
    name: Option<String>,
    variant: PlanVariant,
}

/// The same as a request has it; hashes alike.
#[derive(Debug, Clone, Copy, Hash)]
pub(super) struct PlanKeyRef<'a> {
    pub(super) document: &'a str,
    pub(super) name: Option<&'a str>,
    pub(super) variant: &'a PlanVariant,
}

impl PlanKey {
    pub(super) fn as_ref(&self) -> PlanKeyRef<'_> {
        PlanKeyRef { document: &self.document, name: self.name.as_deref(), variant: &self.variant }
    }
}

impl PlanKeyRef<'_> {
    /// Names all of it.
    pub(super) fn digest(&self) -> [u8; 32] {
        let mut digest = Digest::default();
        self.hash(&mut digest);
        digest.end()
    }

    pub(super) fn to_key(self) -> PlanKey {
        PlanKey {
            document: self.document.to_owned(),
            name: self.name.map(ToOwned::to_owned),
            variant: self.variant.clone(),
        }
    }
}

impl Equivalent<PlanKey> for PlanKeyRef<'_> {
    fn equivalent(&self, key: &PlanKey) -> bool {
        self.document == key.document && self.name == key.name.as_deref() && *self.variant == key.variant
    }
}

/// A share of all requests, between none and every one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Share(u64);

impl Share {
    /// All of them.
    pub const WHOLE: u64 = 10_000_000_000;

    /// A share in hundred-millionths of a per cent, as exact as composition allows.
    pub const fn of_whole(parts: u64) -> Self {
        Self(if parts < Self::WHOLE { parts } else { Self::WHOLE })
    }
}

/// The labels of progressive `@override` that a supergraph uses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OverrideLabels {
    /// Those with a name of their own.
    pub custom: BTreeSet<Arc<str>>,
    /// The shares of those of the form `percent(x)`, the smallest first.
    pub shares: BTreeSet<Share>,
}

impl OverrideLabels {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.custom.is_empty() && self.shares.is_empty()
    }

    /// Those that a planner's supergraph uses.
    pub(super) fn of(planner: &Planner) -> Self {
        let labels = &planner.supergraph.progressive_overrides;
        Self {
            custom: labels.flags.iter().map(|label| label.as_str().into()).collect(),
            shares: labels.percentages.iter().map(|percentage| Share(*percentage)).collect(),
        }
    }

    /// The labels that are on for a request: the custom ones that `is_on` says, and those of a share into which the
    /// request's own number falls, which is drawn evenly from what is below [`Share::WHOLE`].
    pub fn active(&self, drawn: Share, is_on: impl Fn(&str) -> bool) -> ActiveOverrides {
        ActiveOverrides {
            custom: self.custom.iter().filter(|label| is_on(label)).cloned().collect(),
            // All draws between two neighbouring shares mean the same plan.
            share: self.shares.iter().find(|share| drawn < **share).copied(),
        }
    }
}

/// The labels that are on. None, by default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct ActiveOverrides {
    /// In the order of the supergraph's.
    custom: Vec<Arc<str>>,
    /// The smallest share that is on; the larger ones are too.
    share: Option<Share>,
}

impl ActiveOverrides {
    pub(super) fn context(&self) -> PlannerOverrideContext {
        let flags: HashSet<String> = self.custom.iter().map(ToString::to_string).collect();
        // The planner asks whether the request's number is below a label's share.
        let drawn = self.share.map_or(Share::WHOLE, |share| share.0.saturating_sub(1));
        PlannerOverrideContext::new(flags, drawn)
    }
}
