//! Tokens that nobody can guess, of which the database keeps a hash.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pulse_types::Secret;
use sha2::{Digest, Sha256};

/// What a token is for. By its prefix, scanners of leaked secrets know what they have found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// Continues a session.
    Refresh,
    /// Is sent by mail, and good once.
    OneTime,
    /// Asks somebody by mail to become a member.
    Invitation,
    /// Stands for the first of two factors until the second is shown.
    Challenge,
}

impl TokenKind {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Refresh => "pulse_rt_",
            Self::OneTime => "pulse_ot_",
            Self::Invitation => "pulse_in_",
            Self::Challenge => "pulse_sc_",
        }
    }
}

/// A new token, and what is kept of it.
pub(crate) struct RandomToken {
    /// The token, for whom it is made alone.
    pub(crate) token: Secret,
    /// What the database keeps.
    pub(crate) hash: TokenHash,
}

/// SHA-256 of a token. It needs no salt and no cost: the token has 256 random bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TokenHash([u8; 32]);

impl RandomToken {
    /// Another one each time.
    pub(crate) fn new(kind: TokenKind) -> Self {
        let random = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
        let token = Secret::new(format!("{}{random}", kind.prefix()));
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
        let (one, other) = (RandomToken::new(TokenKind::Refresh), RandomToken::new(TokenKind::Refresh));
        assert_ne!(one.token, other.token);
        assert_eq!(TokenHash::of(&one.token), one.hash);
        assert_eq!(one.token.expose().len(), TokenKind::Refresh.prefix().len() + 43);
    }
}
