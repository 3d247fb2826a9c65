//! A request's key in a rule: a hash, so that it is short and says nothing of who it is.

use std::net::IpAddr;

use http::HeaderMap;
use pulse_types::{Caller, Subject};
use sha2::{Digest, Sha256};

use crate::config::{KeyExpression, KeyPart};
use crate::ports::Terms;

/// Those whose requests are counted together.
pub(super) type Key = [u8; 16];

/// Who sends which operation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asker<'a> {
    pub(crate) caller: &'a Caller,
    /// What the credential is for: it may have limits of its own.
    pub(crate) terms: Option<&'a Terms>,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) address: Option<IpAddr>,
    pub(crate) operation: Option<&'a str>,
}

/// The key of a request by a rule.
pub(super) fn key(rule: &str, expression: &KeyExpression, asker: &Asker<'_>) -> Key {
    let mut hash = Sha256::new().chain_update(rule);
    for alternatives in expression.parts() {
        let mut found = alternatives.iter().enumerate();
        match found.find_map(|(index, part)| Some((index, value(part, asker)?))) {
            // Which alternative it was counts too: a user and an address never share a key.
            Some((index, value)) => {
                hash.update([1, u8::try_from(index).unwrap_or(u8::MAX)]);
                hash.update(Sha256::digest(value));
            }
            None => hash.update([0]),
        }
    }
    let mut key = Key::default();
    key.copy_from_slice(&hash.finalize()[..16]);
    key
}

fn value(part: &KeyPart, asker: &Asker<'_>) -> Option<Vec<u8>> {
    let identity = asker.caller.identity.as_deref();
    let named = |issuer: &str, name: &str| format!("{issuer}\0{name}").into_bytes();
    match part {
        KeyPart::Org => match (asker.caller.org, identity) {
            (Some(org), _) => Some(org.to_string().into_bytes()),
            (None, Some(identity)) => Some(named(&identity.issuer, identity.org.as_ref()?)),
            (None, None) => None,
        },
        KeyPart::User => match asker.caller.subject {
            Subject::Anonymous => None,
            Subject::User(user) => Some(user.to_string().into_bytes()),
            Subject::Machine { id, .. } => Some(id.to_string().into_bytes()),
            Subject::External => identity.map(|identity| named(&identity.issuer, &identity.subject)),
            Subject::System => Some(b"system".to_vec()),
        },
        // Of a key that was verified, its id: it is the same over a rotation, and in whichever header it was sent.
        KeyPart::ApiKey => match asker.caller.machine() {
            Some(id) => Some(id.to_string().into_bytes()),
            None => header(asker, "x-api-key"),
        },
        KeyPart::Ip => asker.address.map(|address| address.to_canonical().to_string().into_bytes()),
        KeyPart::Operation => asker.operation.map(|name| name.as_bytes().to_vec()),
        KeyPart::Header(name) => header(asker, name.as_str()),
        KeyPart::Claim(name) => {
            let claim = identity?.claims.get(name)?;
            Some(claim.as_str().map_or_else(|| claim.to_string(), ToOwned::to_owned).into_bytes())
        }
    }
}

fn header(asker: &Asker<'_>, name: &str) -> Option<Vec<u8>> {
    asker.headers.get(name).map(|value| value.as_bytes().to_vec()).filter(|value| !value.is_empty())
}
