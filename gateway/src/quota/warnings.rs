//! What a configuration says about limits and budgets that will not do what it seems to.

use std::time::Duration;

use crate::config::{CostMode, GatewayConfig, WhenUnreachable};

/// Warnings about limits and budgets, each a sentence that says what to do.
pub fn warnings(config: &GatewayConfig) -> Vec<String> {
    let GatewayConfig { cost, rate_limits, redis, request_timeout, .. } = config;
    let mut warnings = Vec::new();
    let counts = !rate_limits.is_empty() || !cost.buckets.is_empty();
    let shared = !redis.url.expose().is_empty();
    if counts && !shared {
        warnings.push(
            "gateway.rate_limits and gateway.cost.buckets are kept in each process by itself: with several processes, each \
             allows the whole of them; set gateway.redis.url (REDIS_URL) so that they share"
                .to_owned(),
        );
    }
    if cost.mode != CostMode::Enforce && !(cost.buckets.is_empty() && cost.subgraphs.is_empty()) {
        warnings.push(
            "gateway.cost.buckets and gateway.cost.subgraphs do nothing unless gateway.cost.mode is \"enforce\""
                .to_owned(),
        );
    }
    if shared && !cost.buckets.is_empty() && cost.lease < *request_timeout + Duration::from_secs(1) {
        warnings.push(
            "gateway.cost.lease is not longer than gateway.request_timeout: budgets would be given back to requests that \
             are still running; make it longer"
                .to_owned(),
        );
    }
    if shared && counts && redis.when_unreachable == WhenUnreachable::Allow {
        warnings.push(
            "gateway.redis.when_unreachable is \"allow\": nothing is limited while Redis cannot be reached; \"local\" \
             lets each process count for itself"
                .to_owned(),
        );
    }
    let mut names: Vec<&str> = rate_limits.iter().map(|rule| &*rule.name).collect();
    names.extend(cost.buckets.iter().map(|bucket| &*bucket.name));
    names.sort_unstable();
    for pair in names.windows(2).filter(|pair| pair[0] == pair[1]) {
        warnings.push(format!(
            "two limits or budgets are named {:?} and would share buckets: rename one",
            pair[0]
        ));
    }
    for rule in rate_limits.iter().filter(|rule| rule.limit == 0 || rule.window.is_zero()) {
        let name = &rule.name;
        warnings.push(format!("the rate limit {name:?} has a limit or a window of 0: give it both"));
    }
    warnings
}
