//! Access tokens at the gateway.

use async_trait::async_trait;
use chrono::DateTime;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use pulse_gateway::ports::{Authenticated, AuthenticationError, Authenticator, RevocationFeed};
use pulse_tokens::{AccessTokens, TokenError};
use pulse_types::{Caller, Clock, RequestId};
use std::sync::Arc;

use super::Revoked;
use super::keys::NewerKeys;

/// Turns `Authorization: Bearer <access token>` into a caller.
pub struct TokenAuthenticator {
    tokens: AccessTokens,
    clock: Clock,
    revoked: Arc<Revoked>,
    /// What keeps `revoked` true, where that may fail to.
    news: Option<Arc<dyn RevocationFeed>>,
    /// Where keys are looked for that are not known here.
    newer: Option<NewerKeys>,
}

impl TokenAuthenticator {
    /// Verifies with `tokens`; what is `revoked` is no good whatever its signature says.
    pub const fn new(tokens: AccessTokens, clock: Clock, revoked: Arc<Revoked>) -> Self {
        Self { tokens, clock, revoked, news: None, newer: None }
    }

    /// Believes no token while `news` is not current.
    #[must_use]
    pub fn with_news(self, news: Arc<dyn RevocationFeed>) -> Self {
        Self { news: Some(news), ..self }
    }

    /// Looks for the key of a token that names one which is not known here.
    #[must_use]
    pub fn with_newer_keys(self, newer: NewerKeys) -> Self {
        Self { newer: Some(newer), ..self }
    }
}

#[async_trait]
impl Authenticator for TokenAuthenticator {
    async fn authenticate(&self, headers: &HeaderMap) -> Result<Authenticated, AuthenticationError> {
        let now = self.clock.now();
        let request = RequestId::new(now);
        let Some(header) = headers.get(AUTHORIZATION) else {
            return Ok(Authenticated { caller: Arc::new(Caller::anonymous(request)), expires_at: None });
        };
        let text = header.to_str().ok().and_then(|text| text.split_once(' '));
        let token =
            text.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
        let token = token.ok_or_else(|| {
            AuthenticationError::Invalid("the Authorization header is not `Bearer <access token>`".to_owned())
        })?;
        let mut verified = self.tokens.verify(token, now);
        if let (Err(TokenError::UnknownKey), Some(newer)) = (&verified, &self.newer) {
            newer.look().await;
            verified = self.tokens.verify(token, now);
        }
        let claims = verified.map_err(|error| AuthenticationError::Invalid(error.to_string()))?;
        if self.news.as_ref().is_some_and(|news| !news.is_current()) {
            let problem = "it is not known just now what was revoked; try again in a moment";
            return Err(AuthenticationError::Unavailable(problem.to_owned()));
        }
        let expires_at = DateTime::from_timestamp(claims.exp, 0);
        let caller = claims.caller(request);
        self.revoked
            .check(&caller, claims.iat)
            .map_err(|reason| AuthenticationError::Invalid(reason.to_owned()))?;
        Ok(Authenticated { caller: Arc::new(caller), expires_at })
    }
}
