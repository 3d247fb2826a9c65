//! The caller, signed for one subgraph.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use moka::sync::Cache;
use pulse_types::{Caller, Origin};

/// The header that carries the signed caller.
pub const CALLER_HEADER: HeaderName = HeaderName::from_static("pulse-caller");

/// Where a message that opens a stream over a socket carries the signed caller: in its payload's `extensions`.
pub const CALLER_EXTENSION: &str = "pulseCaller";

/// How long a token is used. Tokens live for 60 seconds: what is left is for the call itself and for clocks that differ.
const USED_FOR: Duration = Duration::from_secs(30);

/// How many callers' tokens are kept for each subgraph.
const CAPACITY: u64 = 10_000;

/// Makes the token by which a subgraph knows who asks.
pub trait CallerSigner: Send + Sync + 'static {
    /// A token that says who `caller` is, for the subgraph `audience` alone, good for at least 60 seconds. `None` when
    /// there is no secret for this subgraph.
    fn sign(&self, audience: &str, caller: &Arc<Caller>) -> Option<String>;
}

/// The tokens for one subgraph, one for each caller and place that they ask from: the token says both.
pub(super) struct CallerTokens {
    audience: String,
    signer: Arc<dyn CallerSigner>,
    tokens: Cache<(Arc<Caller>, Option<Arc<Origin>>), HeaderValue>,
}

impl CallerTokens {
    pub(super) fn new(audience: String, signer: Arc<dyn CallerSigner>) -> Self {
        let tokens = Cache::builder().max_capacity(CAPACITY).time_to_live(USED_FOR).build();
        Self { audience, signer, tokens }
    }

    pub(super) fn of(&self, caller: &Arc<Caller>) -> Option<HeaderValue> {
        let key = (Arc::clone(caller), caller.origin.clone());
        if let Some(token) = self.tokens.get(&key) {
            return Some(token);
        }
        let token = self.signer.sign(&self.audience, caller)?;
        let mut token = HeaderValue::try_from(token).ok()?;
        token.set_sensitive(true);
        self.tokens.insert(key, token.clone());
        Some(token)
    }
}
