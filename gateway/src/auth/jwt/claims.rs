//! What a verified token says, as a caller.

use std::collections::BTreeSet;
use std::sync::Arc;

use pulse_types::{Caller, Identity, Permission, RequestId, Subject};
use serde_json::{Map, Value};

use crate::config::IssuerConfig;

/// Claims that differ from token to token of the same caller, and say nothing of what they may do.
const OF_THE_TOKEN: [&str; 8] = ["exp", "iat", "nbf", "jti", "nonce", "at_hash", "c_hash", "auth_time"];

/// The caller that the claims are about.
pub(super) fn caller(config: &IssuerConfig, mut claims: Map<String, Value>, request: RequestId) -> Caller {
    let permissions = names(&claims, &config.permissions).map(Permission::from).collect();
    let policies: BTreeSet<String> = names(&claims, &config.policies).collect();
    let issuer = text(&claims, "iss").unwrap_or_else(|| config.issuer.clone());
    let subject = text(&claims, &config.subject).unwrap_or_default();
    let org = text(&claims, &config.org);
    claims.retain(|name, _| !OF_THE_TOKEN.contains(&name.as_str()));
    let identity = Identity { issuer, subject, org, policies, claims };
    Caller {
        subject: Subject::External,
        permissions,
        identity: Some(Arc::new(identity)),
        ..Caller::anonymous(request)
    }
}

/// Finds a claim: by its name, or by the names on the way to it with a dot between. Names may have dots themselves.
fn find<'c>(claims: &'c Map<String, Value>, path: &str) -> Option<&'c Value> {
    claims.get(path).or_else(|| {
        path.match_indices('.').find_map(|(at, _)| match claims.get(&path[..at]) {
            Some(Value::Object(inner)) => find(inner, &path[at + 1..]),
            _ => None,
        })
    })
}

fn text(claims: &Map<String, Value>, path: &str) -> Option<String> {
    match find(claims, path)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The names in some claims: a text with spaces between them (an OAuth `scope`, RFC 6749 §3.3), or a list.
fn names<'c>(claims: &'c Map<String, Value>, paths: &'c [String]) -> impl Iterator<Item = String> + 'c {
    paths.iter().filter_map(|path| find(claims, path)).flat_map(|value| match value {
        Value::String(text) => text.split_ascii_whitespace().map(ToOwned::to_owned).collect(),
        Value::Array(items) => {
            items.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect::<Vec<_>>()
        }
        _ => Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(config: &IssuerConfig, claims: Value) -> Caller {
        let Value::Object(claims) = claims else { unreachable!("claims are an object") };
        caller(config, claims, RequestId::new(chrono::DateTime::UNIX_EPOCH))
    }

    #[test]
    fn permissions_and_policies_come_from_texts_and_lists_also_inside_other_claims() {
        let config = IssuerConfig {
            org: "https://example.com/org".into(),
            permissions: vec!["scope".into(), "realm_access.roles".into()],
            policies: vec!["authz.rules".into()],
            ..IssuerConfig::default()
        };
        let caller = read(
            &config,
            json!({
                "iss": "https://id.example.com", "sub": "ann", "https://example.com/org": 7, "scope": "read write",
                "realm_access": { "roles": ["admin", 1] }, "authz": { "rules": ["support"] }, "exp": 1, "jti": "x",
            }),
        );
        assert_eq!(caller.permissions.to_scope(), "admin read write");
        let identity = caller.identity.unwrap();
        assert_eq!(identity.policies, BTreeSet::from(["support".to_owned()]));
        assert_eq!((identity.subject.as_str(), identity.org.as_deref()), ("ann", Some("7")));
        assert!(!identity.claims.contains_key("exp") && identity.claims.contains_key("realm_access"));
    }

    #[test]
    fn two_tokens_of_one_caller_are_one_caller() {
        let config = IssuerConfig::default();
        let first = read(&config, json!({ "sub": "ann", "scope": "a", "exp": 1, "iat": 1, "jti": "1" }));
        let second = read(&config, json!({ "sub": "ann", "scope": "a", "exp": 2, "iat": 2, "jti": "2" }));
        assert_eq!(first, second);
        for other in [json!({ "sub": "ann", "scope": "b" }), json!({ "sub": "bob", "scope": "a" })] {
            assert_ne!(first, read(&config, other));
        }
        assert_ne!(first, read(&config, json!({ "sub": "ann", "scope": "a", "policies": ["x"] })));
    }
}
