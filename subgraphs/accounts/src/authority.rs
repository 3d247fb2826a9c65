//! What proofs are made with and checked against.

use pulse_graphql::Error;
use pulse_sealing::Sealer;
use pulse_tokens::{AccessClaims, AccessTokens};

use crate::access::Access;
use crate::passkey::Site;
use crate::user::{PasswordHashError, Passwords};
use crate::{Config, PasswordHashConfig};

/// Password hashes, access tokens, and how long what is given out lasts.
#[derive(Clone)]
pub(crate) struct Authority {
    pub(crate) passwords: Passwords,
    pub(crate) config: Config,
    /// Keeps what has to be read again.
    pub(crate) sealer: Sealer,
    /// The site that passkeys are for.
    pub(crate) site: Site,
    /// What people may, whom tokens are made for.
    pub(crate) access: Access,
    tokens: AccessTokens,
}

/// This process can verify access tokens and not make them.
#[derive(Debug, thiserror::Error)]
#[error("there is no private key to sign access tokens with")]
struct NoSigningKey;

impl Authority {
    pub(crate) fn try_new(
        (tokens, access): (AccessTokens, Access),
        (sealer, site): (Sealer, Site),
        config: Config,
    ) -> Result<Self, PasswordHashError> {
        let cost: PasswordHashConfig = config.password_hash;
        Ok(Self { passwords: Passwords::try_new(cost)?, config, sealer, site, access, tokens })
    }

    /// An access token that says `claims`.
    pub(crate) fn sign<E>(&self, claims: &AccessClaims) -> Result<String, Error<E>> {
        match self.tokens.sign(claims) {
            Some(token) => token.map_err(Error::internal),
            None => Err(Error::internal(NoSigningKey)),
        }
    }
}
