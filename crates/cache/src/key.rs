//! Whose an answer is, and to what.

use std::sync::Arc;
use std::time::Duration;

use pulse_types::{Caller, OrgId};
use sha2::{Digest, Sha256};

/// A kind of answers: what metrics call it, and which shape it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Space {
    name: &'static str,
    shape: u32,
    ttl: Option<Duration>,
    is_shared: bool,
}

impl Space {
    /// The answers that are called `name`, such as `entities.by_id`. `shape` is another number whenever what is kept
    /// looks different, so that processes of two versions do not read each other's.
    pub const fn new(name: &'static str, shape: u32) -> Self {
        Self { name, shape, ttl: None, is_shared: true }
    }

    /// How long they are kept at most, when it is not the cache's own limit.
    #[must_use]
    pub const fn keep_for(self, ttl: Duration) -> Self {
        Self { ttl: Some(ttl), ..self }
    }

    /// They stay in the process, and are never written to Redis: for what belongs to people.
    #[must_use]
    pub const fn within_process(self) -> Self {
        Self { is_shared: false, ..self }
    }

    /// What metrics call it.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) const fn is_shared(&self) -> bool {
        self.is_shared
    }

    pub(crate) const fn ttl(&self) -> Option<Duration> {
        self.ttl
    }
}

/// What is asked for, and whose the answer is. There is no key that does not say so.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    owner: Owner,
    what: Arc<str>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Owner {
    Public,
    Tenant(OrgId),
    /// A digest of all that two callers have to have in common for their answers to be the same.
    Caller {
        tenant: Option<OrgId>,
        digest: [u8; 32],
    },
}

impl Key {
    /// An answer that is the same for everybody.
    pub fn public(what: impl Into<Arc<str>>) -> Self {
        Self { owner: Owner::Public, what: what.into() }
    }

    /// An answer that is the same for all in `tenant` who may have it. Whether the caller may has to be asked before.
    pub fn of_tenant(tenant: OrgId, what: impl Into<Arc<str>>) -> Self {
        Self { owner: Owner::Tenant(tenant), what: what.into() }
    }

    /// An answer for this caller and those who are equal to them: the same person in the same session and tenant, with the
    /// same rights, from wherever they ask.
    pub fn of_caller(caller: &Caller, what: impl Into<Arc<str>>) -> Self {
        let Caller { subject, org, session, permissions, rights, identity, request: _, origin: _ } = caller;
        let parts = serde_json::to_vec(&(subject, org, session, permissions, rights, identity))
            .expect("a caller has only keys that are strings");
        let digest = Sha256::digest(parts).into();
        Self { owner: Owner::Caller { tenant: *org, digest }, what: what.into() }
    }

    /// The tenant whose changes concern the answer; `None` for those of all.
    pub(crate) const fn tenant(&self) -> Option<OrgId> {
        match self.owner {
            Owner::Public => None,
            Owner::Tenant(tenant) => Some(tenant),
            Owner::Caller { tenant, .. } => tenant,
        }
    }

    /// What is asked for.
    pub fn what(&self) -> &str {
        &self.what
    }
}

/// Where an answer is kept.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    pub(crate) space: Space,
    pub(crate) key: Key,
}

impl Place {
    /// What the place is called where names are short. Two places never have the same.
    pub(crate) fn digest(&self) -> String {
        let mut digest = Sha256::new();
        digest.update(self.space.name);
        digest.update([0]);
        digest.update(self.space.shape.to_be_bytes());
        match &self.key.owner {
            Owner::Public => digest.update([0]),
            Owner::Tenant(tenant) => {
                digest.update([1]);
                digest.update(tenant.uuid());
            }
            Owner::Caller { tenant: _, digest: caller } => {
                digest.update([2]);
                digest.update(caller);
            }
        }
        digest.update(self.key.what.as_bytes());
        digest.finalize().iter().fold(String::with_capacity(64), |mut text, byte| {
            let _ = std::fmt::Write::write_fmt(&mut text, format_args!("{byte:02x}"));
            text
        })
    }
}

#[cfg(test)]
mod tests {
    use pulse_types::{Effect, Permission, RequestId, Resource, ResourceKind, SessionId, Subject, UserId};
    use uuid::Uuid;

    use super::*;

    const SPACE: Space = Space::new("test", 1);

    fn org(number: u128) -> OrgId {
        OrgId::from_uuid(Uuid::from_u128(number))
    }

    fn caller() -> Caller {
        let mut caller = Caller::system(org(1), RequestId::from_uuid(Uuid::from_u128(9)));
        caller.subject = Subject::User(UserId::from_uuid(Uuid::from_u128(2)));
        caller
    }

    fn digest(key: Key) -> String {
        Place { space: SPACE, key }.digest()
    }

    #[test]
    fn the_same_words_of_different_owners_are_different_keys() {
        let caller = caller();
        let keys = [
            Key::public("a"),
            Key::of_tenant(org(1), "a"),
            Key::of_tenant(org(2), "a"),
            Key::of_caller(&caller, "a"),
            Key::of_caller(&caller, "b"),
        ];
        for (place, one) in keys.iter().enumerate() {
            for other in &keys[..place] {
                assert_ne!(one, other);
                assert_ne!(digest(one.clone()), digest(other.clone()));
            }
        }
    }

    #[test]
    fn callers_share_when_they_differ_in_nothing_but_their_request() {
        let caller = caller();
        let key = Key::of_caller(&caller, "a");
        let again = Caller { request: RequestId::from_uuid(Uuid::from_u128(10)), ..caller.clone() };
        assert_eq!(Key::of_caller(&again, "a"), key);
        let session = Some(SessionId::from_uuid(Uuid::from_u128(3)));
        let fewer = [Permission::ENTITY_READ].into_iter().collect();
        let thing = Resource::new(ResourceKind::ENTITY, Uuid::from_u128(4));
        let others = [
            Caller { session, ..caller.clone() },
            Caller {
                rights: [(Effect::Deny, Permission::ENTITY_READ, thing)].into_iter().collect(),
                ..caller.clone()
            },
            Caller { permissions: fewer, ..caller.clone() },
            Caller { subject: Subject::System, ..caller.clone() },
            Caller { org: None, ..caller.clone() },
        ];
        for other in others {
            assert_ne!(Key::of_caller(&other, "a"), key, "{other:?}");
        }
    }

    #[test]
    fn another_shape_is_another_place() {
        let place = |space| Place { space, key: Key::public("a") }.digest();
        assert_ne!(place(Space::new("test", 1)), place(Space::new("test", 2)));
    }
}
