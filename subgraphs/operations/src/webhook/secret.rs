//! What bodies are signed with, as the Standard Webhooks specification says. Stored sealed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pulse_sealing::{OpenError, Place, Sealer};
use pulse_types::{OrgId, Secret, WebhookId};
use rand::RngCore;

use crate::sending::signature::SECRET_PREFIX;

/// A new secret of 32 random bytes.
pub(crate) fn generate() -> Secret {
    let mut bytes = [0; 32];
    rand::rng().fill_bytes(&mut bytes);
    Secret::new(format!("{SECRET_PREFIX}{}", STANDARD.encode(bytes)))
}

/// Where a webhook's secrets belong. A rotation moves the one to the column of the one before, so both have one place.
const fn place(org: OrgId, id: WebhookId) -> Place {
    Place { owner: org.uuid(), column: "operations.webhooks.secret", row: id.uuid() }
}

/// The secret as it is stored.
pub(crate) fn seal(sealer: &Sealer, secret: &Secret, (org, id): (OrgId, WebhookId)) -> String {
    sealer.seal(secret, place(org, id))
}

/// The secret of what is stored. What older versions stored in plain is taken as it is until it is sealed.
pub(crate) fn open(
    sealer: &Sealer,
    stored: &str,
    (org, id): (OrgId, WebhookId),
) -> Result<Secret, OpenError> {
    if stored.starts_with(SECRET_PREFIX) {
        return Ok(Secret::new(stored));
    }
    sealer.open(stored, place(org, id))
}
