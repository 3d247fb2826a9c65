//! Secrets among the settings.

use pulse_types::Secret;
use serde::Serializer;
use sha2::{Digest, Sha256};

/// Writes what tells one secret from another and not the secret itself; nothing for none.
pub(super) fn fingerprint<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    if secret.expose().is_empty() {
        return serializer.serialize_str("");
    }
    let hash: [u8; 32] = Sha256::digest(secret.expose()).into();
    let start = hash.first_chunk().expect("a SHA-256 hash has more than eight bytes");
    serializer.serialize_str(&format!("secret {:016x}", u64::from_be_bytes(*start)))
}
