//! Sealing and opening.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use pulse_types::Secret;
use sha2::Sha256;
use uuid::Uuid;

use crate::key::Key;
use crate::{InvalidKey, KeyId};

/// What every sealed secret begins with: what it is, and how it is made.
const PREFIX: &str = "sealed.1.";

const NONCE: usize = 24;

/// Where a secret is stored. It can be opened as the secret of this place alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The tenant, or the person, that it belongs to.
    pub owner: Uuid,
    /// The column, as `schema.table.column`.
    pub column: &'static str,
    /// The row.
    pub row: Uuid,
}

impl Place {
    /// The column has no zero byte, and the ids have one length: different places are different bytes.
    fn bytes(&self) -> Vec<u8> {
        [self.column.as_bytes(), &[0], self.owner.as_bytes(), self.row.as_bytes()].concat()
    }
}

/// Why a stored secret cannot be opened. The texts contain nothing of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// It needs a key that this process does not have.
    #[error(
        "it is sealed with the key {0}, which is not configured: set that one as secrets.encryption_key (PULSE_ENCRYPTION_KEY), or list it in secrets.old_encryption_keys"
    )]
    UnknownKey(String),
    /// It was changed, or belongs elsewhere.
    #[error("it was changed after it was sealed, or belongs to another row")]
    Forged,
    /// It is no sealed secret.
    #[error("it is not a sealed secret")]
    Malformed,
}

/// Seals with one key, and opens what that one or an old one has sealed. Cheap to clone.
#[derive(Clone)]
pub struct Sealer {
    keys: Arc<Keys>,
}

struct Keys {
    current: Key,
    old: Vec<Key>,
}

impl Sealer {
    /// A sealer with the key for what is new, and those of before.
    pub fn try_new(current: &Secret, old: &[Secret]) -> Result<Self, InvalidKey> {
        let (current, old) =
            (Key::try_new(current)?, old.iter().map(Key::try_new).collect::<Result<_, _>>()?);
        Ok(Self { keys: Arc::new(Keys { current, old }) })
    }

    /// The id of the key that seals what is new.
    pub fn key_id(&self) -> &KeyId {
        &self.keys.current.id
    }

    /// What each secret begins with that is sealed with the key of now.
    pub fn beginning(&self) -> String {
        format!("{PREFIX}{}.", self.keys.current.id)
    }

    /// Whether the text is a sealed secret, by its form.
    pub fn is_sealed(text: &str) -> bool {
        text.starts_with(PREFIX)
    }

    /// The secret as it is stored in `place`. Each call makes another text.
    pub fn seal(&self, secret: &Secret, place: Place) -> String {
        let Key { id, cipher, mac: _ } = &self.keys.current;
        let nonce = rand::random::<[u8; NONCE]>();
        let aad = place.bytes();
        let payload = Payload { msg: secret.expose().as_bytes(), aad: &aad };
        let sealed = cipher.encrypt(&XNonce::from(nonce), payload);
        let sealed = sealed.expect("a secret is shorter than the 256 GiB that the cipher takes");
        format!("{PREFIX}{id}.{}", URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat()))
    }

    /// The secret that is stored in `place`.
    pub fn open(&self, sealed: &str, place: Place) -> Result<Secret, OpenError> {
        let (id, encoded) =
            sealed.strip_prefix(PREFIX).and_then(|rest| rest.split_once('.')).ok_or(OpenError::Malformed)?;
        let cipher = self.cipher(id).ok_or_else(|| OpenError::UnknownKey(id.chars().take(32).collect()))?;
        let bytes = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| OpenError::Malformed)?;
        let (nonce, ciphertext) = bytes.split_first_chunk::<NONCE>().ok_or(OpenError::Malformed)?;
        let aad = place.bytes();
        let opened = cipher.decrypt(&XNonce::from(*nonce), Payload { msg: ciphertext, aad: &aad });
        let opened = String::from_utf8(opened.map_err(|_| OpenError::Forged)?);
        opened.map(Secret::new).map_err(|_| OpenError::Malformed)
    }

    /// A digest of `parts` for one purpose, which nobody can make or guess back without the key. Another key makes others.
    pub fn digest(&self, purpose: &str, parts: &[&str]) -> [u8; 32] {
        mac_of(&self.keys.current, purpose, parts).finalize().into_bytes().into()
    }

    /// Whether `digest` is that of `parts` for the purpose, with this key or one of before. Takes as long whatever differs.
    pub fn is_digest(&self, purpose: &str, parts: &[&str], digest: &[u8]) -> bool {
        let Keys { current, old } = &*self.keys;
        std::iter::once(current)
            .chain(old)
            .any(|key| mac_of(key, purpose, parts).verify_slice(digest).is_ok())
    }

    fn cipher(&self, id: &str) -> Option<&XChaCha20Poly1305> {
        let Keys { current, old } = &*self.keys;
        std::iter::once(current).chain(old).find(|key| key.id.as_str() == id).map(|key| &key.cipher)
    }
}

fn mac_of(key: &Key, purpose: &str, parts: &[&str]) -> Hmac<Sha256> {
    let mut mac = key.mac.clone();
    for part in std::iter::once(&purpose).chain(parts) {
        // With its length, so that no two lists of parts are the same bytes.
        mac.update(&(part.len() as u64).to_le_bytes());
        mac.update(part.as_bytes());
    }
    mac
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Sealer").field(self.key_id()).finish()
    }
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    const PLACE: Place = Place { owner: Uuid::from_u128(1), column: "a.b.c", row: Uuid::from_u128(2) };

    fn key(byte: u8) -> Secret {
        Secret::new(STANDARD.encode([byte; 32]))
    }

    fn sealer(byte: u8) -> Sealer {
        Sealer::try_new(&key(byte), &[]).expect("a key")
    }

    #[test]
    fn what_is_sealed_opens_in_its_place_alone() {
        let (sealer, secret) = (sealer(1), Secret::new("whsec_geheim ü"));
        let sealed_text = sealer.seal(&secret, PLACE);
        assert!(Sealer::is_sealed(&sealed_text) && !sealed_text.contains("geheim"), "{sealed_text}");
        assert_ne!(sealed_text, sealer.seal(&secret, PLACE));
        assert_eq!(sealer.open(&sealed_text, PLACE), Ok(secret));
        for elsewhere in [
            Place { owner: Uuid::from_u128(3), ..PLACE },
            Place { column: "a.b.d", ..PLACE },
            Place { row: Uuid::from_u128(3), ..PLACE },
        ] {
            assert_eq!(sealer.open(&sealed_text, elsewhere), Err(OpenError::Forged), "{elsewhere:?}");
        }
    }

    #[test]
    fn another_key_says_which_one_is_needed() {
        let sealed = sealer(1).seal(&Secret::new("secret"), PLACE);
        let needed = sealer(1).key_id().to_string();
        assert_eq!(sealer(2).open(&sealed, PLACE), Err(OpenError::UnknownKey(needed)));
    }

    #[test]
    fn an_old_key_opens_and_the_new_one_seals() {
        let old = sealer(1).seal(&Secret::new("secret"), PLACE);
        let both = Sealer::try_new(&key(2), &[key(1)]).expect("keys");
        assert_eq!(both.open(&old, PLACE), Ok(Secret::new("secret")));
        let new = both.seal(&Secret::new("secret"), PLACE);
        assert_eq!(sealer(2).open(&new, PLACE), Ok(Secret::new("secret")));
    }

    #[test]
    fn a_changed_or_foreign_text_is_refused() {
        let sealer = sealer(1);
        let sealed_text = sealer.seal(&Secret::new("secret"), PLACE);
        let (head, last) = sealed_text.split_at(sealed_text.len() - 2);
        let changed = format!("{head}{}", if last == "AA" { "BA" } else { "AA" });
        assert_eq!(sealer.open(&changed, PLACE), Err(OpenError::Forged));
        let id = sealer.key_id();
        for text in
            ["", "whsec_plain", "sealed.1.", &format!("sealed.1.{id}.AAAA"), &format!("sealed.1.{id}.%")]
        {
            assert_eq!(sealer.open(text, PLACE), Err(OpenError::Malformed), "{text}");
        }
    }

    #[test]
    fn a_digest_of_an_old_key_is_known_and_one_of_another_key_is_not() {
        let both = Sealer::try_new(&key(2), &[key(1)]).expect("keys");
        let old = sealer(1).digest("a", &["b"]);
        assert!(both.is_digest("a", &["b"], &old) && both.is_digest("a", &["b"], &both.digest("a", &["b"])));
        assert!(!sealer(2).is_digest("a", &["b"], &old) && !both.is_digest("a", &["c"], &old));
        assert!(!both.is_digest("a", &["b"], &old[..16]));
    }

    #[test]
    fn a_digest_depends_on_the_key_the_purpose_and_each_part() {
        let digest = sealer(1).digest("a", &["b", "c"]);
        assert_eq!(digest, sealer(1).digest("a", &["b", "c"]));
        let others = [
            sealer(2).digest("a", &["b", "c"]),
            sealer(1).digest("x", &["b", "c"]),
            sealer(1).digest("a", &["bc"]),
            sealer(1).digest("a", &["b", "c", ""]),
        ];
        assert!(!others.contains(&digest));
    }

    #[test]
    fn a_key_is_32_bytes_in_base64() {
        for wrong in ["", "short", &STANDARD.encode([7; 31]), &STANDARD.encode([7; 33])] {
            assert_eq!(Sealer::try_new(&Secret::new(wrong), &[]).err(), Some(InvalidKey), "{wrong}");
        }
        assert_eq!(Sealer::try_new(&key(1), &[Secret::new("x")]).err(), Some(InvalidKey));
    }
}
