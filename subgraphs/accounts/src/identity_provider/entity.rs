//! Rows of issuers.

use chrono::{DateTime, Utc};
use pulse_types::{IdentityProviderId, Role};
use sqlx::FromRow;
use sqlx::types::Json;

use crate::oidc::{RoleMapping, RoleRules};
use crate::organization::StoredRole;

/// An issuer of the tenant's, without its secret.
#[expect(clippy::struct_excessive_bools, reason = "a column each")]
#[derive(Debug, Clone, FromRow)]
pub(crate) struct ProviderRow {
    pub(crate) id: IdentityProviderId,
    pub(crate) name: String,
    pub(crate) issuer: String,
    pub(crate) client_id: String,
    pub(crate) has_secret: bool,
    pub(crate) scopes: Vec<String>,
    pub(crate) enabled: bool,
    pub(crate) sign_up: bool,
    pub(crate) assumes_verified: bool,
    pub(crate) trusts_second_factor: bool,
    pub(crate) role_claim: Option<String>,
    pub(crate) role_mappings: Json<Vec<RoleMapping>>,
    pub(super) default_role: Option<String>,
    pub(crate) version: i64,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
}

impl ProviderRow {
    /// The role of those to whom no claim gives one.
    pub(crate) fn default_role(&self) -> Option<Role> {
        // The column's constraint allows nothing else.
        let role = self.default_role.clone().and_then(|role| StoredRole::try_from(role).ok());
        role.map(|role| role.0)
    }

    pub(super) fn rules(&self) -> RoleRules {
        RoleRules {
            claim: self.role_claim.clone(),
            mappings: self.role_mappings.0.clone(),
            default: self.default_role(),
        }
    }

    /// What may be changed of it.
    pub(super) fn settings(&self) -> ProviderSettings {
        ProviderSettings {
            name: self.name.clone(),
            issuer: self.issuer.clone(),
            client_id: self.client_id.clone(),
            scopes: self.scopes.clone(),
            enabled: self.enabled,
            sign_up: self.sign_up,
            assumes_verified: self.assumes_verified,
            trusts_second_factor: self.trusts_second_factor,
            roles: self.rules(),
        }
    }
}

/// What an organization says of an issuer, but for the secret.
#[expect(clippy::struct_excessive_bools, reason = "a setting each")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProviderSettings {
    pub(crate) name: String,
    pub(crate) issuer: String,
    pub(crate) client_id: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) enabled: bool,
    pub(crate) sign_up: bool,
    pub(crate) assumes_verified: bool,
    pub(crate) trusts_second_factor: bool,
    pub(crate) roles: RoleRules,
}
