//! All rules of a configuration, and what they say to a request.

use std::sync::Arc;
use std::time::Duration;

use pulse_types::{Clock, RequestId};

use super::bucket::Measure;
use super::key::{Asker, key};
use super::settlement::Debit;
use super::store::{Demand, Lease, Store};
use crate::config::{BucketConfig, CostMode, GatewayConfig, KeyExpression, RateLimitRule};
use crate::engine::Cost;

/// The rules that requests are held to, and the buckets that they are paid from.
pub(crate) struct Quotas {
    rules: Vec<Rule>,
    lease: Duration,
    clock: Clock,
    pub(super) store: Arc<Store>,
}

struct Rule {
    name: Arc<str>,
    key: KeyExpression,
    measure: Measure,
    counts: Counts,
    /// The quota and its window in seconds, as headers tell them.
    policy: (u64, Option<u64>),
}

/// What a rule counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counts {
    /// Requests.
    Requests,
    /// What operations cost.
    Costs,
}

/// How a bucket stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Standing {
    pub(crate) name: Arc<str>,
    pub(crate) counts: Counts,
    /// The quota.
    pub(crate) quota: u64,
    /// Its window in seconds; `None` when it is never renewed.
    pub(crate) window: Option<u64>,
    /// What is left.
    pub(crate) remaining: Cost,
    /// In how many seconds it is full again; `None` for never.
    pub(crate) full_in: Option<u64>,
}

/// Why a request cannot be paid.
#[derive(Debug)]
pub(crate) enum Shortage {
    /// It costs more than the bucket ever holds.
    TooDear { bucket: Arc<str>, capacity: Cost },
    /// The bucket holds too little now, and enough in so many seconds; `None` for never.
    Empty { rule: Standing, retry_after: Option<u64>, standings: Vec<Standing> },
    /// Nobody could say.
    Unavailable,
}

impl Quotas {
    /// The rules of a configuration, over buckets of their own.
    pub(crate) fn new(config: &GatewayConfig, clock: Clock) -> Self {
        let store = Store::new(&config.redis, config.quota_keys);
        Self { rules: rules(config), lease: config.cost.lease, clock, store: Arc::new(store) }
    }

    /// The rules of a new configuration. Buckets stay what they are, unless they move.
    pub(crate) fn changed(&self, old: &GatewayConfig, new: &GatewayConfig) -> Self {
        if (&old.redis, old.quota_keys) != (&new.redis, new.quota_keys) {
            return Self::new(new, self.clock.clone());
        }
        let (clock, store) = (self.clock.clone(), Arc::clone(&self.store));
        Self { rules: rules(new), lease: new.cost.lease, clock, store }
    }

    /// Counts a request, and debits what its operation may cost. `cost` is `None` for a request without an operation that
    /// could cost anything.
    pub(crate) async fn debit(&self, asker: &Asker<'_>, cost: Option<Cost>) -> Result<Debit, Shortage> {
        let wanted = |rule: &&Rule| rule.counts == Counts::Requests || cost.is_some();
        let own = own_rules(asker);
        self.take(self.rules.iter().chain(&own).filter(wanted).collect(), asker, cost.unwrap_or_default())
            .await
    }

    /// Debits what an event of a stream may cost.
    pub(crate) async fn debit_event(&self, asker: &Asker<'_>, cost: Cost) -> Result<Debit, Shortage> {
        let (own, counts) = (own_rules(asker), |rule: &&Rule| rule.counts == Counts::Costs);
        self.take(self.rules.iter().chain(&own).filter(counts).collect(), asker, cost).await
    }

    /// Whether anything is paid from budgets.
    pub(crate) fn has_budgets(&self, asker: &Asker<'_>) -> bool {
        let own = asker.terms.is_some_and(|terms| terms.cost_per_minute.is_some());
        own || self.rules.iter().any(|rule| rule.counts == Counts::Costs)
    }

    /// The bucket that could never pay for this, when there is one.
    pub(crate) fn too_dear(&self, asker: &Asker<'_>, cost: Cost) -> Option<Shortage> {
        let own = own_rules(asker);
        let costs = self.rules.iter().chain(&own).filter(|rule| rule.counts == Counts::Costs);
        let mut small = costs.filter(|rule| amount(cost) > rule.measure.capacity);
        small.next().map(|rule| Shortage::TooDear {
            bucket: Arc::clone(&rule.name),
            capacity: Cost::from_float(rule.measure.capacity),
        })
    }

    pub(super) fn now(&self) -> i64 {
        self.clock.now().timestamp_millis()
    }

    async fn take(&self, rules: Vec<&Rule>, asker: &Asker<'_>, cost: Cost) -> Result<Debit, Shortage> {
        if rules.is_empty() {
            return Ok(Debit::nothing());
        }
        let now = self.now();
        let demands: Vec<Demand> = rules.iter().map(|rule| rule.demand(asker, cost)).collect();
        let lease = i64::try_from(self.lease.as_millis()).unwrap_or(i64::MAX);
        let id = RequestId::new(self.clock.now()).uuid().as_u128();
        let lease = Lease { id, until: now.saturating_add(lease) };
        let taken = self.store.take(&demands, lease, now).await;
        let (outcome, place) = taken.map_err(|_| Shortage::Unavailable)?;
        let standings: Vec<Standing> =
            rules.iter().zip(&outcome.levels).map(|(rule, level)| rule.standing(*level)).collect();
        if let Some(short) = outcome.short {
            let capacity = rules[short].measure.capacity;
            if demands[short].amount > capacity {
                let (bucket, capacity) = (Arc::clone(&rules[short].name), Cost::from_float(capacity));
                return Err(Shortage::TooDear { bucket, capacity });
            }
            let short_of =
                |index: usize| rules[index].measure.wait(outcome.levels[index], demands[index].amount);
            let waits: Option<Vec<f64>> = (0..rules.len()).map(short_of).collect();
            let longest = waits.map(|waits| waits.into_iter().fold(0.0, f64::max));
            let rule = standings[short].clone();
            return Err(Shortage::Empty { rule, retry_after: longest.map(seconds), standings });
        }
        let measures = rules.iter().map(|rule| rule.measure).collect();
        Ok(Debit::made(self, (demands, measures, standings), (place, lease.id), amount(cost)))
    }
}

impl Rule {
    fn demand(&self, asker: &Asker<'_>, cost: Cost) -> Demand {
        let leased = self.counts == Counts::Costs;
        let nobody = KeyExpression::everybody();
        Demand {
            key: key(&self.name, &self.key, asker),
            shared_key: key(&self.name, &nobody, asker),
            measure: self.measure,
            amount: if leased { amount(cost) } else { amount(Cost::new(1)) },
            leased,
        }
    }

    fn standing(&self, level: f64) -> Standing {
        Standing {
            name: Arc::clone(&self.name),
            counts: self.counts,
            quota: self.policy.0,
            window: self.policy.1,
            remaining: Cost::from_float(level),
            full_in: self.measure.wait(level, self.measure.capacity).map(seconds),
        }
    }
}

impl Standing {
    /// The same bucket with another level.
    pub(super) fn at(&self, measure: Measure, level: f64) -> Self {
        let full_in = measure.wait(level, measure.capacity).map(seconds);
        Self { remaining: Cost::from_float(level), full_in, ..self.clone() }
    }
}

fn rules(config: &GatewayConfig) -> Vec<Rule> {
    let requests = config.rate_limits.iter().map(request_rule);
    let costs = config.cost.buckets.iter().filter(|_| config.cost.mode == CostMode::Enforce).map(cost_rule);
    requests.chain(costs).collect()
}

/// The limits of the asker's own credential: what a minute allows may come at once.
fn own_rules(asker: &Asker<'_>) -> Vec<Rule> {
    let Some(terms) = asker.terms else { return Vec::new() };
    let rule = |name: &str, per_minute: u64, counts| {
        let capacity = amount(Cost::new(per_minute));
        Rule {
            name: name.into(),
            key: KeyExpression::caller(),
            measure: Measure { capacity, per_millisecond: capacity / 60_000.0 },
            counts,
            policy: (per_minute, Some(60)),
        }
    };
    let requests = terms.requests_per_minute.map(|limit| rule("key-requests", limit, Counts::Requests));
    let costs = terms.cost_per_minute.map(|limit| rule("key-cost", limit, Counts::Costs));
    requests.into_iter().chain(costs).collect()
}

fn request_rule(rule: &RateLimitRule) -> Rule {
    let RateLimitRule { name, key, limit, window, burst } = rule;
    let window_ms = u64::try_from(window.as_millis()).unwrap_or(u64::MAX).max(1);
    let capacity = if *burst == 0 { *limit } else { *burst };
    Rule {
        name: name.as_str().into(),
        key: key.clone(),
        measure: Measure {
            capacity: amount(Cost::new(capacity)),
            per_millisecond: amount(Cost::new(*limit)) / amount(Cost::from_thousandths(window_ms)),
        },
        counts: Counts::Requests,
        policy: (*limit, Some(window_ms.div_ceil(1000))),
    }
}

fn cost_rule(bucket: &BucketConfig) -> Rule {
    let BucketConfig { name, key, capacity, refill_per_second } = bucket;
    let measure =
        Measure { capacity: amount(*capacity), per_millisecond: amount(*refill_per_second) / 1000.0 };
    Rule {
        name: name.as_str().into(),
        key: key.clone(),
        measure,
        counts: Counts::Costs,
        policy: (capacity.whole(), measure.wait(0.0, measure.capacity).map(seconds)),
    }
}

fn amount(cost: Cost) -> f64 {
    cost.to_float()
}

/// Whole seconds, and never none: a client that is told to wait waits.
fn seconds(milliseconds: f64) -> u64 {
    if milliseconds <= 0.0 {
        return 0;
    }
    // Thousandths of a unit and of a second are alike.
    Cost::from_float(milliseconds + 999.0).whole()
}
