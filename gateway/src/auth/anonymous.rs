//! A gateway without accounts.

use std::sync::Arc;

use async_trait::async_trait;
use http::{HeaderMap, HeaderName};
use pulse_types::{Caller, Clock, RequestId};

use crate::ports::{Authenticated, AuthenticationError, Authenticator};

/// Takes everybody for nobody: for a gateway in front of subgraphs that know no callers.
#[derive(Debug, Clone)]
pub struct AnonymousAuthenticator {
    nobody: Arc<Caller>,
}

impl AnonymousAuthenticator {
    /// An authenticator that knows nobody since the time that `clock` tells.
    pub fn new(clock: &Clock) -> Self {
        Self { nobody: Arc::new(Caller::anonymous(RequestId::new(clock.now()))) }
    }
}

#[async_trait]
impl Authenticator for AnonymousAuthenticator {
    async fn authenticate(&self, _: &HeaderMap) -> Result<Authenticated, AuthenticationError> {
        Ok(Authenticated { caller: Arc::clone(&self.nobody), expires_at: None, terms: None })
    }

    fn credential_headers(&self) -> Vec<HeaderName> {
        Vec::new()
    }
}
