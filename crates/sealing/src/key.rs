//! Encryption keys and what they are called.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305};
use hmac::{Hmac, Mac};
use pulse_types::Secret;
use sha2::{Digest, Sha256};

/// Keeps a key's id from being the digest of the key for any other purpose.
const ID_CONTEXT: &[u8] = b"pulse-sealing key id\0";
const DIGEST_CONTEXT: &[u8] = b"pulse-sealing digests\0";

/// The name of a key. It says nothing about the key itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyId(String);

impl KeyId {
    /// The name, 11 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Text that is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "an encryption key is 32 bytes in base64, such as `openssl rand -base64 32` makes; this one is something else"
)]
pub struct InvalidKey;

/// A key, ready to be used.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) id: KeyId,
    pub(crate) cipher: XChaCha20Poly1305,
    /// What digests are made with: another key, so that the two uses know nothing of each other.
    pub(crate) mac: Hmac<Sha256>,
}

impl Key {
    pub(crate) fn try_new(text: &Secret) -> Result<Self, InvalidKey> {
        let bytes = STANDARD.decode(text.expose().trim()).map_err(|_| InvalidKey)?;
        let cipher = XChaCha20Poly1305::new_from_slice(&bytes).map_err(|_| InvalidKey)?;
        let digest = Sha256::new().chain_update(ID_CONTEXT).chain_update(&bytes).finalize();
        let derived = Sha256::new().chain_update(DIGEST_CONTEXT).chain_update(&bytes).finalize();
        let mac = <Hmac<Sha256> as Mac>::new_from_slice(&derived).expect("HMAC takes keys of any length");
        Ok(Self { id: KeyId(URL_SAFE_NO_PAD.encode(&digest[..8])), cipher, mac })
    }
}
