//! A gateway without accounts.

use std::sync::Arc;

use async_trait::async_trait;
use http::HeaderMap;
use pulse_types::{Caller, Clock, RequestId};

use crate::ports::{Authenticated, AuthenticationError, Authenticator};

/// Takes everybody for nobody: for a gateway in front of subgraphs that know no callers.
#[derive(Debug, Clone)]
pub struct AnonymousAuthenticator {
    clock: Clock,
}

impl AnonymousAuthenticator {
    /// An authenticator that makes ids at the time that `clock` tells.
    pub const fn new(clock: Clock) -> Self {
        Self { clock }
    }
}

#[async_trait]
impl Authenticator for AnonymousAuthenticator {
    async fn authenticate(&self, _: &HeaderMap) -> Result<Authenticated, AuthenticationError> {
        let caller = Arc::new(Caller::anonymous(RequestId::new(self.clock.now())));
        Ok(Authenticated { caller, expires_at: None })
    }
}
