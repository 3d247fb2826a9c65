//! Access tokens for service accounts: OAuth 2 client credentials (RFC 6749 §4.4).

mod endpoint;
mod form;
mod grant;

use std::net::IpAddr;

use async_trait::async_trait;
use pulse_types::{MachineId, Secret};
use serde::{Deserialize, Serialize};

use super::verify::MachinesUnavailable;

pub use endpoint::token_routes;
pub(crate) use grant::{LocalGrants, internal_routes};

/// Where gateways in other processes have tokens made.
pub const OAUTH_PATH: &str = "/internal/oauth-token";

/// What a service account asks for. Its secret does not travel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRequest {
    /// The service account.
    pub client: MachineId,
    /// SHA-256 of its secret.
    pub hash: [u8; 32],
    /// What the token is to be good for, as an OAuth scope; all that the account may do, if not given.
    pub scope: Option<String>,
    /// Where it is asked for, if that is known.
    #[serde(default)]
    pub address: Option<IpAddr>,
}

/// A token.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TokenGrant {
    /// The access token.
    #[serde(serialize_with = "exposed")]
    pub access_token: Secret,
    /// For how many seconds it is good.
    pub expires_in: i64,
    /// What it is good for, as an OAuth scope.
    pub scope: String,
}

/// Why there is no token. The texts are for whoever asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenRefusal {
    /// The secret is not this account's, or the account is no good any more: the two look the same.
    #[error("the client is not known, is switched off, or its secret is wrong")]
    Client,
    /// More was asked for than the account may do.
    #[error("the client may not have this scope: {0}")]
    Scope(String),
    /// Whoever tries secrets has to wait, in seconds. Who has the right one does not.
    #[error("too many attempts: try again in {0} s")]
    TooOften(i64),
}

/// Makes tokens: in this process, or elsewhere.
#[async_trait]
pub trait TokenGrants: Send + Sync + 'static {
    /// A token, or why there is none.
    async fn grant(
        &self,
        request: &TokenRequest,
    ) -> Result<Result<TokenGrant, TokenRefusal>, MachinesUnavailable>;
}

fn exposed<S: serde::Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose())
}
