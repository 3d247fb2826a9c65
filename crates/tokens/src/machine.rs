//! Secrets of programs: API keys, and what service accounts get access tokens for.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pulse_types::{MachineId, Secret};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// How long the id is in the text: 16 bytes.
const ID: usize = 22;

/// How long the random part is: 32 bytes.
const RANDOM: usize = 43;

/// How long the checksum is: 4 bytes.
const CHECKSUM: usize = 6;

/// What a secret is for. By the prefix, scanners of leaked secrets know what they have found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MachineKind {
    /// It is sent with each request.
    ApiKey,
    /// It is exchanged for access tokens.
    ServiceAccount,
}

/// The secret of an API key or a service account: prefix, id, 256 random bits and a checksum, all but the prefix in
/// base64url. Who it belongs to and whether it was mistyped is seen without asking anybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachineSecret {
    /// What it is for.
    pub kind: MachineKind,
    /// Whose it is.
    pub machine: MachineId,
    text: Secret,
}

/// Text that is no such secret. It does not say the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not a whole API key or client secret: a part is missing or mistyped")]
pub struct MalformedSecret;

impl MachineKind {
    const ALL: [Self; 2] = [Self::ApiKey, Self::ServiceAccount];

    const fn prefix(self) -> &'static str {
        match self {
            Self::ApiKey => "pulse_ak_",
            Self::ServiceAccount => "pulse_cs_",
        }
    }

    /// What is shown of a secret of `machine`: enough to know it by, nothing to guess it from.
    pub fn shown(self, machine: MachineId) -> String {
        format!("{}{}", self.prefix(), URL_SAFE_NO_PAD.encode(machine.uuid()))
    }
}

impl MachineSecret {
    /// Another one each time.
    pub fn new(kind: MachineKind, machine: MachineId) -> Self {
        let random = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
        let text = format!("{}{random}", kind.shown(machine));
        let checksum = checksum(&text);
        Self { kind, machine, text: Secret::new(format!("{text}{checksum}")) }
    }

    /// Whether text looks as if it were meant to be such a secret.
    pub fn is_meant(text: &str) -> bool {
        MachineKind::ALL.iter().any(|kind| text.starts_with(kind.prefix()))
    }

    /// Reads what a client has sent. Whether it was ever given out is not known by that.
    pub fn parse(text: &str) -> Result<Self, MalformedSecret> {
        let kind = MachineKind::ALL.into_iter().find(|kind| text.starts_with(kind.prefix()));
        let kind = kind.ok_or(MalformedSecret)?;
        let prefix = kind.prefix().len();
        if !text.is_ascii() || text.len() != prefix + ID + RANDOM + CHECKSUM {
            return Err(MalformedSecret);
        }
        let (checked, given) = text.split_at(text.len() - CHECKSUM);
        if checksum(checked) != given {
            return Err(MalformedSecret);
        }
        let id = URL_SAFE_NO_PAD.decode(&text[prefix..prefix + ID]).map_err(|_| MalformedSecret)?;
        let id = Uuid::from_slice(&id).map_err(|_| MalformedSecret)?;
        Ok(Self { kind, machine: MachineId::from_uuid(id), text: Secret::new(text) })
    }

    /// SHA-256 of the text: what the database keeps. It needs no salt and no cost, as the text has 256 random bits.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.text.expose()).into()
    }

    /// The text itself, for whom it is made alone.
    pub const fn text(&self) -> &Secret {
        &self.text
    }
}

fn checksum(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(&Sha256::digest(text)[..4])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine() -> MachineId {
        MachineId::from_uuid(Uuid::from_u128(0x0190_8000_1234_7abc_8def_0123_4567_89ab))
    }

    #[test]
    fn a_secret_says_what_and_whose_it_is() {
        for kind in MachineKind::ALL {
            let secret = MachineSecret::new(kind, machine());
            let text = secret.text().expose();
            assert!(text.starts_with(&kind.shown(machine())) && MachineSecret::is_meant(text));
            assert_eq!(MachineSecret::parse(text), Ok(secret.clone()));
            assert_ne!(MachineSecret::new(kind, machine()).hash(), secret.hash());
        }
    }

    #[test]
    fn what_is_cut_mistyped_or_something_else_is_refused_without_asking_anybody() {
        let secret = MachineSecret::new(MachineKind::ApiKey, machine());
        let text = secret.text().expose();
        for (index, byte) in text.bytes().enumerate() {
            let other = if byte == b'A' { "B" } else { "A" };
            let mistyped = format!("{}{other}{}", &text[..index], &text[index + 1..]);
            assert_eq!(MachineSecret::parse(&mistyped), Err(MalformedSecret), "{index}");
        }
        for wrong in ["", "pulse_ak_", &text[..79], &format!("{text}A"), "pulse_ak_ü"] {
            assert_eq!(MachineSecret::parse(wrong), Err(MalformedSecret), "{wrong}");
        }
        assert!(!MachineSecret::is_meant("eyJhbGciOiJFZERTQSJ9.e30.x"));
    }
}
