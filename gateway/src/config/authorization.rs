//! What the supergraph demands of callers, and what becomes of operations that ask for more.

use serde::{Deserialize, Serialize};

use crate::engine::PolicyScopes;

/// The section `[gateway.authorization]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuthorizationConfig {
    /// Whether `@authenticated`, `@requiresScopes` and `@policy` are enforced.
    pub enabled: bool,
    /// What becomes of an operation that asks for what its caller may not have.
    pub mode: AuthorizationMode,
    /// Policies that scopes grant: any of a policy's scopes does.
    pub policies: PolicyScopes,
}

/// What becomes of an operation that asks for what its caller may not have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AuthorizationMode {
    /// The rest is answered; what is forbidden is null and an error, and not fetched.
    #[default]
    Filter,
    /// It is refused.
    Reject,
}

impl Default for AuthorizationConfig {
    fn default() -> Self {
        Self { enabled: true, mode: AuthorizationMode::default(), policies: PolicyScopes::new() }
    }
}
