//! The keys that secrets at rest are sealed with.

use pulse_sealing::Sealer;

use crate::exit::Failure;
use crate::settings::SecretSettings;

/// What seals and opens with the configured keys, of which there must be one.
pub fn sealer(secrets: &SecretSettings) -> Result<Sealer, Failure> {
    let key = secrets.encryption_key.as_ref().ok_or_else(|| {
        let problem = "secrets.encryption_key is not set: make one with `openssl rand -base64 32`, keep a copy of it, and set it as PULSE_ENCRYPTION_KEY";
        Failure::Setting(problem.to_owned())
    })?;
    Sealer::try_new(key, &secrets.old_encryption_keys).map_err(|error| {
        let problem = format!(
            "secrets.encryption_key (PULSE_ENCRYPTION_KEY) or one of secrets.old_encryption_keys: {error}"
        );
        Failure::Setting(problem)
    })
}
