//! Callers by tokens of foreign issuers: JSON Web Tokens, verified by the keys that the issuers publish.

mod claims;
mod fetch;
mod issuer;
mod keys;
mod token;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use futures::future::join_all;
use http::HeaderMap;
use http::header::{COOKIE, HeaderName};
use pulse_types::{Caller, Clock, RequestId};
use serde_json::{Map, Value};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::config::{InvalidJwtConfig, JwtConfig};
use crate::ports::{Authenticated, AuthenticationError, Authenticator};

use fetch::KeySource;
use issuer::{Issuer, refused};
use keys::Keys;
use token::TokenSource;

/// How long to wait before fetching keys again that could not be fetched: first, and at most.
const RETRY_AFTER: Duration = Duration::from_secs(1);
const RETRY_AT_MOST: Duration = Duration::from_mins(1);

/// How long a token may be. Longer ones are refused unread.
const TOKEN_LIMIT: usize = 16 * 1024;

/// Why there can be no authenticator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JwtError {
    /// The settings are wrong.
    #[error(transparent)]
    Config(#[from] InvalidJwtConfig),
    /// A file with keys cannot be used.
    #[error("gateway.jwt: the key set {place}: {problem}")]
    Keys {
        /// The file.
        place: String,
        /// What is wrong with it.
        problem: String,
    },
}

/// Turns tokens into callers. The keys are fetched again in the background, for as long as this value lives.
pub struct JwtAuthenticator {
    issuers: Arc<Vec<Issuer>>,
    source: TokenSource,
    required: bool,
    leeway: TimeDelta,
    clock: Clock,
    _refreshing: JoinSet<()>,
}

impl JwtAuthenticator {
    /// Reads the settings and fetches the keys. An issuer that cannot be reached is tried again; a file that cannot be read
    /// is a mistake.
    pub async fn init(config: &JwtConfig, clock: Clock) -> Result<Self, JwtError> {
        config.check()?;
        let client = fetch::http_client();
        let issuers = config.issuers.iter().map(|issuer| {
            let source = KeySource::new(issuer, &client, config.fetch_timeout);
            if issuer.audiences.is_empty() {
                tracing::warn!(
                    issuer = issuer.issuer,
                    "tokens for any audience are taken; set gateway.jwt.issuers.audiences"
                );
            }
            let keys = Keys::new(source, config.refresh_cooldown);
            Ok(Issuer { config: issuer.clone(), algorithms: issuer.algorithms()?, keys })
        });
        let issuers: Arc<Vec<Issuer>> = Arc::new(issuers.collect::<Result<_, InvalidJwtConfig>>()?);
        let first = join_all(issuers.iter().map(|issuer| issuer.keys.refresh())).await;
        for (issuer, fetched) in issuers.iter().zip(&first) {
            if let (Err(error), true) = (fetched, issuer.keys.is_in_file()) {
                let (place, problem) = (issuer.config.jwks_file.clone(), error.to_string());
                return Err(JwtError::Keys { place, problem });
            }
        }
        let mut refreshing = JoinSet::new();
        for (index, fetched) in first.iter().enumerate() {
            refreshing.spawn(refresh(Arc::clone(&issuers), index, fetched.is_ok(), config.refresh_interval));
        }
        Ok(Self {
            issuers,
            source: TokenSource::try_new(config)?,
            required: config.required,
            leeway: TimeDelta::from_std(config.clock_leeway).unwrap_or(TimeDelta::MAX),
            clock,
            _refreshing: refreshing,
        })
    }

    async fn verify(&self, token: &str, request: RequestId) -> Result<Authenticated, AuthenticationError> {
        if token.len() > TOKEN_LIMIT {
            return Err(refused(&format!("is longer than {TOKEN_LIMIT} bytes")));
        }
        let malformed = |_| refused("is malformed");
        let header = jsonwebtoken::decode_header(token).map_err(malformed)?;
        if header.crit.is_some() {
            return Err(refused("has critical extensions (`crit`), which are not known here"));
        }
        let told: Map<String, Value> =
            jsonwebtoken::dangerous::insecure_decode_claims(token).map_err(malformed)?;
        let name = told.get("iss").and_then(Value::as_str);
        let mut refusal = refused("is from an issuer that is not trusted here");
        for issuer in self.issuers.iter().filter(|issuer| issuer.may_have_made(name)) {
            match issuer.verify(token, &header, (self.clock.now(), self.leeway)).await {
                Ok(verified) => {
                    let caller = claims::caller(&issuer.config, verified.claims, request);
                    return Ok(Authenticated {
                        caller: Arc::new(caller),
                        expires_at: Some(verified.expires_at),
                        terms: None,
                    });
                }
                Err(error) => refusal = error,
            }
        }
        Err(refusal)
    }
}

#[async_trait]
impl Authenticator for JwtAuthenticator {
    fn credential_headers(&self) -> Vec<HeaderName> {
        vec![self.source.header.clone(), COOKIE]
    }

    async fn authenticate(&self, headers: &HeaderMap) -> Result<Authenticated, AuthenticationError> {
        let request = RequestId::new(self.clock.now());
        match self.source.find(headers)? {
            Some(token) => self.verify(token, request).await,
            None if self.required => {
                let (header, shape) = (&self.source.header, self.source.shape());
                Err(AuthenticationError::Missing(format!("send an access token as `{header}: {shape}`")))
            }
            None => Ok(Authenticated {
                caller: Arc::new(Caller::anonymous(request)),
                expires_at: None,
                terms: None,
            }),
        }
    }
}

/// Fetches an issuer's keys for ever: in its time, and sooner where there are none yet.
async fn refresh(issuers: Arc<Vec<Issuer>>, index: usize, loaded: bool, interval: Duration) {
    let keys = &issuers[index].keys;
    let mut pause = if loaded { interval } else { RETRY_AFTER.min(interval) };
    loop {
        sleep(pause).await;
        pause = match keys.refresh().await {
            Ok(()) => interval,
            Err(_) => (pause * 2).min(RETRY_AT_MOST).min(interval),
        };
    }
}
