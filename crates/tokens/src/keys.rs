//! Keys of access tokens: private ones, and the public ones that are published.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ed25519_dalek::pkcs8::EncodePrivateKey;
use jsonwebtoken::EncodingKey;
use pulse_types::Secret;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::TokenError;

/// A private key that signs access tokens.
#[derive(Clone)]
pub struct SigningKey {
    public: PublicKey,
    key: ed25519_dalek::SigningKey,
    pub(crate) encoding: EncodingKey,
}

/// The public half of a key: what verifies what the other half has signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    id: String,
    x: String,
}

/// The public keys by which access tokens are verified: a JSON Web Key Set (RFC 7517).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeySet {
    pub(crate) keys: Vec<Jwk>,
}

/// A public key as a JSON Web Key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Jwk {
    kty: String,
    crv: String,
    pub(crate) x: String,
    pub(crate) kid: String,
    #[serde(rename = "use", default, skip_serializing_if = "Option::is_none")]
    usage: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    alg: Option<String>,
}

impl SigningKey {
    /// Another one each time.
    pub fn random() -> Result<Self, TokenError> {
        Self::from_seed(&rand::random())
    }

    /// The key of a seed: 32 bytes from a cryptographic source.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, TokenError> {
        let key = ed25519_dalek::SigningKey::from_bytes(seed);
        let der = key.to_pkcs8_der().map_err(|_| TokenError::SigningKey)?;
        let public = PublicKey::new(URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes()));
        Ok(Self { public, encoding: EncodingKey::from_ed_der(der.as_bytes()), key })
    }

    /// The key of a seed in base64, as settings hold it.
    pub fn from_base64(seed: &Secret) -> Result<Self, TokenError> {
        let bytes = STANDARD.decode(seed.expose().trim()).map_err(|_| TokenError::SigningKey)?;
        let seed = <[u8; 32]>::try_from(bytes).map_err(|_| TokenError::SigningKey)?;
        Self::from_seed(&seed)
    }

    /// The seed in base64, which [`SigningKey::from_base64`] makes the same key of.
    pub fn to_base64(&self) -> Secret {
        Secret::new(STANDARD.encode(self.key.to_bytes()))
    }

    /// The public half.
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }
}

impl PublicKey {
    fn new(x: String) -> Self {
        let thumbprint = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
        Self { id: URL_SAFE_NO_PAD.encode(Sha256::digest(thumbprint)), x }
    }

    /// The key that [`PublicKey::as_str`] has written.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        match URL_SAFE_NO_PAD.decode(text) {
            Ok(bytes) if bytes.len() == 32 => Ok(Self::new(text.to_owned())),
            _ => Err(TokenError::PublicKey),
        }
    }

    /// The key's 32 bytes in base64 for URLs: `x` of its JSON Web Key.
    pub fn as_str(&self) -> &str {
        &self.x
    }

    /// What tokens call it: the RFC 7638 thumbprint, 43 characters.
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl KeySet {
    /// A set of these keys.
    pub fn new<'a>(keys: impl IntoIterator<Item = &'a PublicKey>) -> Self {
        Self { keys: keys.into_iter().map(Jwk::new).collect() }
    }

    /// What tokens call them.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(|key| key.kid.as_str())
    }
}

impl Jwk {
    fn new(PublicKey { id, x }: &PublicKey) -> Self {
        Self {
            kty: "OKP".to_owned(),
            crv: "Ed25519".to_owned(),
            x: x.clone(),
            kid: id.clone(),
            usage: Some("sig".to_owned()),
            alg: Some("EdDSA".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_comes_from_a_seed_in_base64_and_from_nothing_else() {
        let key =
            SigningKey::from_base64(&Secret::new(format!("{}\n", STANDARD.encode([7; 32])))).expect("reads");
        assert_eq!(key.public(), SigningKey::from_seed(&[7; 32]).expect("a key").public());
        assert_eq!(key.to_base64().expose(), STANDARD.encode([7; 32]));
        for wrong in ["", "short", &STANDARD.encode([7; 31])] {
            assert_eq!(SigningKey::from_base64(&Secret::new(wrong)).err(), Some(TokenError::SigningKey));
        }
    }

    #[test]
    fn a_public_key_is_written_and_read() {
        let key = SigningKey::random().expect("a key");
        assert_eq!(PublicKey::parse(key.public().as_str()).as_ref(), Ok(key.public()));
        assert_eq!(PublicKey::parse("AAAA"), Err(TokenError::PublicKey));
        assert_ne!(key.public(), SigningKey::random().expect("a key").public());
    }
}
