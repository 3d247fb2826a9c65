//! One issuer: which tokens are its own, and whether they are good.

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};
use serde_json::{Map, Value};

use super::keys::{Found, Keys};
use crate::config::IssuerConfig;
use crate::ports::AuthenticationError;

pub(super) struct Issuer {
    pub(super) config: IssuerConfig,
    pub(super) algorithms: Vec<Algorithm>,
    pub(super) keys: Keys,
}

/// A token's claims after its signature and its times have been checked.
pub(super) struct Verified {
    pub(super) claims: Map<String, Value>,
    pub(super) expires_at: DateTime<Utc>,
}

impl Issuer {
    /// Whether a token that says to be from `issuer` may be one of this issuer's.
    pub(super) fn may_have_made(&self, issuer: Option<&str>) -> bool {
        self.config.issuer.is_empty() || Some(self.config.issuer.as_str()) == issuer
    }

    /// The claims of a token that is good at `now`.
    pub(super) async fn verify(
        &self,
        token: &str,
        header: &Header,
        (now, leeway): (DateTime<Utc>, TimeDelta),
    ) -> Result<Verified, AuthenticationError> {
        if !self.algorithms.contains(&header.alg) {
            return Err(refused(&format!(
                "is signed with {:?}, which its issuer does not use here",
                header.alg
            )));
        }
        let (keys, matching) = match self.keys.find(header.kid.as_deref(), header.alg).await {
            Found::Keys(keys, matching) => (keys, matching),
            Found::Nothing => return Err(refused("is signed with a key that its issuer does not publish")),
            Found::NotLoaded => {
                let issuer = &self.config.issuer;
                return Err(AuthenticationError::Unavailable(format!(
                    "the keys of {issuer:?} are not known yet"
                )));
            }
        };
        let claims = matching.into_iter().find_map(|index| signed(token, &keys[index].decoding, header.alg));
        let claims = claims.unwrap_or_else(|| Err(refused("has a signature that is not valid")))?;
        let expires_at = self.check(&claims, now, leeway)?;
        Ok(Verified { claims, expires_at })
    }

    /// Checks what the claims say of the token itself (RFC 7519 §4.1). Returns when it ends.
    fn check(
        &self,
        claims: &Map<String, Value>,
        now: DateTime<Utc>,
        leeway: TimeDelta,
    ) -> Result<DateTime<Utc>, AuthenticationError> {
        let Some(ends) = time(claims, "exp")? else {
            return Err(refused("does not say when it ends (`exp`)"));
        };
        let ends = ends.checked_add_signed(leeway).unwrap_or(ends);
        if ends <= now {
            return Err(refused("has expired: get a new one"));
        }
        if time(claims, "nbf")?.is_some_and(|begins| begins > now + leeway) {
            return Err(refused("is not valid yet (`nbf`)"));
        }
        let is_wanted = |audience: &str| self.config.audiences.iter().any(|wanted| wanted == audience);
        let is_for_us = match claims.get("aud") {
            _ if self.config.audiences.is_empty() => true,
            Some(Value::String(audience)) => is_wanted(audience),
            Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).any(is_wanted),
            _ => false,
        };
        if is_for_us { Ok(ends) } else { Err(refused("is for another audience (`aud`)")) }
    }
}

/// The claims, if this key signed them; `None` where another may have.
fn signed(
    token: &str,
    key: &DecodingKey,
    algorithm: Algorithm,
) -> Option<Result<Map<String, Value>, AuthenticationError>> {
    // The times are compared with the gateway's own clock, the rest by the issuer's settings.
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    match jsonwebtoken::decode::<Map<String, Value>>(token, key, &validation) {
        Ok(decoded) => Some(Ok(decoded.claims)),
        Err(error) => match error.kind() {
            ErrorKind::Json(_) | ErrorKind::Utf8(_) | ErrorKind::Base64(_) => {
                Some(Err(refused("is malformed")))
            }
            _ => None,
        },
    }
}

/// A moment in seconds since 1970, which may have a fraction.
fn time(claims: &Map<String, Value>, name: &str) -> Result<Option<DateTime<Utc>>, AuthenticationError> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a time that is cut off at the ends of the range is refused"
    )]
    let seconds = value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds.floor() as i64));
    let time = seconds.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    time.map(Some).ok_or_else(|| refused(&format!("has a `{name}` that is no time")))
}

/// The token is no good; `why` begins with a verb.
pub(super) fn refused(why: &str) -> AuthenticationError {
    AuthenticationError::Invalid(format!("the access token {why}"))
}
