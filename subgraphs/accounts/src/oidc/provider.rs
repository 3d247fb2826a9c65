//! An issuer that is asked, whoever has named it.

use pulse_types::{IdentityProviderId, OrgId, Role, Secret};
use uuid::Uuid;

use super::roles::RoleRules;
use super::{OidcConfig, ProviderConfig};

/// An issuer, and what is believed of what it says.
#[derive(Debug, Clone)]
pub(crate) struct Provider {
    /// What the API calls it: an id, or a name in the settings.
    pub(crate) key: String,
    /// Whose it is; `None` for one of the settings.
    pub(crate) owner: Option<(OrgId, IdentityProviderId)>,
    pub(crate) issuer: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: Option<Secret>,
    pub(crate) scopes: Vec<String>,
    /// Whether people who have no account get one.
    pub(crate) sign_up: bool,
    /// Whether its addresses count as verified although it does not say so.
    pub(crate) assumes_verified: bool,
    /// Of one of the settings: whose addresses it is trusted to know. An organization's own has those that lead to it.
    pub(crate) domains: Vec<String>,
    pub(crate) roles: RoleRules,
    /// Of one of the settings that speaks for many directories: those whose people may come in.
    pub(crate) tenants: Vec<Uuid>,
    /// Whether it is believed about second factors.
    pub(crate) trusts_second_factor: bool,
}

impl Provider {
    /// The one of the settings that is called so.
    pub(super) fn of_settings(config: &OidcConfig, key: &str) -> Option<Self> {
        let ProviderConfig {
            name: _,
            issuer,
            client_id,
            client_secret,
            scopes,
            sign_up,
            assumes_verified,
            domains,
            tenants,
            trusts_second_factor,
        } = config.providers.get(key)?.clone();
        Some(Self {
            key: key.to_owned(),
            owner: None,
            issuer,
            client_id,
            client_secret,
            scopes,
            sign_up,
            assumes_verified,
            domains,
            roles: RoleRules::default(),
            tenants,
            trusts_second_factor,
        })
    }

    /// The organization that it speaks for, if for one alone.
    pub(crate) fn organization(&self) -> Option<OrgId> {
        self.owner.map(|(org, _)| org)
    }

    /// Who is called how at one organization's issuer says nothing about the same name at another's.
    pub(crate) fn scope(&self) -> Uuid {
        self.organization().map(OrgId::uuid).unwrap_or_default()
    }

    /// Whether the settings trust it with addresses of this domain.
    pub(crate) fn is_trusted_with(&self, domain: &str) -> bool {
        self.domains.iter().any(|trusted| trusted == "*" || trusted.eq_ignore_ascii_case(domain))
    }

    /// The role that these claims give; `None` when they give none.
    pub(crate) fn role(&self, claims: &serde_json::Value) -> Option<Role> {
        self.roles.role(claims)
    }
}
