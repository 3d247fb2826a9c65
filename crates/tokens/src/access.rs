//! Tokens from a client to the gateway.

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use ed25519_dalek::pkcs8::EncodePrivateKey;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use pulse_types::{Caller, MachineId, OrgId, Permissions, RequestId, Secret, SessionId, Subject, UserId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// How long an access token lives, in seconds.
pub const ACCESS_TOKEN_SECONDS: i64 = 15 * 60;

/// Clocks of two machines may differ by this many seconds.
const LEEWAY_SECONDS: i64 = 5;

const AUDIENCE: &str = "pulse";

/// Why a token is no good. The texts never contain the token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Its time is over.
    #[error("the token has expired: refresh it")]
    Expired,
    /// Made for somebody else.
    #[error("the token is for another audience")]
    WrongAudience,
    /// The signature does not match, or the key is unknown.
    #[error("the token's signature is not valid")]
    Forged,
    /// It is no token of ours.
    #[error("the token is malformed")]
    Malformed,
    /// A signing key that cannot be read.
    #[error(
        "the signing key is not an Ed25519 seed: expected 32 bytes in base64, such as `openssl rand -base64 32` makes"
    )]
    SigningKey,
}

impl From<jsonwebtoken::errors::Error> for TokenError {
    fn from(error: jsonwebtoken::errors::Error) -> Self {
        match error.kind() {
            ErrorKind::ExpiredSignature => Self::Expired,
            ErrorKind::InvalidAudience => Self::WrongAudience,
            ErrorKind::InvalidSignature | ErrorKind::InvalidAlgorithm => Self::Forged,
            _ => Self::Malformed,
        }
    }
}

pub(crate) fn check_expiry(expires: i64, now: DateTime<Utc>) -> Result<(), TokenError> {
    if now.timestamp() < expires { Ok(()) } else { Err(TokenError::Expired) }
}

/// What an access token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessClaims {
    /// The person; or the service account, where `machine` says more of it.
    pub sub: UserId,
    /// The session that the token was made for; of a service account, which has none, the token's own id.
    pub sid: SessionId,
    /// What else is known of the service account that the token was made for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<MachineClaims>,
    /// The tenant that the person acts in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub org: Option<OrgId>,
    /// What the person may do there, as an OAuth scope.
    pub scope: String,
    /// The audience.
    pub aud: String,
    /// When it was made, in seconds since 1970.
    pub iat: i64,
    /// When it ends, in seconds since 1970.
    pub exp: i64,
}

/// What a token says of the service account that it was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineClaims {
    /// The person who answers for it.
    pub maker: UserId,
    /// Counts the changes of what it may do: a token of before a change is no good after it.
    pub terms: i64,
}

impl AccessClaims {
    /// Claims that hold from `now` for [`ACCESS_TOKEN_SECONDS`].
    pub fn new(
        user: UserId,
        session: SessionId,
        tenant: Option<(OrgId, &Permissions)>,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            sub: user,
            sid: session,
            machine: None,
            org: tenant.map(|(org, _)| org),
            scope: tenant.map(|(_, permissions)| permissions.to_scope()).unwrap_or_default(),
            aud: AUDIENCE.to_owned(),
            iat: now.timestamp(),
            exp: now.timestamp() + ACCESS_TOKEN_SECONDS,
        }
    }

    /// The same for a service account, for which `maker` answers; `terms` counts the changes of what it may do.
    pub fn of_service_account(
        (account, maker, terms): (MachineId, UserId, i64),
        tenant: (OrgId, &Permissions),
        now: DateTime<Utc>,
    ) -> Self {
        let sub = UserId::from_uuid(account.uuid());
        let machine = Some(MachineClaims { maker, terms });
        Self { machine, ..Self::new(sub, SessionId::new(now), Some(tenant), now) }
    }

    /// The caller that these claims are about.
    pub fn caller(&self, request: RequestId) -> Caller {
        let (subject, session) = match self.machine {
            None => (Subject::User(self.sub), Some(self.sid)),
            Some(MachineClaims { maker, .. }) => {
                (Subject::Machine { id: MachineId::from_uuid(self.sub.uuid()), maker }, None)
            }
        };
        Caller {
            subject,
            org: self.org,
            session,
            permissions: Permissions::from_scope(&self.scope),
            ..Caller::anonymous(request)
        }
    }
}

/// A private key that signs access tokens.
#[derive(Clone)]
pub struct SigningKey {
    id: String,
    key: ed25519_dalek::SigningKey,
    encoding: EncodingKey,
}

impl SigningKey {
    /// The key of a seed: 32 bytes from a cryptographic source.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, TokenError> {
        Self::from_key(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    /// The key of a seed in base64, as settings hold it.
    pub fn from_base64(seed: &Secret) -> Result<Self, TokenError> {
        let bytes = STANDARD.decode(seed.expose().trim()).map_err(|_| TokenError::SigningKey)?;
        let seed = <[u8; 32]>::try_from(bytes).map_err(|_| TokenError::SigningKey)?;
        Self::from_seed(&seed)
    }

    fn from_key(key: ed25519_dalek::SigningKey) -> Result<Self, TokenError> {
        let der = key.to_pkcs8_der().map_err(|_| TokenError::SigningKey)?;
        let jwk = public_jwk(&key);
        Ok(Self { id: jwk.kid, encoding: EncodingKey::from_ed_der(der.as_bytes()), key })
    }
}

/// A public key as a JSON Web Key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Jwk {
    kty: String,
    crv: String,
    x: String,
    kid: String,
    #[serde(rename = "use", default, skip_serializing_if = "Option::is_none")]
    usage: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    alg: Option<String>,
}

/// The key's JSON Web Key; its id is the RFC 7638 thumbprint.
fn public_jwk(key: &ed25519_dalek::SigningKey) -> Jwk {
    let x = URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes());
    let thumbprint = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
    Jwk {
        kty: "OKP".to_owned(),
        crv: "Ed25519".to_owned(),
        kid: URL_SAFE_NO_PAD.encode(Sha256::digest(thumbprint)),
        x,
        usage: Some("sig".to_owned()),
        alg: Some("EdDSA".to_owned()),
    }
}

/// The public keys by which access tokens are verified: a JSON Web Key Set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeySet {
    keys: Vec<Jwk>,
}

/// Verifies access tokens, and makes them where there is a private key. Cheap to clone.
#[derive(Clone)]
pub struct AccessTokens {
    signing: Option<Arc<SigningKey>>,
    keys: Arc<KeySet>,
    verifying: Arc<HashMap<String, DecodingKey>>,
    validation: Arc<Validation>,
}

impl AccessTokens {
    /// Makes tokens with `key` and verifies them.
    pub fn signing(key: SigningKey) -> Result<Self, TokenError> {
        let keys = KeySet { keys: vec![public_jwk(&key.key)] };
        Ok(Self { signing: Some(Arc::new(key)), ..Self::verifying(keys)? })
    }

    /// Makes none and accepts none: for processes in which nobody signs in.
    pub fn none() -> Self {
        Self::verifying(KeySet { keys: Vec::new() }).expect("no key can be wrong")
    }

    /// Verifies tokens made elsewhere by one of `keys`.
    pub fn verifying(keys: KeySet) -> Result<Self, TokenError> {
        let mut verifying = HashMap::new();
        for key in &keys.keys {
            verifying.insert(key.kid.clone(), DecodingKey::from_ed_components(&key.x)?);
        }
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["aud", "exp", "sub"]);
        validation.validate_exp = false;
        let (keys, verifying, validation) = (Arc::new(keys), Arc::new(verifying), Arc::new(validation));
        Ok(Self { signing: None, keys, verifying, validation })
    }

    /// The public keys.
    pub fn key_set(&self) -> &KeySet {
        &self.keys
    }

    /// A token that says `claims`. `None` where there is no private key.
    pub fn sign(&self, claims: &AccessClaims) -> Option<Result<String, TokenError>> {
        let key = self.signing.as_ref()?;
        let header = Header { kid: Some(key.id.clone()), ..Header::new(Algorithm::EdDSA) };
        Some(jsonwebtoken::encode(&header, claims, &key.encoding).map_err(TokenError::from))
    }

    /// What the token says, if the signature, audience and time are right.
    pub fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<AccessClaims, TokenError> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| TokenError::Malformed)?;
        let id = header.kid.ok_or(TokenError::Malformed)?;
        let key = self.verifying.get(&id).ok_or(TokenError::Forged)?;
        let claims = jsonwebtoken::decode::<AccessClaims>(token, key, &self.validation)?.claims;
        check_expiry(claims.exp + LEEWAY_SECONDS, now)?;
        Ok(claims)
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).expect("in range")
    }

    fn tokens(seed: u8) -> AccessTokens {
        AccessTokens::signing(SigningKey::from_seed(&[seed; 32]).expect("a key")).expect("signs")
    }

    fn claims() -> AccessClaims {
        let permissions = pulse_types::Role::Member.permissions();
        AccessClaims::new(
            UserId::new(now()),
            SessionId::new(now()),
            Some((OrgId::new(now()), &permissions)),
            now(),
        )
    }

    #[test]
    fn a_token_says_what_was_claimed_also_elsewhere() {
        let (tokens, claims) = (tokens(1), claims());
        let token = tokens.sign(&claims).expect("has a key").expect("signs");
        let published = serde_json::to_string(tokens.key_set()).expect("serializes");
        let elsewhere =
            AccessTokens::verifying(serde_json::from_str(&published).expect("parses")).expect("verifies");
        assert_eq!(elsewhere.verify(&token, now()), Ok(claims));
    }

    #[test]
    fn expired_forged_and_malformed_tokens_are_told_apart() {
        let token = tokens(1).sign(&claims()).expect("has a key").expect("signs");
        let late = now() + TimeDelta::seconds(ACCESS_TOKEN_SECONDS + LEEWAY_SECONDS);
        assert_eq!(tokens(1).verify(&token, late), Err(TokenError::Expired));
        assert_eq!(tokens(2).verify(&token, now()), Err(TokenError::Forged));
        let (head, signature) = token.rsplit_once('.').expect("three parts");
        let other = if signature.starts_with('A') { "B" } else { "A" };
        let tampered = format!("{head}.{other}{}", &signature[1..]);
        assert_eq!(tokens(1).verify(&tampered, now()), Err(TokenError::Forged));
        assert_eq!(tokens(1).verify("nonsense", now()), Err(TokenError::Malformed));
    }

    #[test]
    fn a_key_comes_from_a_seed_in_base64_and_from_nothing_else() {
        let key =
            SigningKey::from_base64(&Secret::new(format!("{}\n", STANDARD.encode([7; 32])))).expect("reads");
        assert_eq!(key.id, SigningKey::from_seed(&[7; 32]).expect("a key").id);
        for wrong in ["", "short", &STANDARD.encode([7; 31])] {
            assert_eq!(SigningKey::from_base64(&Secret::new(wrong)).err(), Some(TokenError::SigningKey));
        }
    }
}
