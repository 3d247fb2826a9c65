//! Caller tokens for subgraphs in other processes.

use std::collections::BTreeMap;
use std::sync::Arc;

use pulse_gateway::remote::CallerSigner;
use pulse_tokens::CallerTokens;
use pulse_types::{Caller, Clock, Secret};

/// Signs callers for the subgraphs whose secret is configured; the others get none.
pub struct SecretSigner {
    tokens: BTreeMap<String, CallerTokens>,
    clock: Clock,
}

impl SecretSigner {
    /// A signer with a secret for each subgraph.
    pub fn new(secrets: &BTreeMap<String, Secret>, clock: Clock) -> Self {
        let tokens =
            secrets.iter().map(|(name, secret)| (name.clone(), CallerTokens::new(name, secret))).collect();
        Self { tokens, clock }
    }
}

impl CallerSigner for SecretSigner {
    fn sign(&self, audience: &str, caller: &Arc<Caller>) -> Option<String> {
        match self.tokens.get(audience)?.sign(caller, self.clock.now()) {
            Ok(token) => Some(token),
            Err(error) => {
                tracing::error!(audience, %error, "a caller could not be signed");
                None
            }
        }
    }
}
