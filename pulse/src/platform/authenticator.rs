//! Access tokens and API keys at the gateway.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use http::header::{AUTHORIZATION, HeaderName};
use http::{HeaderMap, HeaderValue};
use pulse_accounts::{AccessQuestion, Held, VerifiedMachine};
use pulse_gateway::ports::{Authenticated, AuthenticationError, Authenticator, RevocationFeed, Terms};
use pulse_tokens::{ACCESS_TOKEN_SECONDS, AccessTokens, MachineKind, MachineSecret, TokenError};
use pulse_types::{Caller, Clock, RequestId, Subject};

use super::Revoked;
use super::keys::NewerKeys;
use super::machines::VerifyMachines;
use super::revoked::{LEFT, asked_about};

/// Another place for an API key.
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// How long an API key is remembered before it is looked up again. Longer, and nobody would know that it is still used.
const REMEMBERED: TimeDelta = TimeDelta::minutes(1);

/// How long a stream of an API key goes on before the key has to be shown anew: as long as a token lives, since it is remembered for
/// so long who has come.
const STREAMS: TimeDelta = TimeDelta::seconds(ACCESS_TOKEN_SECONDS);

/// Turns `Authorization: Bearer <access token or API key>`, or `X-API-Key: <API key>`, into a caller.
pub struct TokenAuthenticator {
    tokens: AccessTokens,
    machines: Arc<dyn VerifyMachines>,
    clock: Clock,
    revoked: Arc<Revoked>,
    /// What keeps `revoked` true, where that may fail to.
    news: Option<Arc<dyn RevocationFeed>>,
    /// Where keys are looked for that are not known here.
    newer: Option<NewerKeys>,
}

impl TokenAuthenticator {
    /// Verifies tokens with `tokens` and has API keys verified by `machines`; what is `revoked` is no good whatever either says.
    pub const fn new(
        tokens: AccessTokens,
        machines: Arc<dyn VerifyMachines>,
        clock: Clock,
        revoked: Arc<Revoked>,
    ) -> Self {
        Self { tokens, machines, clock, revoked, news: None, newer: None }
    }

    /// Believes nothing while `news` is not current.
    #[must_use]
    pub fn with_news(self, news: Arc<dyn RevocationFeed>) -> Self {
        Self { news: Some(news), ..self }
    }

    /// Looks for the key of a token that names one which is not known here.
    #[must_use]
    pub fn with_newer_keys(self, newer: NewerKeys) -> Self {
        Self { newer: Some(newer), ..self }
    }

    async fn token(&self, token: &str, now: DateTime<Utc>) -> Result<Authenticated, AuthenticationError> {
        let mut verified = self.tokens.verify(token, now);
        if let (Err(TokenError::UnknownKey), Some(newer)) = (&verified, &self.newer) {
            newer.look().await;
            verified = self.tokens.verify(token, now);
        }
        let claims = verified.map_err(|error| invalid(&error))?;
        self.require_news()?;
        let mut expires_at = DateTime::from_timestamp(claims.exp, 0);
        let mut caller = claims.caller(RequestId::new(now));
        if let Some((machine, claims)) = caller.machine().zip(claims.machine) {
            self.revoked.check_machine(machine, claims.terms).map_err(|reason| invalid(&reason))?;
        }
        self.revoked.check(&caller, claims.iat).map_err(|reason| invalid(&reason))?;
        // Before anybody is asked: what becomes different meanwhile is told of whoever was noted.
        self.revoked.note(&caller);
        let changed = self.revoked.asks(&caller, claims.iat);
        if claims.rights || changed.is_some() {
            let held = self.held(&caller, changed.unwrap_or_default()).await?;
            expires_at = expires_at.into_iter().chain(held.until).min();
            caller.rights = held.rights;
            self.revoked.note(&caller);
        }
        Ok(Authenticated { caller: Arc::new(caller), expires_at, terms: None })
    }

    /// What the caller of a token may now, which must be all that the token says.
    async fn held(&self, caller: &Caller, at_least: i64) -> Result<Held, AuthenticationError> {
        let claimed = Held { scopes: caller.permissions.clone(), ..Held::default() };
        let Some((org, subject)) = caller.org.zip(asked_about(caller.subject, &claimed)) else {
            return Ok(Held { is_member: true, ..claimed });
        };
        let question = AccessQuestion { org, subjects: vec![subject], at_least };
        let held = self.machines.access(question).await;
        let held = held.map_err(|error| AuthenticationError::Unavailable(error.to_string()))?;
        let held = held.into_iter().next().unwrap_or_default();
        if !held.is_member {
            return Err(invalid(&LEFT));
        }
        if claimed.scopes.iter().any(|scope| !held.scopes.contains(scope)) {
            return Err(invalid(&"your rights in this organization have changed: refresh your token"));
        }
        Ok(held)
    }

    /// A key that is mistyped, or something else, is refused before anybody is asked.
    async fn key(&self, text: &str, now: DateTime<Utc>) -> Result<Authenticated, AuthenticationError> {
        let secret = MachineSecret::parse(text).map_err(|error| invalid(&error))?;
        if secret.kind == MachineKind::ServiceAccount {
            return Err(invalid(&pulse_accounts::MachineRefusal::ServiceAccount));
        }
        self.require_news()?;
        let mut verified = self.verified(&secret, 0).await?;
        // Before it is looked whether something has changed: what changes later is told of whoever was noted.
        self.revoked.note(&caller_of(&verified, now));
        if let Some(changed) = self.revoked.asks(&caller_of(&verified, now), now.timestamp()) {
            verified = self.verified(&secret, changed).await?;
        }
        self.revoked.check_machine(verified.id, i64::MAX - 1).map_err(|reason| invalid(&reason))?;
        let caller = caller_of(&verified, now);
        self.revoked.note(&caller);
        // What the person has lost is known to whoever has just read it; that the person is gone, the feed says first.
        self.revoked.check(&caller, i64::MAX).map_err(|reason| invalid(&reason))?;
        let ends = [verified.expires_at, verified.rights_until, Some(now + STREAMS)];
        let expires_at = ends.into_iter().flatten().min();
        let terms =
            terms(verified, now).map_err(|error| AuthenticationError::Unavailable(error.to_string()))?;
        Ok(Authenticated { caller: Arc::new(caller), expires_at, terms: Some(Arc::new(terms)) })
    }

    async fn verified(
        &self,
        secret: &MachineSecret,
        at_least: i64,
    ) -> Result<VerifiedMachine, AuthenticationError> {
        let verified = self.machines.verify(secret.hash(), at_least).await;
        let verified = verified.map_err(|error| AuthenticationError::Unavailable(error.to_string()))?;
        verified.map_err(|refusal| invalid(&refusal))
    }

    fn require_news(&self) -> Result<(), AuthenticationError> {
        if self.news.as_ref().is_some_and(|news| !news.is_current()) {
            let problem = "it is not known just now what was revoked; try again in a moment";
            return Err(AuthenticationError::Unavailable(problem.to_owned()));
        }
        Ok(())
    }
}

#[async_trait]
impl Authenticator for TokenAuthenticator {
    async fn authenticate(&self, headers: &HeaderMap) -> Result<Authenticated, AuthenticationError> {
        let now = self.clock.now();
        match (headers.get(AUTHORIZATION), headers.get(API_KEY)) {
            (None, None) => {
                let caller = Arc::new(Caller::anonymous(RequestId::new(now)));
                Ok(Authenticated { caller, expires_at: None, terms: None })
            }
            (Some(_), Some(_)) => Err(invalid(&"send either Authorization or X-API-Key, not both")),
            (None, Some(key)) => self.key(key.to_str().unwrap_or_default().trim(), now).await,
            (Some(header), None) => {
                let token = bearer(header).ok_or_else(|| {
                    invalid(&"the Authorization header is not `Bearer <access token or API key>`")
                })?;
                if MachineSecret::is_meant(token) {
                    self.key(token, now).await
                } else {
                    self.token(token, now).await
                }
            }
        }
    }
}

fn bearer(header: &HeaderValue) -> Option<&str> {
    let (scheme, token) = header.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn invalid(why: &dyn std::fmt::Display) -> AuthenticationError {
    AuthenticationError::Invalid(why.to_string())
}

fn caller_of(verified: &VerifiedMachine, now: DateTime<Utc>) -> Caller {
    Caller {
        subject: Subject::Machine { id: verified.id, maker: verified.maker },
        org: Some(verified.org),
        permissions: verified.permissions.clone(),
        rights: verified.rights.clone(),
        ..Caller::anonymous(RequestId::new(now))
    }
}

fn terms(verified: VerifiedMachine, now: DateTime<Utc>) -> Result<Terms, ipnet::AddrParseError> {
    Ok(Terms {
        networks: verified.networks.iter().map(|network| network.parse()).collect::<Result<_, _>>()?,
        operations: verified.operations.into_iter().collect(),
        client: verified.client,
        requests_per_minute: verified.requests_per_minute.map(Into::into),
        cost_per_minute: verified.cost_per_minute.map(Into::into),
        remember_until: verified.rights_until.into_iter().chain([now + REMEMBERED]).min(),
    })
}
