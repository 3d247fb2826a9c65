//! What an answer is kept under: those who share it, and all on which it depends.

use std::hash::Hash;

use http::HeaderMap;
use pulse_types::Caller;

use super::Digest;
use crate::engine::SharingScope;

/// Names a kept answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key([u8; 32]);

impl Key {
    /// The name of what was taken in.
    pub(crate) fn of(digest: Digest) -> Self {
        Self(digest.end())
    }

    /// A part of it that tells most keys apart.
    pub(super) fn short(&self) -> u64 {
        u64::from_le_bytes(self.0[..8].try_into().expect("eight bytes are eight"))
    }

    /// As it is written where several processes find it.
    pub(super) fn hex(&self) -> String {
        let (high, low) = self.0.split_at(16);
        let number = |half: &[u8]| u128::from_be_bytes(half.try_into().expect("half of it is 16 bytes"));
        format!("{:032x}{:032x}", number(high), number(low))
    }
}

/// Who shares an answer in fact: a caller without a tenant, or with rights on single things in it, shares with nobody what is
/// shared in tenants.
pub(super) fn effective(scope: SharingScope, caller: &Caller) -> SharingScope {
    match scope {
        SharingScope::Tenant if caller.org.is_none() || !caller.rights.is_none() => SharingScope::Caller,
        scope => scope,
    }
}

/// Names those who share an answer. In a tenant they are those with the same rights: what somebody may not see is not kept
/// away from them by the gateway alone.
pub(super) fn audience(scope: SharingScope, caller: &Caller) -> [u8; 32] {
    let Caller { subject, org, session, permissions, rights, identity, request: _, origin: _ } = caller;
    let parts = match effective(scope, caller) {
        SharingScope::Public => serde_json::to_vec("public"),
        SharingScope::Tenant => {
            let policies = identity.as_ref().map(|identity| &identity.policies);
            serde_json::to_vec(&("tenant", org, permissions, policies))
        }
        SharingScope::Caller => {
            serde_json::to_vec(&("caller", subject, org, session, permissions, rights, identity))
        }
    };
    let mut digest = Digest::default();
    parts.expect("a caller's parts have only keys that are text").hash(&mut digest);
    digest.end()
}

/// Takes in headers, in an order that is always the same.
pub(super) fn hash_headers(headers: &HeaderMap, digest: &mut Digest) {
    let mut all: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    // Values of one name stay in their order.
    all.sort_by_key(|(name, _)| *name);
    all.hash(digest);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use pulse_types::{
        Effect, Identity, OrgId, Permission, Permissions, RequestId, Resource, ResourceKind, SessionId,
        Subject, UserId,
    };
    use uuid::Uuid;

    use super::*;

    fn caller(user: u128, org: u128, scopes: &str) -> Caller {
        Caller {
            subject: Subject::User(UserId::from_uuid(Uuid::from_u128(user))),
            org: (org > 0).then(|| OrgId::from_uuid(Uuid::from_u128(org))),
            permissions: Permissions::from_scope(scopes),
            ..Caller::anonymous(RequestId::new(chrono::DateTime::UNIX_EPOCH))
        }
    }

    fn share(scope: SharingScope, one: &Caller, other: &Caller) -> bool {
        audience(scope, one) == audience(scope, other)
    }

    #[test]
    fn a_caller_shares_only_with_those_who_are_equal() {
        let one = caller(1, 1, "a b");
        let session = Some(SessionId::from_uuid(Uuid::from_u128(5)));
        let identity = |policy: &str| {
            let policies = [policy.to_owned()].into();
            let (issuer, subject) = ("i".to_owned(), "s".to_owned());
            Some(Arc::new(Identity { issuer, subject, org: None, policies, claims: serde_json::Map::new() }))
        };
        assert!(share(SharingScope::Caller, &one, &caller(1, 1, "b a")));
        for other in [
            caller(2, 1, "a b"),
            caller(1, 2, "a b"),
            caller(1, 1, "a"),
            Caller { session, ..one.clone() },
            Caller { identity: identity("p"), ..one.clone() },
        ] {
            assert!(!share(SharingScope::Caller, &one, &other), "{other:?}");
        }
        let with = |policy: &str| Caller { identity: identity(policy), ..one.clone() };
        assert!(!share(SharingScope::Caller, &with("p"), &with("q")));
        assert!(!share(SharingScope::Tenant, &with("p"), &with("q")));
    }

    #[test]
    fn those_of_a_tenant_share_who_have_the_same_rights() {
        let one = caller(1, 1, "a");
        assert!(share(SharingScope::Tenant, &one, &caller(2, 1, "a")));
        assert!(!share(SharingScope::Tenant, &one, &caller(2, 1, "a b")));
        let thing = Resource::new(ResourceKind::ENTITY, Uuid::from_u128(6));
        let rights = [(Effect::Deny, Permission::ENTITY_READ, thing)].into_iter().collect();
        assert!(!share(SharingScope::Tenant, &one, &Caller { rights, ..caller(2, 1, "a") }));
        assert!(!share(SharingScope::Tenant, &one, &caller(2, 2, "a")));
        assert!(!share(SharingScope::Tenant, &caller(1, 0, "a"), &caller(2, 0, "a")));
        assert!(share(SharingScope::Public, &one, &caller(2, 2, "")));
    }
}
