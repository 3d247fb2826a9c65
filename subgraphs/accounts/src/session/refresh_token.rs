//! Refresh tokens.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pulse_types::Secret;
use sha2::{Digest, Sha256};

/// By this, scanners of leaked secrets know what they have found.
const PREFIX: &str = "pulse_rt_";

/// A new refresh token, and what is kept of it.
pub(crate) struct RefreshToken {
    /// The token, for the client alone.
    pub(crate) token: Secret,
    /// What the database keeps.
    pub(crate) hash: TokenHash,
}

/// SHA-256 of a refresh token. It needs no salt and no cost: the token has 256 random bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TokenHash([u8; 32]);

impl RefreshToken {
    /// A token that nobody can guess.
    pub(crate) fn random() -> Self {
        let random = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
        let token = Secret::new(format!("{PREFIX}{random}"));
        Self { hash: TokenHash::of(&token), token }
    }
}

impl TokenHash {
    /// The hash of what a client has sent.
    pub(crate) fn of(token: &Secret) -> Self {
        Self(Sha256::digest(token.expose().as_bytes()).into())
    }

    /// The hash, for SQL parameters.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_token_is_another() {
        let (one, other) = (RefreshToken::random(), RefreshToken::random());
        assert_ne!(one.token, other.token);
        assert_eq!(TokenHash::of(&one.token), one.hash);
        assert_eq!(one.token.expose().len(), PREFIX.len() + 43);
    }
}
