//! Signatures of supergraphs, as a schema registry makes them.

use ed25519_dalek::{Signature, VerifyingKey};
use http::HeaderMap;
use sha2::{Digest, Sha256};

use super::InvalidSourceUrl;
use crate::config::SupergraphConfig;
use crate::hex::hex;

/// The header that carries the signature, in base64.
const SIGNATURE: &str = "pulse-signature";

/// Who must have signed a supergraph, and for what.
#[derive(Debug, Clone)]
pub(super) struct Signers {
    keys: Vec<VerifyingKey>,
    of: String,
}

impl Signers {
    /// Those that the configuration names.
    pub(super) fn try_new(config: &SupergraphConfig) -> Result<Self, InvalidSourceUrl> {
        let keys = config.signature_keys.iter().map(|text| {
            let bytes = decode(text).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
            let key = bytes.and_then(|bytes| VerifyingKey::from_bytes(&bytes).ok());
            key.ok_or_else(|| InvalidSourceUrl::SignatureKey(text.clone()))
        });
        Ok(Self { keys: keys.collect::<Result<_, _>>()?, of: config.signature_of.clone() })
    }

    /// Whether a supergraph may be served. The error says why not.
    pub(super) fn check(&self, headers: &HeaderMap, sdl: &str) -> Result<(), String> {
        if self.keys.is_empty() {
            return Ok(());
        }
        let text = headers.get(SIGNATURE).and_then(|value| value.to_str().ok());
        let text = text.ok_or_else(|| format!("its answer has no signature ({SIGNATURE})"))?;
        let signature = decode(text).and_then(|bytes| Signature::from_slice(&bytes).ok());
        let signature = signature.ok_or_else(|| format!("{SIGNATURE} is no signature"))?;
        let hash: [u8; 32] = Sha256::digest(sdl).into();
        let message = format!("pulse-supergraph-1\n{}\n{}", self.of, hex(&hash));
        if self.keys.iter().any(|key| key.verify_strict(message.as_bytes(), &signature).is_ok()) {
            return Ok(());
        }
        Err(format!("it is not signed for {} by one of gateway.supergraph.signature_keys", self.of))
    }
}

fn decode(text: &str) -> Option<Vec<u8>> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text.trim()).ok()
}
