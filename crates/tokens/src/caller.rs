//! Tokens from a gateway to a subgraph.

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use pulse_types::{Caller, Secret};
use serde::{Deserialize, Serialize};

use crate::TokenError;
use crate::access::check_expiry;

/// How long a caller token lives, in seconds.
pub const CALLER_TOKEN_SECONDS: i64 = 60;

/// Signs and verifies the tokens of one subgraph.
#[derive(Clone)]
pub struct CallerTokens {
    audience: String,
    signing: EncodingKey,
    verifying: DecodingKey,
    validation: Validation,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    aud: String,
    exp: i64,
    caller: Caller,
}

impl CallerTokens {
    /// Tokens for the subgraph `audience`, which shares `secret` with its gateways.
    pub fn new(audience: &str, secret: &Secret) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_audience(&[audience]);
        validation.set_required_spec_claims(&["aud", "exp"]);
        validation.validate_exp = false;
        Self {
            audience: audience.to_owned(),
            signing: EncodingKey::from_secret(secret.expose().as_bytes()),
            verifying: DecodingKey::from_secret(secret.expose().as_bytes()),
            validation,
        }
    }

    /// A token that says who `caller` is, good for [`CALLER_TOKEN_SECONDS`].
    pub fn sign(&self, caller: &Caller, now: DateTime<Utc>) -> Result<String, TokenError> {
        let exp = now.timestamp() + CALLER_TOKEN_SECONDS;
        let claims = Claims { aud: self.audience.clone(), exp, caller: caller.clone() };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.signing).map_err(TokenError::from)
    }

    /// The caller that the token says, if the signature, audience and time are right.
    pub fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Caller, TokenError> {
        let claims = jsonwebtoken::decode::<Claims>(token, &self.verifying, &self.validation)?.claims;
        check_expiry(claims.exp, now)?;
        Ok(claims.caller)
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use pulse_types::{OrgId, RequestId};

    use super::*;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).expect("in range")
    }

    fn caller() -> Caller {
        Caller::system(OrgId::new(now()), RequestId::new(now()))
    }

    #[test]
    fn a_token_brings_its_caller() {
        let tokens = CallerTokens::new("entities", &Secret::new("a shared secret"));
        let token = tokens.sign(&caller(), now()).expect("signs");
        assert_eq!(tokens.verify(&token, now()).map(|caller| caller.permissions), Ok(caller().permissions));
    }

    #[test]
    fn a_token_ends_after_a_minute() {
        let tokens = CallerTokens::new("entities", &Secret::new("a shared secret"));
        let token = tokens.sign(&caller(), now()).expect("signs");
        assert!(tokens.verify(&token, now() + TimeDelta::seconds(59)).is_ok());
        assert_eq!(tokens.verify(&token, now() + TimeDelta::seconds(60)), Err(TokenError::Expired));
    }

    #[test]
    fn another_subgraph_or_secret_refuses_it() {
        let secret = Secret::new("a shared secret");
        let token = CallerTokens::new("entities", &secret).sign(&caller(), now()).expect("signs");
        let accounts = CallerTokens::new("accounts", &secret);
        assert_eq!(accounts.verify(&token, now()), Err(TokenError::WrongAudience));
        let other = CallerTokens::new("entities", &Secret::new("another secret"));
        assert_eq!(other.verify(&token, now()), Err(TokenError::Forged));
    }
}
