//! What bodies are signed with, as the Standard Webhooks specification says.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pulse_types::Secret;
use rand::RngCore;

use crate::sending::signature::SECRET_PREFIX;

/// A new secret of 32 random bytes.
pub(crate) fn generate() -> Secret {
    let mut bytes = [0; 32];
    rand::rng().fill_bytes(&mut bytes);
    Secret::new(format!("{SECRET_PREFIX}{}", STANDARD.encode(bytes)))
}
