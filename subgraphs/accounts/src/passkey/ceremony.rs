//! What is asked of a browser, and whether its answer is right (Web Authentication, level 3).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pulse_sealing::{Place, Sealer};
use pulse_types::{Secret, UserId};
use serde_json::{Map, Value};
use uuid::Uuid;
use webauthn_rp::bin::{Decode, Encode};
use webauthn_rp::request::auth::AuthenticationVerificationOptions;
use webauthn_rp::request::register::{
    Nickname, PublicKeyCredentialUserEntity, RegistrationVerificationOptions, UserHandle, Username,
};
use webauthn_rp::request::{AsciiDomain, PublicKeyCredentialDescriptor, RpId};
use webauthn_rp::response::register::{CompressedPubKey, DynamicState, StaticState};
use webauthn_rp::response::{AuthTransports, CredentialId};
use webauthn_rp::{
    AuthenticatedCredential, DiscoverableAuthentication, DiscoverableAuthenticationServerState,
    DiscoverableCredentialRequestOptions, PublicKeyCredentialCreationOptions, Registration,
    RegistrationServerState,
};

use super::PasskeyError;
use super::repo::KeyRow;
use crate::PasskeysConfig;
use crate::user::UserRow;

/// An id of a person, as authenticators keep it.
const HANDLE: usize = 16;

/// The site that passkeys are for.
#[derive(Clone)]
pub(crate) struct Site {
    rp_id: std::sync::Arc<RpId>,
    origins: std::sync::Arc<[String]>,
    sealer: Sealer,
}

/// What a browser is asked.
pub(crate) struct Asked {
    /// Comes back with the answer.
    pub(crate) ceremony: Secret,
    /// For `navigator.credentials`.
    pub(crate) options: Map<String, Value>,
}

/// A fault that no person can put right.
#[derive(Debug, thiserror::Error)]
#[error("passkeys: {0}")]
pub(crate) struct Fault(String);

/// What is kept of a new passkey.
pub(super) struct Kept {
    pub(super) credential_id: Vec<u8>,
    pub(super) static_state: Vec<u8>,
    pub(super) dynamic_state: Vec<u8>,
}

/// A browser's answer to being asked to sign in: who it says that it is, and by which passkey.
pub(super) struct Claim {
    answer: DiscoverableAuthentication<HANDLE>,
    pub(super) user: UserId,
    pub(super) credential_id: Vec<u8>,
}

impl Site {
    /// The site of the settings; what is wrong with them is the error.
    pub(crate) fn try_new(config: &PasskeysConfig, sealer: Sealer) -> Result<Self, &'static str> {
        let domain = AsciiDomain::try_from(config.rp_id.clone()).map_err(|_| "rp_id is not a domain")?;
        if config.origins.is_empty() || config.origins.iter().any(|origin| !is_origin(origin)) {
            return Err("origins are not of the form https://example.com, or there are none");
        }
        let (rp_id, origins) = (RpId::Domain(domain), config.origins.clone());
        Ok(Self { rp_id: rp_id.into(), origins: origins.into(), sealer })
    }

    /// Asks for a new passkey of this person; none of an authenticator that has one already.
    pub(super) fn ask_for_new(&self, user: &UserRow, known: Vec<Vec<u8>>) -> Result<Asked, Fault> {
        let handle = handle(user.id);
        let name = Username::try_from(user.email.as_str()).map_err(fault)?;
        let display_name = Nickname::try_from(user.name.as_str()).ok();
        let entity = PublicKeyCredentialUserEntity { name, id: &handle, display_name };
        let descriptor = |id| {
            let id = CredentialId::<Vec<u8>>::decode(id).map_err(fault)?;
            Ok(PublicKeyCredentialDescriptor { id, transports: AuthTransports::decode(0).map_err(fault)? })
        };
        let known = known.into_iter().map(descriptor).collect::<Result<_, Fault>>()?;
        let options = PublicKeyCredentialCreationOptions::<HANDLE>::passkey(&self.rp_id, entity, known);
        let (server, client) = options.start_ceremony().map_err(fault)?;
        let state = server.encode().map_err(fault)?;
        Ok(Asked { ceremony: self.seal(&state, new_place(user.id)), options: object(&client)? })
    }

    /// What to keep of the passkey that a browser has made for this person.
    pub(super) fn take_new(
        &self,
        user: UserId,
        ceremony: &Secret,
        answer: &Map<String, Value>,
    ) -> Result<Kept, PasskeyError> {
        let state = self.open(ceremony, new_place(user)).ok_or(PasskeyError::Ceremony)?;
        let state = RegistrationServerState::<HANDLE>::decode(&state).map_err(|_| PasskeyError::Ceremony)?;
        let answer = Registration::from_json_relaxed(&bytes(answer)).map_err(malformed)?;
        let options = RegistrationVerificationOptions::<&str, &str> {
            allowed_origins: &self.origins(),
            // Browsers' extensions answer more than is asked.
            error_on_unsolicited_extensions: false,
            ..RegistrationVerificationOptions::default()
        };
        let made = state.verify(&self.rp_id, &answer, &options);
        let made = made.map_err(|error| {
            tracing::debug!(%error, "a new passkey was refused");
            PasskeyError::Wrong
        })?;
        let Ok(static_state) = made.static_state().encode();
        let Ok(dynamic_state) = made.dynamic_state().encode();
        let credential_id = made.id().as_ref().to_vec();
        Ok(Kept { credential_id, static_state, dynamic_state: dynamic_state.to_vec() })
    }

    /// Asks for whatever passkey there is.
    pub(super) fn ask_who(&self) -> Result<Asked, Fault> {
        let options = DiscoverableCredentialRequestOptions::passkey(&self.rp_id);
        let (server, client) = options.start_ceremony().map_err(fault)?;
        let state = server.encode().map_err(fault)?;
        Ok(Asked { ceremony: self.seal(&state, ANYBODY), options: object(&client)? })
    }

    /// Whether the answer proves its claim, by what is kept of the passkey; what to keep of it from now on.
    pub(super) fn verify(
        &self,
        ceremony: &Secret,
        claim: &Claim,
        row: &KeyRow,
    ) -> Result<Vec<u8>, PasskeyError> {
        let state = self.open(ceremony, ANYBODY).ok_or(PasskeyError::Ceremony)?;
        let state = DiscoverableAuthenticationServerState::decode(&state);
        let state = state.map_err(|_| PasskeyError::Ceremony)?;
        let mut key = credential(claim, row).ok_or(PasskeyError::Wrong)?;
        let options = AuthenticationVerificationOptions::<&str, &str> {
            allowed_origins: &self.origins(),
            error_on_unsolicited_extensions: false,
            ..AuthenticationVerificationOptions::default()
        };
        state.verify(&self.rp_id, &claim.answer, &mut key, &options).map_err(|error| {
            tracing::debug!(%error, "a passkey was refused");
            PasskeyError::Wrong
        })?;
        let Ok(dynamic_state) = key.dynamic_state().encode();
        Ok(dynamic_state.to_vec())
    }

    fn origins(&self) -> Vec<&str> {
        self.origins.iter().map(String::as_str).collect()
    }

    fn seal(&self, state: &[u8], place: Place) -> Secret {
        Secret::new(self.sealer.seal(&Secret::new(URL_SAFE_NO_PAD.encode(state)), place))
    }

    fn open(&self, ceremony: &Secret, place: Place) -> Option<Vec<u8>> {
        let opened = self.sealer.open(ceremony.expose(), place).ok()?;
        URL_SAFE_NO_PAD.decode(opened.expose()).ok()
    }
}

impl Claim {
    pub(super) fn parse(answer: &Map<String, Value>) -> Result<Self, PasskeyError> {
        let answer = DiscoverableAuthentication::<HANDLE>::from_json_relaxed(&bytes(answer));
        let answer = answer.map_err(malformed)?;
        let Ok(handle) = answer.response().user_handle().encode();
        let credential_id = answer.raw_id().as_ref().to_vec();
        Ok(Self { user: UserId::from_uuid(Uuid::from_bytes(handle)), credential_id, answer })
    }
}

type PublicKey = CompressedPubKey<[u8; 32], [u8; 32], [u8; 48], Vec<u8>>;

/// What is kept of the passkey, as the library knows it; `None` if it is none.
fn credential<'a>(
    claim: &'a Claim,
    row: &KeyRow,
) -> Option<AuthenticatedCredential<'a, 'a, HANDLE, PublicKey>> {
    let static_state = StaticState::<PublicKey>::decode(row.static_state.as_slice()).ok()?;
    let dynamic_state = <[u8; 7]>::try_from(row.dynamic_state.as_slice()).ok()?;
    let dynamic_state = DynamicState::decode(dynamic_state).ok()?;
    let (id, handle) = (claim.answer.raw_id(), claim.answer.response().user_handle());
    AuthenticatedCredential::new(id, handle, static_state, dynamic_state).ok()
}

fn handle(user: UserId) -> UserHandle<HANDLE> {
    let Ok(handle) = UserHandle::decode(user.uuid().into_bytes());
    handle
}

fn object(value: &impl serde::Serialize) -> Result<Map<String, Value>, Fault> {
    match serde_json::to_value(value).map_err(fault)? {
        Value::Object(object) => Ok(object),
        other => Err(Fault(format!("options that are no object: {other}"))),
    }
}

fn bytes(answer: &Map<String, Value>) -> Vec<u8> {
    serde_json::to_vec(answer).expect("what was JSON is JSON")
}

fn malformed(error: impl std::fmt::Display) -> PasskeyError {
    PasskeyError::Malformed(error.to_string().chars().take(200).collect())
}

fn fault(error: impl std::fmt::Display) -> Fault {
    Fault(error.to_string())
}

fn is_origin(text: &str) -> bool {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    host.is_some_and(|host| !host.is_empty() && !host.contains(['/', ' ', '#', '?', '@']))
}

const fn new_place(user: UserId) -> Place {
    Place { owner: user.uuid(), column: "accounts.passkeys.ceremony", row: user.uuid() }
}

const ANYBODY: Place =
    Place { owner: Uuid::nil(), column: "accounts.passkey_ceremonies.ceremony", row: Uuid::nil() };
