//! Who may look at the schema.

use pulse_types::{Caller, Permission};
use serde::{Deserialize, Serialize};

/// The section `[gateway.introspection]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct IntrospectionConfig {
    /// Who may ask for `__schema` and `__type`.
    pub allow: IntrospectionFor,
    /// The permissions or scopes of which any one is enough, where only some callers may.
    pub permissions: Vec<String>,
}

/// Who may look at the schema.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum IntrospectionFor {
    /// Everybody.
    #[default]
    Everybody,
    /// Callers with one of the permissions.
    Permitted,
    /// Nobody.
    Nobody,
}

impl IntrospectionConfig {
    /// Whether this caller may.
    pub(crate) fn allows(&self, caller: &Caller) -> bool {
        match self.allow {
            IntrospectionFor::Everybody => true,
            IntrospectionFor::Permitted => self
                .permissions
                .iter()
                .any(|name| caller.permissions.contains(&Permission::from(name.clone()))),
            IntrospectionFor::Nobody => false,
        }
    }
}
