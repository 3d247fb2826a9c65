//! The section `[accounts.oidc]`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use bytesize::ByteSize;
use ipnet::IpNet;
use pulse_types::Secret;
use serde::Deserialize;
use uuid::Uuid;

use super::issuer_url::{self, InvalidIssuer};

/// The section `[accounts.oidc]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OidcConfig {
    /// Pages that issuers may send people back to.
    pub redirect_uris: Vec<String>,
    /// Pages that issuers may send people to whom they have signed out.
    pub post_logout_redirect_uris: Vec<String>,
    /// How long somebody may take at the issuer.
    #[serde(with = "humantime_serde")]
    pub attempt_lifetime: Duration,
    /// How long an issuer may take for one answer.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
    /// How long such an answer may be.
    pub max_answer: ByteSize,
    /// How long an issuer's description and keys are remembered.
    #[serde(with = "humantime_serde")]
    pub remember: Duration,
    /// Whether issuers need no TLS.
    pub allow_http: bool,
    /// Networks that are not public, in which organizations may have issuers.
    pub allowed_networks: Vec<IpNet>,
    /// Ports that organizations may name; empty for all.
    pub allowed_ports: Vec<u16>,
    /// Certificates of authorities that are trusted too; empty for none.
    pub ca_file: PathBuf,
    /// Where a domain, `{domain}`, shows whose it is.
    pub domain_proof_url: String,
    /// How many issuers an organization may have.
    pub max_providers: u32,
    /// How many domains an organization may have.
    pub max_domains: u32,
    /// Issuers for everybody, by the name that the API calls them.
    pub providers: BTreeMap<String, ProviderConfig>,
}

/// A section `[accounts.oidc.providers.NAME]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderConfig {
    /// What people read on the button.
    pub name: String,
    /// The issuer, as its ID tokens name it.
    pub issuer: String,
    /// What Pulse is called there.
    pub client_id: String,
    /// What Pulse proves itself with there; none for a public client.
    #[serde(default)]
    pub client_secret: Option<Secret>,
    /// What is asked for beside `openid`.
    #[serde(default = "usual_scopes")]
    pub scopes: Vec<String>,
    /// Whether people who have no account get one.
    #[serde(default)]
    pub sign_up: bool,
    /// Whether its addresses count as verified although it does not say so.
    #[serde(default)]
    pub assumes_verified: bool,
    /// Domains of which it is trusted to say who has an address there; `*` for all.
    #[serde(default)]
    pub domains: Vec<String>,
    /// Of an issuer that speaks for many directories, such as Entra's `common` and `organizations`: the ids of those whose people
    /// may come in. Empty for an issuer that speaks for itself.
    #[serde(default)]
    pub tenants: Vec<Uuid>,
    /// Whether it is believed when it says that somebody has shown more than one factor there. Else who has a second factor here is
    /// asked for it.
    #[serde(default)]
    pub trusts_second_factor: bool,
}

/// Why the section cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InvalidOidcSettings {
    /// The name would be no id.
    #[error("accounts.oidc.providers.{0}: a name has 1 to 32 of a-z, 0-9 and -")]
    ProviderName(String),
    /// The issuer is none.
    #[error("accounts.oidc.providers.{provider}.issuer: {cause}")]
    Issuer {
        /// The name of the section.
        provider: String,
        /// What is wrong with it.
        cause: InvalidIssuer,
    },
    /// A page is no address.
    #[error("accounts.oidc.{setting}: {uri:?} is not an address without a fragment")]
    RedirectUri {
        /// The setting.
        setting: &'static str,
        /// The page.
        uri: String,
    },
    /// There is no place for the domain.
    #[error("accounts.oidc.domain_proof_url has no {{domain}}, where the domain goes, or is no address")]
    DomainProofUrl,
    /// The authorities cannot be read.
    #[error(transparent)]
    CaFile(#[from] pulse_outbound::InvalidCaFile),
}

pub(crate) fn usual_scopes() -> Vec<String> {
    ["profile", "email"].map(str::to_owned).to_vec()
}

impl OidcConfig {
    /// What cannot work is said at the start.
    pub(super) fn check(&self) -> Result<(), InvalidOidcSettings> {
        for (provider, section) in &self.providers {
            let allowed = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
            if !(1..=32).contains(&provider.len()) || !provider.bytes().all(allowed) {
                return Err(InvalidOidcSettings::ProviderName(provider.clone()));
            }
            let issuer = if section.tenants.is_empty() {
                issuer_url::of_operator(&section.issuer, self)
            } else {
                issuer_url::of_many(&section.issuer, self)
            };
            issuer.map_err(|cause| InvalidOidcSettings::Issuer { provider: provider.clone(), cause })?;
        }
        let pages = [
            ("redirect_uris", &self.redirect_uris),
            ("post_logout_redirect_uris", &self.post_logout_redirect_uris),
        ];
        for (setting, uris) in pages {
            let is_good = |uri: &&String| url::Url::parse(uri).is_ok_and(|url| url.fragment().is_none());
            if let Some(uri) = uris.iter().find(|uri| !is_good(uri)) {
                return Err(InvalidOidcSettings::RedirectUri { setting, uri: uri.clone() });
            }
        }
        let proof = self.domain_proof_url.replace("{domain}", "example.com");
        if proof == self.domain_proof_url || url::Url::parse(&proof).is_err() {
            return Err(InvalidOidcSettings::DomainProofUrl);
        }
        Ok(())
    }

    /// Whether one host that the operator has named answers for all domains. It may be inside; what a domain leads to may not.
    pub(super) fn proofs_are_in_one_place(&self) -> bool {
        let place = |domain: &str| {
            let url = url::Url::parse(&self.domain_proof_url.replace("{domain}", domain)).ok()?;
            Some((url.host_str()?.to_owned(), url.port_or_known_default()))
        };
        place("one.example").is_some() && place("one.example") == place("other.example")
    }
}

impl Default for OidcConfig {
    fn default() -> Self {
        Self {
            redirect_uris: vec!["http://localhost:3000/sign-in/callback".to_owned()],
            post_logout_redirect_uris: vec!["http://localhost:3000/".to_owned()],
            attempt_lifetime: Duration::from_mins(10),
            timeout: Duration::from_secs(10),
            max_answer: ByteSize::mb(1),
            remember: Duration::from_hours(1),
            allow_http: false,
            allowed_networks: vec![],
            allowed_ports: vec![443, 8443],
            ca_file: PathBuf::new(),
            domain_proof_url: "https://{domain}/.well-known/pulse-domain".to_owned(),
            max_providers: 10,
            max_domains: 50,
            providers: BTreeMap::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(change: impl FnOnce(&mut OidcConfig)) -> OidcConfig {
        let mut config = OidcConfig::default();
        change(&mut config);
        config
    }

    fn refusal(change: impl FnOnce(&mut OidcConfig)) -> String {
        with(change).check().expect_err("it cannot work").to_string()
    }

    #[test]
    fn what_cannot_work_is_named() {
        assert!(OidcConfig::default().check().is_ok());
        let page = |page: &str| vec![page.to_owned()];
        assert!(refusal(|config| config.redirect_uris = page("/callback")).contains("redirect_uris"));
        let fragment = page("https://app.example/#callback");
        assert!(
            refusal(|config| config.post_logout_redirect_uris = fragment)
                .contains("post_logout_redirect_uris")
        );
        let proof = |url: &str| url.to_owned();
        let nowhere = proof("https://example.com/proof");
        assert!(refusal(|config| config.domain_proof_url = nowhere).contains("{domain}"));
    }

    #[test]
    fn what_a_domain_leads_to_is_not_the_operators() {
        let one_place =
            |url: &str| with(|config| config.domain_proof_url = url.to_owned()).proofs_are_in_one_place();
        assert!(one_place("http://proofs.internal/{domain}"));
        assert!(!one_place("https://{domain}/.well-known/pulse-domain"));
        assert!(!one_place("https://proof.{domain}/"));
    }
}
