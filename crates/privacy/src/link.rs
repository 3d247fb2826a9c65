//! Links by which exports are downloaded.

use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;
use pulse_sealing::Sealer;
use pulse_types::{OrgId, UserId};
use uuid::Uuid;

const PURPOSE: &str = "platform.export_links";

/// A right to download an export, for one person and for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// Which export, of a person's data or of the audit.
    pub export: Uuid,
    /// Who may download it.
    pub person: UserId,
    /// In which tenant that person has to act; in any, if it is the person's own.
    pub org: Option<OrgId>,
    /// Until when, in seconds since 1970.
    pub expires: i64,
}

impl Link {
    /// The path and query of the link.
    pub fn path(&self, sealer: &Sealer) -> String {
        let Self { export, person, org, expires } = self;
        let within = org.map(|org| format!("&within={org}")).unwrap_or_default();
        let signature = HEXLOWER.encode(&self.digest(sealer));
        format!("/exports/{export}?for={person}{within}&expires={expires}&signature={signature}")
    }

    /// Whether the signature is this link's and its time is not over.
    pub(crate) fn is_good(&self, sealer: &Sealer, signature: &str, now: DateTime<Utc>) -> bool {
        let Ok(signature) = HEXLOWER.decode(signature.as_bytes()) else { return false };
        let parts = self.parts();
        sealer.is_digest(PURPOSE, &parts.each_ref().map(String::as_str), &signature)
            && now.timestamp() < self.expires
    }

    fn digest(&self, sealer: &Sealer) -> [u8; 32] {
        sealer.digest(PURPOSE, &self.parts().each_ref().map(String::as_str))
    }

    fn parts(&self) -> [String; 4] {
        let within = self.org.map(|org| org.to_string()).unwrap_or_default();
        [self.export.to_string(), self.person.to_string(), within, self.expires.to_string()]
    }
}
