//! What the platform signs of an export: whose chain it is, and where it begins and ends.

use data_encoding::HEXLOWER;
use pulse_sealing::Sealer;
use uuid::Uuid;

use super::record::Joint;

const PURPOSE: &str = "platform.audit_exports";

pub(crate) fn of(sealer: &Sealer, tenant: Uuid, after: &Joint, end: &Joint) -> [u8; 32] {
    sealer.digest(PURPOSE, &parts(tenant, after, end).each_ref().map(String::as_str))
}

pub(crate) fn is_ours(
    sealer: &Sealer,
    tenant: Uuid,
    (after, end): (&Joint, &Joint),
    signature: &[u8],
) -> bool {
    sealer.is_digest(PURPOSE, &parts(tenant, after, end).each_ref().map(String::as_str), signature)
}

fn parts(tenant: Uuid, after: &Joint, end: &Joint) -> [String; 5] {
    let link = |joint: &Joint| HEXLOWER.encode(&joint.link);
    [tenant.to_string(), after.nth.to_string(), link(after), end.nth.to_string(), link(end)]
}
