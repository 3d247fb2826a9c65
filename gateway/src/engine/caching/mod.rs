//! `@cacheControl`: for how long, and for whom, what subgraphs answer may be kept. Worked out once for each operation, and
//! kept with its plan.

mod hints;
mod policy;

use std::collections::BTreeMap;
use std::time::Duration;

use super::SharingScope;
use super::plan::Node;

pub(super) use hints::{Hint, Hints};
pub(super) use policy::Policies;

/// For how long answers are kept of which the supergraph does not say it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unstated {
    /// Whatever is known of what they were made of.
    pub always: Duration,
    /// At most, where each change of what they were made of ends it.
    pub tracked: Duration,
}

/// What is kept of subgraphs' answers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CachingRules {
    /// Of those that are not named in `subgraphs`.
    pub others: Option<Unstated>,
    /// By name; nothing is kept of one with `None`.
    pub subgraphs: BTreeMap<String, Option<Unstated>>,
    /// The longest that anything is kept.
    pub longest: Duration,
}

impl CachingRules {
    /// The same where nobody tells of changes.
    pub(crate) fn without_changes(self) -> Self {
        let untracked =
            |rule: Option<Unstated>| rule.map(|rule| Unstated { tracked: Duration::ZERO, ..rule });
        Self {
            others: untracked(self.others),
            subgraphs: self.subgraphs.into_iter().map(|(name, rule)| (name, untracked(rule))).collect(),
            longest: self.longest,
        }
    }

    fn of(&self, subgraph: &str) -> Option<Unstated> {
        self.subgraphs.get(subgraph).copied().unwrap_or(self.others)
    }
}

/// What may be kept of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CachePolicy {
    /// For how long the supergraph, or the default where it says nothing, lets everybody keep it; clients are told so.
    pub max_age: Duration,
    /// For how long it is kept where each change of what it was made of ends that. Not shorter.
    pub tracked: Duration,
    /// By whom it is shared.
    pub scope: SharingScope,
}

impl CachePolicy {
    /// What both allow.
    #[must_use]
    pub fn narrowed(self, other: Self) -> Self {
        Self {
            max_age: self.max_age.min(other.max_age),
            tracked: self.tracked.min(other.tracked),
            scope: self.scope.min(other.scope),
        }
    }
}

/// What may be kept of the whole answer; `None` when one of its parts may not be kept.
pub(super) fn whole(plan: &Node) -> Option<CachePolicy> {
    let mut policies = plan.requests().into_iter().map(|request| request.policy);
    let first = policies.next()??;
    policies.try_fold(first, |all, policy| Some(all.narrowed(policy?)))
}
