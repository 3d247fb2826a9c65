//! The keys that secrets at rest are sealed with.

use pulse_sealing::Sealer;
use pulse_store::KeptAddress;

use crate::exit::Failure;
use crate::settings::{AuditAddresses, SecretSettings, Settings};

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

/// How the audit keeps addresses. Without a key, with which nothing is audited that is to be kept, there are none.
pub(super) fn kept_address(settings: &Settings) -> KeptAddress {
    match settings.privacy.audit_addresses {
        AuditAddresses::Plain => KeptAddress::Plain,
        AuditAddresses::Omitted => KeptAddress::Omitted,
        AuditAddresses::Hashed => sealer(&settings.secrets).map_or(KeptAddress::Omitted, |sealer| {
            KeptAddress::Hashed(sealer.digest("platform.audit.address", &[]))
        }),
    }
}
