//! `@authenticated`, `@requiresScopes` and `@policy`: what a supergraph demands of callers, what an operation needs of
//! that, and operations without what a caller may not have.

mod links;
mod paths;
mod remove;
mod rules;

use std::collections::BTreeMap;

use pulse_types::{Caller, Permission};

use super::ErrorCode;
use super::schema::Schema;

pub use paths::DeniedField;
pub(super) use paths::denied_fields;
pub(super) use remove::remove;
pub(super) use rules::Rules;

/// The number of a requirement among those of its supergraph.
pub(super) type RuleId = u32;

/// Alternatives, each a list of names of which all are needed.
type Alternatives<T> = Vec<Vec<T>>;

/// What one application of the directives demands. All parts must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
struct Requirement {
    authenticated: bool,
    scopes: Option<Alternatives<Permission>>,
    policies: Option<Alternatives<String>>,
}

/// Which scopes grant a policy: any of those beside its name.
pub type PolicyScopes = BTreeMap<String, Vec<String>>;

impl Requirement {
    fn is_met_by(&self, caller: &Caller, policies: &PolicyScopes) -> bool {
        let scopes = any(self.scopes.as_ref(), |scope| caller.permissions.contains(scope));
        let granted = any(self.policies.as_ref(), |policy| has_policy(caller, policy, policies));
        (!self.authenticated || caller.is_known()) && scopes && granted
    }
}

/// Whether one of the alternatives holds as a whole, where there are any.
fn any<T>(alternatives: Option<&Alternatives<T>>, holds: impl Fn(&T) -> bool) -> bool {
    alternatives.is_none_or(|alternatives| alternatives.iter().any(|all| all.iter().all(&holds)))
}

fn has_policy(caller: &Caller, policy: &str, policies: &PolicyScopes) -> bool {
    let granted = caller.identity.as_ref().is_some_and(|identity| identity.policies.contains(policy));
    granted
        || policies.get(policy).is_some_and(|scopes| {
            scopes.iter().any(|scope| caller.permissions.contains(&Permission::from(scope.clone())))
        })
}

/// The requirements that a caller does not meet, of those that an operation has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Denied {
    /// In order.
    rules: Vec<RuleId>,
    /// Whether signing in might help.
    anonymous: bool,
}

impl Denied {
    /// What is denied to a caller; `None` when nothing is.
    pub(super) fn to(
        caller: &Caller,
        rules: &Rules,
        needed: &[RuleId],
        policies: &PolicyScopes,
    ) -> Option<Self> {
        let unmet = |id: &&RuleId| !rules.requirement(**id).is_met_by(caller, policies);
        let unmet: Vec<_> = needed.iter().filter(unmet).copied().collect();
        (!unmet.is_empty()).then(|| Self { rules: unmet, anonymous: !caller.is_known() })
    }

    /// Whether any of these requirements is among them.
    pub(super) fn has_any(&self, rules: &[RuleId]) -> bool {
        !self.rules.is_empty() && rules.iter().any(|rule| self.rules.binary_search(rule).is_ok())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// What to tell callers of this kind.
    pub(super) const fn code(&self) -> ErrorCode {
        if self.anonymous { ErrorCode::Unauthenticated } else { ErrorCode::Forbidden }
    }
}

/// The finer reason of what is denied.
pub(super) const REASON: &str = "UNAUTHORIZED_FIELD_OR_TYPE";

/// Says to a client that it may not have a field.
pub(super) fn denial(code: ErrorCode, parent: &str, field: &str) -> String {
    match code {
        ErrorCode::Unauthenticated => format!("sign in to ask for `{parent}.{field}`"),
        _ => format!("you may not ask for `{parent}.{field}`"),
    }
}

/// What a field demands when it is selected on something of the type `parent`: for the type, for itself, and for what it
/// returns.
pub(super) fn needs(rules: &Rules, schema: &Schema, parent: &str, field: &str) -> Vec<RuleId> {
    if rules.is_empty() || field.starts_with("__") {
        return Vec::new();
    }
    let mut needed: Vec<RuleId> = rules.of_type(parent).to_vec();
    needed.extend(rules.of_field(parent, field));
    let definition = schema.get(parent).and_then(|ty| ty.fields.get(field));
    needed.extend(definition.map(|definition| rules.of_type(definition.ty.name())).unwrap_or_default());
    needed
}
