//! Callers that another issuer of tokens vouches for.

use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};

use serde::{Deserialize, Serialize};

/// Who a caller is to an issuer of tokens that is not Pulse, and what that issuer says of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Who vouches: the token's `iss`.
    pub issuer: String,
    /// The issuer's name for the caller. Names of different issuers have nothing to do with each other.
    pub subject: String,
    /// The issuer's name for the tenant or organization that the caller acts in.
    pub org: Option<String>,
    /// The policies that the issuer grants.
    pub policies: BTreeSet<String>,
    /// Everything else that the token says, but for what differs from token to token.
    pub claims: serde_json::Map<String, serde_json::Value>,
}

/// Equal identities have equal names; the rest need not be read for that.
impl Hash for Identity {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.issuer, &self.subject, &self.org).hash(state);
    }
}
