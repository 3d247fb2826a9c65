//! Links, and how the last one is signed.

use data_encoding::HEXLOWER;
use pulse_sealing::Sealer;
use sha2::{Digest, Sha256};
use sqlx::FromRow;
use uuid::Uuid;

/// Under which tenant facts of none are chained.
pub(crate) const NOBODY: Uuid = Uuid::nil();

/// A link of a chain.
pub(crate) type Link = [u8; 32];

/// What stands before the first link, and for a fact that is not there.
pub(crate) const NOTHING: Link = [0; 32];

const PURPOSE: &str = "platform.audit_heads";

/// Where a tenant's chain ends, as stored.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub(crate) struct Head {
    pub(crate) nth: i64,
    pub(crate) link: Vec<u8>,
    pub(crate) mac: Vec<u8>,
}

/// The link behind `before` for a fact of this digest.
pub(crate) fn next(before: &[u8], digest: &[u8]) -> Link {
    Sha256::new().chain_update(before).chain_update(digest).finalize().into()
}

/// The signature of a chain that ends so.
pub(crate) fn sign(sealer: &Sealer, tenant: Uuid, nth: i64, link: &[u8]) -> [u8; 32] {
    let parts = parts(tenant, nth, link);
    sealer.digest(PURPOSE, &parts.each_ref().map(String::as_str))
}

/// Whether a head was signed by a key of ours.
pub(crate) fn is_ours(sealer: &Sealer, tenant: Uuid, head: &Head) -> bool {
    let parts = parts(tenant, head.nth, &head.link);
    sealer.is_digest(PURPOSE, &parts.each_ref().map(String::as_str), &head.mac)
}

fn parts(tenant: Uuid, nth: i64, link: &[u8]) -> [String; 3] {
    [tenant.to_string(), nth.to_string(), HEXLOWER.encode(link)]
}

/// Whether it was the key of now.
pub(crate) fn is_current(sealer: &Sealer, tenant: Uuid, head: &Head) -> bool {
    sign(sealer, tenant, head.nth, &head.link)[..] == head.mac[..]
}
