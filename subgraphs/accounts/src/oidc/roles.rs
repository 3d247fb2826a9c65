//! Which role somebody gets by what an issuer says.

use pulse_types::Role;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A value of the claim, and the role that it gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RoleMapping {
    pub(crate) value: String,
    pub(crate) role: Role,
}

/// How roles are given. Of several values that somebody has, the one that is named first counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RoleRules {
    /// The path of the claim, with dots between.
    pub(crate) claim: Option<String>,
    pub(crate) mappings: Vec<RoleMapping>,
    /// The role of those who have none of the values; `None` to refuse them.
    pub(crate) default: Option<Role>,
}

impl RoleRules {
    /// Whether what the issuer says decides about roles at every sign-in. Otherwise the default is that of new members.
    pub(crate) fn decide(&self) -> bool {
        self.claim.is_some() && !self.mappings.is_empty()
    }

    pub(super) fn role(&self, claims: &Value) -> Option<Role> {
        let given = self.claim.as_deref().and_then(|path| find(claims, path));
        let mut mappings = self.mappings.iter();
        let matched = mappings.find(|mapping| given.is_some_and(|given| has(given, &mapping.value)));
        matched.map(|mapping| mapping.role).or(self.default)
    }
}

/// The claim at a path. A claim whose own name has dots, as a namespaced one, is found before a path through objects.
pub(super) fn find<'a>(claims: &'a Value, path: &str) -> Option<&'a Value> {
    if let Some(found) = claims.get(path) {
        return Some(found);
    }
    path.match_indices('.').find_map(|(at, _)| find(claims.get(&path[..at])?, &path[at + 1..]))
}

/// Whether a claim is this value, or a list that has it.
fn has(claim: &Value, value: &str) -> bool {
    match claim {
        Value::String(text) => text == value,
        Value::Bool(flag) => flag.to_string() == value,
        Value::Number(number) => number.to_string() == value,
        Value::Array(items) => items.iter().any(|item| !item.is_array() && has(item, value)),
        Value::Null | Value::Object(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rules(claim: &str, default: Option<Role>) -> RoleRules {
        let mapping = |value: &str, role| RoleMapping { value: value.to_owned(), role };
        let mappings = vec![mapping("staff-admins", Role::Admin), mapping("staff", Role::Member)];
        RoleRules { claim: Some(claim.to_owned()), mappings, default }
    }

    #[test]
    fn the_mapping_that_is_named_first_counts() {
        let rules = rules("groups", None);
        assert_eq!(rules.role(&json!({ "groups": ["staff", "staff-admins"] })), Some(Role::Admin));
        assert_eq!(rules.role(&json!({ "groups": "staff" })), Some(Role::Member));
        assert_eq!(rules.role(&json!({ "groups": ["Staff", ["staff"], { "staff": 1 }] })), None);
        assert_eq!(rules.role(&json!({})), None);
    }

    #[test]
    fn who_has_none_of_the_values_gets_the_default() {
        assert_eq!(rules("groups", Some(Role::Viewer)).role(&json!({ "groups": [] })), Some(Role::Viewer));
    }

    #[test]
    fn a_path_leads_through_objects_and_names_with_dots() {
        let claims = json!({
            "realm_access": { "roles": ["staff"] },
            "https://acme.example/roles": ["staff-admins"],
        });
        assert_eq!(rules("realm_access.roles", None).role(&claims), Some(Role::Member));
        assert_eq!(rules("https://acme.example/roles", None).role(&claims), Some(Role::Admin));
        assert_eq!(rules("realm_access.nothing", None).role(&claims), None);
    }

    #[test]
    fn without_mappings_roles_are_not_decided() {
        let rules = RoleRules { default: Some(Role::Viewer), ..RoleRules::default() };
        assert!(!rules.decide());
        assert_eq!(rules.role(&json!({ "groups": ["staff"] })), Some(Role::Viewer));
    }
}
