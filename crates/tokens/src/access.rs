//! Tokens from a client to the gateway.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use chrono::{DateTime, Utc};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};
use pulse_types::{Caller, MachineId, OrgId, Permissions, RequestId, SessionId, Subject, UserId};
use serde::{Deserialize, Serialize};

use crate::{KeySet, SigningKey};

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
    /// The signature does not match.
    #[error("the token's signature is not valid")]
    Forged,
    /// It names a key that is not known here: a forged one, one of before, or one that is newer than what is known here.
    #[error("the token's signature is not valid")]
    UnknownKey,
    /// It is no token of ours.
    #[error("the token is malformed")]
    Malformed,
    /// A signing key that cannot be read.
    #[error(
        "the signing key is not an Ed25519 seed: expected 32 bytes in base64, such as `openssl rand -base64 32` makes"
    )]
    SigningKey,
    /// A public key that cannot be read.
    #[error("the public key is not an Ed25519 key: expected 32 bytes in base64 for URLs")]
    PublicKey,
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
    /// Whether more is laid down about single things there, which is asked for when the token is used.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rights: bool,
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
            rights: false,
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

    /// The same, which say whether more is laid down about single things.
    #[must_use]
    pub fn with_rights(self, rights: bool) -> Self {
        Self { rights, ..self }
    }

    /// The same, which end with what they say when that ends sooner.
    #[must_use]
    pub fn until(self, end: Option<DateTime<Utc>>) -> Self {
        let exp = end.map_or(self.exp, |end| self.exp.min(end.timestamp()));
        Self { exp, ..self }
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

/// Verifies access tokens, and makes them where there is a private key. Cheap to clone; clones have the same keys, also when
/// these are replaced.
#[derive(Clone)]
pub struct AccessTokens {
    ring: Arc<ArcSwap<Ring>>,
    validation: Arc<Validation>,
}

/// The keys at one time.
struct Ring {
    signing: Option<SigningKey>,
    keys: Arc<KeySet>,
    verifying: HashMap<String, DecodingKey>,
}

impl Ring {
    fn try_new(signing: Option<SigningKey>, keys: KeySet) -> Result<Self, TokenError> {
        let mut verifying = HashMap::new();
        for key in &keys.keys {
            verifying.insert(key.kid.clone(), DecodingKey::from_ed_components(&key.x)?);
        }
        Ok(Self { signing, keys: Arc::new(keys), verifying })
    }
}

impl AccessTokens {
    /// Makes tokens with `key` and verifies them.
    pub fn signing(key: SigningKey) -> Result<Self, TokenError> {
        let keys = KeySet::new([key.public()]);
        Self::new(Some(key), keys)
    }

    /// Makes none and accepts none: for processes in which nobody signs in.
    pub fn none() -> Self {
        Self::verifying(KeySet { keys: Vec::new() }).expect("no key can be wrong")
    }

    /// Verifies tokens made elsewhere by one of `keys`.
    pub fn verifying(keys: KeySet) -> Result<Self, TokenError> {
        Self::new(None, keys)
    }

    fn new(signing: Option<SigningKey>, keys: KeySet) -> Result<Self, TokenError> {
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["aud", "exp", "sub"]);
        validation.validate_exp = false;
        let ring = Arc::new(ArcSwap::from_pointee(Ring::try_new(signing, keys)?));
        Ok(Self { ring, validation: Arc::new(validation) })
    }

    /// Puts these keys in the place of those of before, for every clone: `signing` makes tokens from now on, and one of `keys`
    /// must have made a token that is accepted.
    pub fn replace(&self, signing: Option<SigningKey>, keys: KeySet) -> Result<(), TokenError> {
        self.ring.store(Arc::new(Ring::try_new(signing, keys)?));
        Ok(())
    }

    /// The public keys.
    pub fn key_set(&self) -> Arc<KeySet> {
        Arc::clone(&self.ring.load().keys)
    }

    /// The private key, where there is one.
    pub fn signing_key(&self) -> Option<SigningKey> {
        self.ring.load().signing.clone()
    }

    /// A token that says `claims`. `None` where there is no private key.
    pub fn sign(&self, claims: &AccessClaims) -> Option<Result<String, TokenError>> {
        let ring = self.ring.load();
        let key = ring.signing.as_ref()?;
        let header = Header { kid: Some(key.public().id().to_owned()), ..Header::new(Algorithm::EdDSA) };
        Some(jsonwebtoken::encode(&header, claims, &key.encoding).map_err(TokenError::from))
    }

    /// What the token says, if the signature, audience and time are right.
    pub fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<AccessClaims, TokenError> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| TokenError::Malformed)?;
        let id = header.kid.ok_or(TokenError::Malformed)?;
        let ring = self.ring.load();
        let key = ring.verifying.get(&id).ok_or(TokenError::UnknownKey)?;
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
        let published = serde_json::to_string(&*tokens.key_set()).expect("serializes");
        let elsewhere =
            AccessTokens::verifying(serde_json::from_str(&published).expect("parses")).expect("verifies");
        assert_eq!(elsewhere.verify(&token, now()), Ok(claims));
    }

    #[test]
    fn expired_forged_and_malformed_tokens_are_told_apart() {
        let token = tokens(1).sign(&claims()).expect("has a key").expect("signs");
        let late = now() + TimeDelta::seconds(ACCESS_TOKEN_SECONDS + LEEWAY_SECONDS);
        assert_eq!(tokens(1).verify(&token, late), Err(TokenError::Expired));
        assert_eq!(tokens(2).verify(&token, now()), Err(TokenError::UnknownKey));
        let (head, signature) = token.rsplit_once('.').expect("three parts");
        let other = if signature.starts_with('A') { "B" } else { "A" };
        let tampered = format!("{head}.{other}{}", &signature[1..]);
        assert_eq!(tokens(1).verify(&tampered, now()), Err(TokenError::Forged));
        assert_eq!(tokens(1).verify("nonsense", now()), Err(TokenError::Malformed));
    }

    #[test]
    fn a_token_for_another_audience_is_refused() {
        for audience in ["", "entities", "https://pulse.example", "Pulse"] {
            let claims = AccessClaims { aud: audience.to_owned(), ..claims() };
            let token = tokens(1).sign(&claims).expect("has a key").expect("signs");
            assert_eq!(tokens(1).verify(&token, now()), Err(TokenError::WrongAudience), "{audience}");
        }
        // What a gateway says to a subgraph is no access token either, whatever it is signed with.
        let caller = crate::CallerTokens::new("pulse", &pulse_types::Secret::new("a shared secret"));
        let token = caller.sign(&Caller::anonymous(RequestId::new(now())), now()).expect("signs");
        assert_eq!(tokens(1).verify(&token, now()), Err(TokenError::Malformed));
    }

    #[test]
    fn replaced_keys_are_replaced_for_everybody_and_old_tokens_stay_good_while_their_key_is_there() {
        let (old, new) = (
            SigningKey::from_seed(&[1; 32]).expect("a key"),
            SigningKey::from_seed(&[2; 32]).expect("a key"),
        );
        let all = AccessTokens::signing(old.clone()).expect("signs");
        let elsewhere = all.clone();
        let before = all.sign(&claims()).expect("has a key").expect("signs");
        all.replace(Some(new.clone()), KeySet::new([old.public(), new.public()])).expect("keys");
        let after = elsewhere.sign(&claims()).expect("has a key").expect("signs");
        assert!(elsewhere.verify(&before, now()).is_ok() && elsewhere.verify(&after, now()).is_ok());
        assert_eq!(
            jsonwebtoken::decode_header(&after).expect("a token").kid.as_deref(),
            Some(new.public().id())
        );
        all.replace(Some(new.clone()), KeySet::new([new.public()])).expect("keys");
        assert_eq!(elsewhere.verify(&before, now()), Err(TokenError::UnknownKey));
        assert!(elsewhere.verify(&after, now()).is_ok());
    }
}
