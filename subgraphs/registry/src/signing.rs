//! Signatures of supergraphs: who follows a registry through others, such as a proxy or a file store, knows by them that it has
//! what the registry composed for that variant.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer, SigningKey};
use pulse_sealing::Sealer;
use pulse_types::OrgId;

/// Signs as a tenant's registry. The keys follow from the key that secrets are sealed with: nothing is stored, and another
/// encryption key makes other keys.
#[derive(Clone)]
pub(crate) struct Signing(Sealer);

impl Signing {
    pub(crate) const fn new(sealer: Sealer) -> Self {
        Self(sealer)
    }

    fn key(&self, org: OrgId) -> SigningKey {
        SigningKey::from_bytes(&self.0.digest("registry.supergraph", &[&org.to_string()]))
    }

    /// The key that verifies what the tenant's registry signs: Ed25519, 32 bytes in base64.
    pub(crate) fn public_key(&self, org: OrgId) -> String {
        STANDARD.encode(self.key(org).verifying_key().as_bytes())
    }

    /// The signature of a supergraph, by what it is for and its hash: Ed25519, in base64.
    pub(crate) fn sign(&self, org: OrgId, (environment, variant): (&str, &str), hash: &str) -> String {
        let message = format!("pulse-supergraph-1\n{environment}/{variant}\n{hash}");
        STANDARD.encode(self.key(org).sign(message.as_bytes()).to_bytes())
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signature, Verifier, VerifyingKey};
    use pulse_types::{Clock, Secret};

    use super::*;

    #[test]
    fn a_signature_is_of_one_tenant_variant_and_supergraph() {
        let key = Secret::new("AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=");
        let signing = Signing::new(Sealer::try_new(&key, &[]).unwrap());
        let now = Clock::system().now();
        let (org, other) = (OrgId::new(now), OrgId::new(now));
        let bytes = STANDARD.decode(signing.public_key(org)).unwrap();
        let public = VerifyingKey::from_bytes(&bytes.try_into().unwrap()).unwrap();
        let is_good = |signature: &str| {
            let signature = Signature::from_slice(&STANDARD.decode(signature).unwrap()).unwrap();
            public.verify(b"pulse-supergraph-1\nproduction/current\nabc", &signature).is_ok()
        };
        assert!(is_good(&signing.sign(org, ("production", "current"), "abc")));
        for forged in [
            signing.sign(other, ("production", "current"), "abc"),
            signing.sign(org, ("staging", "current"), "abc"),
            signing.sign(org, ("production", "pr-1"), "abc"),
            signing.sign(org, ("production", "current"), "abd"),
        ] {
            assert!(!is_good(&forged));
        }
    }
}
