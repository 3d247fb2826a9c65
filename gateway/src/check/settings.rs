//! Settings that can be and perhaps should not.

use std::net::SocketAddr;

use super::Finding;
use crate::config::{GatewayConfig, IntrospectionFor, InvalidJwtConfig, InvalidResponseCache, PlanExposure};
use crate::quota::warnings;
use crate::remote::InvalidHeaderRule;
use crate::remote::headers::ResponseHeaders;
use crate::tls::{InvalidTls, server_config};

/// Settings with which no gateway starts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnusableSettings {
    /// No token could be taken as they say.
    #[error(transparent)]
    Jwt(#[from] InvalidJwtConfig),
    /// Headers cannot be handled as they say.
    #[error(transparent)]
    Headers(#[from] InvalidHeaderRule),
    /// Answers cannot be kept as they say.
    #[error(transparent)]
    ResponseCache(#[from] InvalidResponseCache),
    /// Clients cannot come by TLS as they say.
    #[error("gateway.tls: {0}")]
    Tls(#[from] InvalidTls),
}

/// Whether a gateway could start with settings, each of which may be good by itself.
pub fn check_usable(config: &GatewayConfig) -> Result<(), UnusableSettings> {
    config.jwt.check()?;
    ResponseHeaders::try_new(config)?;
    config.response_cache.check()?;
    server_config(&config.tls)?;
    Ok(())
}

/// What is suspicious about settings of a gateway that stands alone, so that only they say who callers are.
pub fn check_standalone(config: &GatewayConfig, listen: SocketAddr) -> Vec<Finding> {
    let mut findings = Vec::new();
    let is_open = config.introspection.allow == IntrospectionFor::Everybody && !config.jwt.is_used();
    if is_open && !listen.ip().is_loopback() {
        let text = "everybody on the network may read the whole schema, as no issuer of tokens is named; write \"nobody\", \
                    or name one below [[gateway.jwt.issuers]] and write \"permitted\"";
        findings.push(Finding::warning("gateway.introspection.allow", text));
    }
    let for_anybody = config.jwt.issuers.iter().enumerate().filter(|(_, issuer)| issuer.audiences.is_empty());
    findings.extend(for_anybody.map(|(index, _)| {
        let text = "tokens that the issuer made for other services are taken too; name the `aud` of this one";
        Finding::warning(format!("gateway.jwt.issuers[{index}].audiences"), text)
    }));
    findings
}

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
    warn(
        config.not_kept_for_headers(),
        "gateway.response_cache",
        "nothing is kept of subgraphs whose headers come back to clients; drop these rules, or leave the subgraphs out",
    );
    findings.extend(warnings(config).into_iter().map(|text| Finding::warning("limits and budgets", text)));
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(settings: &str) -> GatewayConfig {
        toml::from_str(settings).unwrap()
    }

    fn suspicious(settings: &str, listen: &str) -> String {
        let findings = check_standalone(&read(settings), listen.parse().unwrap());
        findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn settings_that_no_gateway_starts_with_are_told() {
        let unusable = |settings: &str| check_usable(&read(settings)).unwrap_err().to_string();
        let problems = [
            unusable("jwt.required = true"),
            unusable("remote.headers.response = [{ propagate = \"a\", insert = \"b\" }]"),
            unusable("tls.key_file = \"key.pem\""),
            unusable("response_cache = { enabled = true, memory = \"0B\" }"),
        ];
        insta::assert_snapshot!(problems.join("\n"), @r"
        gateway.jwt.required: nobody could send a token: name an issuer below [[gateway.jwt.issuers]]
        a header rule is wrong: it sets both `propagate` and `insert`; make two rules of it
        gateway.tls: `certificate_file` and `key_file` go together; set both or none
        gateway.response_cache.memory: nothing fits in; give it some, or turn `enabled` off
        ");
        assert_eq!(check_usable(&GatewayConfig::default()), Ok(()));
    }

    #[test]
    fn a_schema_for_everybody_is_suspicious_where_nobody_signs_in() {
        insta::assert_snapshot!(suspicious("", "0.0.0.0:4000"), @r#"warning: gateway.introspection.allow: everybody on the network may read the whole schema, as no issuer of tokens is named; write "nobody", or name one below [[gateway.jwt.issuers]] and write "permitted""#);
        assert_eq!(suspicious("", "127.0.0.1:4000"), "");
        assert_eq!(suspicious("introspection.allow = \"nobody\"", "0.0.0.0:4000"), "");
    }

    #[test]
    fn tokens_for_anybody_are_suspicious() {
        let issuer = "[[jwt.issuers]]\njwks_file = \"keys.json\"";
        insta::assert_snapshot!(suspicious(issuer, "0.0.0.0:4000"), @"warning: gateway.jwt.issuers[0].audiences: tokens that the issuer made for other services are taken too; name the `aud` of this one");
        assert_eq!(suspicious(&format!("{issuer}\naudiences = [\"api\"]"), "0.0.0.0:4000"), "");
    }
}
