//! What can go wrong with an issuer.

use openidconnect::{ClaimsVerificationError, DiscoveryError};

use super::http::HttpError;

/// Who an issuer says that somebody is.
#[derive(Debug, Clone)]
pub(crate) struct Claimed {
    /// The issuer; of one that speaks for many directories, that of the person's own.
    pub(crate) issuer: String,
    /// What it calls the person: never another one.
    pub(crate) subject: String,
    pub(crate) email: Option<String>,
    /// Whether it says that the person gets mail there.
    pub(crate) email_verified: bool,
    pub(crate) name: Option<String>,
    /// Everything that it says.
    pub(crate) all: serde_json::Value,
}

/// How issuers say that somebody has shown more than one factor: RFC 8176 in `amr`, OpenID's EAP and PAPE, and Okta, in `acr`.
const METHOD: &str = "mfa";
const CLASSES: [&str; 4] =
    ["phr", "phrh", "http://schemas.openid.net/pape/policies/2007/06/multi-factor", "urn:okta:loa:2fa:any"];

impl Claimed {
    /// Whether the issuer says that the person has shown more than one factor there.
    pub(crate) fn states_second_factor(&self) -> bool {
        let text = |claim: &str| self.all.get(claim).and_then(serde_json::Value::as_str);
        let methods = self.all.get("amr").and_then(serde_json::Value::as_array);
        let by_method = methods.is_some_and(|all| all.iter().any(|method| method == METHOD));
        by_method || text("acr").is_some_and(|class| CLASSES.contains(&class))
    }
}

/// Why an issuer did not say who somebody is. The texts are shown; what says more goes into the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum IssuerError {
    /// Nothing comes from there.
    #[error("the issuer at {address} does not answer: try again later ({cause})")]
    Down { address: String, cause: String },
    /// Something comes that is not what was asked for.
    #[error("{url} answers with the status {status}")]
    Status { url: String, status: u16 },
    /// What it says of itself is not what an issuer says.
    #[error("the issuer's description of itself cannot be used")]
    Description,
    /// It describes another issuer.
    #[error("the issuer does not describe itself as the one that is named: {0}")]
    AnotherIssuer(String),
    /// The browser comes from another issuer than it was sent to.
    #[error("this answer is from another issuer than the one that was asked: start again")]
    MixedUp,
    /// It does not take the code.
    #[error("the issuer did not take the code ({0}): start again")]
    Code(String),
    /// There is nothing that it signed.
    #[error("the issuer gave no ID token")]
    NoIdToken,
    /// What it signed is not for us, not for now, or not signed by it.
    #[error("the issuer's ID token is not good: {0}")]
    IdToken(&'static str),
    /// What it says elsewhere is not about the same person.
    #[error("what the issuer says of the person cannot be used")]
    UserInfo,
}

impl IssuerError {
    pub(super) fn down(address: &str, error: &HttpError) -> Self {
        Self::Down { address: address.to_owned(), cause: error.to_string() }
    }

    pub(super) fn of_discovery(issuer: &str, error: &DiscoveryError<HttpError>) -> Self {
        match error {
            DiscoveryError::Request(error) => Self::down(issuer, error),
            DiscoveryError::Response(status, _, _) => {
                Self::Status { url: issuer.to_owned(), status: status.as_u16() }
            }
            DiscoveryError::Validation(text) => Self::AnotherIssuer(text.chars().take(300).collect()),
            other => {
                tracing::info!(issuer, error = %other, "an issuer's description cannot be used");
                Self::Description
            }
        }
    }

    /// A text for each check, without what the token says.
    pub(super) fn of_claims(error: &ClaimsVerificationError) -> Self {
        Self::IdToken(match error {
            ClaimsVerificationError::Expired(_) => "its time is over, or has not begun",
            ClaimsVerificationError::InvalidAudience(_) => "it is for another client",
            ClaimsVerificationError::InvalidIssuer(_) => "it is from another issuer",
            ClaimsVerificationError::InvalidNonce(_) => "it answers another request",
            ClaimsVerificationError::SignatureVerification(_) => "the issuer has not signed it",
            _ => "it is not as it must be",
        })
    }
}
