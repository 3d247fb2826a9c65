//! Settings that can be and perhaps should not.

use std::net::SocketAddr;

use super::Finding;
use crate::config::{GatewayConfig, PlanExposure};
use crate::quota::warnings;

/// What is suspicious about settings of a gateway that listens at this address.
pub fn check_settings(config: &GatewayConfig, listen: SocketAddr) -> Vec<Finding> {
    let is_public = !listen.ip().is_loopback();
    let mut findings = Vec::new();
    let mut warn = |is_so: bool, setting: &str, text: &str| {
        if is_so {
            findings.push(Finding::warning(setting, text));
        }
    };
    warn(
        config.expose_plan == PlanExposure::All && is_public,
        "gateway.expose_plan",
        "everybody on the network may see query plans and the names of subgraphs; write \"permission:NAME\" or \"off\"",
    );
    warn(
        config.cors_origins.iter().any(|origin| origin == "*") && is_public,
        "gateway.cors_origins",
        "pages of every origin may call the API; name the origins that should",
    );
    warn(
        config.cors_origins.iter().any(|origin| origin == "*") && config.cors_origins.len() > 1,
        "gateway.cors_origins",
        "\"*\" lets every origin in, so the others mean nothing; leave out one or the others",
    );
    warn(
        config.request_timeout < config.remote.timeout,
        "gateway.request_timeout",
        "it is shorter than gateway.remote.timeout, so a slow subgraph ends the whole request instead of its part of the answer",
    );
    warn(
        config.drain_timeout.is_zero(),
        "gateway.drain_timeout",
        "requests under way are broken off when the gateway stops; give them as long as they take",
    );
    warn(
        config.limits.plan_cache_size == 0,
        "gateway.limits.plan_cache_size",
        "each request is planned anew; keep some thousands of plans",
    );
    warn(
        config.limits.planning_queue == 0,
        "gateway.limits.planning_queue",
        "no operation is ever planned; let some hundreds wait",
    );
    findings.extend(warnings(config).into_iter().map(|text| Finding::warning("limits and budgets", text)));
    findings
}
