//! Policies of tenants, and the people whom they are for, as they are kept in the process.

use std::collections::HashMap;
use std::sync::Arc;

use pulse_store::{CachedRead, Scope, Session, Space, Store, StoreError, Tagging};
use pulse_types::{Caller, MachineId, OrgId, Permissions, RequestId, Role, Tag, UserId};
use serde::{Deserialize, Serialize};

use super::decide::{Member, Principal};
use super::held::Held;
use super::policy::{KeptPolicy, Policy};
use super::{GRANT, ROLE, ROLE_ASSIGNMENT, repo};
use crate::{membership, unit};

/// Somebody whose access is asked about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessSubject {
    /// The person; for a program, the one who answers for it.
    pub user: UserId,
    /// The program, and what it was made for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<(MachineId, Permissions)>,
}

/// What people and programs may, by the policies of their tenants. Cheap to clone.
///
/// A policy is read once and kept, with the answers that the store keeps: until the event log, or a write of this process,
/// tells of a change. So it is not older than any write of whoever asks, nor than any change that was heard.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    store: Store,
}

static POLICIES: CachedRead<(), KeptPolicy> = CachedRead {
    space: Space::new("accounts.policies", 1).within_process(),
    scope: Scope::Tenant,
    tagging: Tagging::By(|_, (), _| [ROLE, ROLE_ASSIGNMENT, GRANT, unit::SUBJECT].map(Tag::list).to_vec()),
    load: |session, _| Box::pin(load_policy(session)),
};

async fn load_policy(session: &Session) -> Result<HashMap<(), KeptPolicy>, StoreError> {
    let Some(org) = session.caller().org else { return Ok(HashMap::new()) };
    let policy = Policy::new(repo::policy(session, org).await?);
    Ok(HashMap::from([((), KeptPolicy(Arc::new(policy)))]))
}

static MEMBERS: CachedRead<UserId, Member> = CachedRead {
    space: Space::new("accounts.members_with_units", 1).within_process(),
    scope: Scope::Tenant,
    tagging: Tagging::By(|_, user, _| {
        let in_units = Tag::list(unit::MEMBER).with("user", user.to_string());
        vec![Tag::row(membership::SUBJECT, user.uuid()), in_units, Tag::list(unit::SUBJECT)]
    }),
    load: |session, users| Box::pin(load_members(session, users)),
};

async fn load_members(session: &Session, users: Vec<UserId>) -> Result<HashMap<UserId, Member>, StoreError> {
    let Some(org) = session.caller().org else { return Ok(HashMap::new()) };
    repo::members(session, org, &users).await
}

impl Access {
    pub(crate) const fn new(store: Store) -> Self {
        Self { store }
    }

    /// Reads as Pulse itself: whoever asks may not be known yet, or may not see what decides.
    fn session(&self, org: OrgId) -> Session {
        let request = RequestId::new(self.store.clock().now());
        self.store.session(Arc::new(Caller::system(org, request)))
    }

    /// What each of these may.
    pub(crate) async fn held(&self, org: OrgId, subjects: &[AccessSubject]) -> Result<Vec<Held>, StoreError> {
        let session = self.session(org);
        let policy = policy(&session).await?;
        let mut users: Vec<_> = subjects.iter().map(|subject| subject.user).collect();
        users.sort_unstable();
        users.dedup();
        let members = session.read_through(&MEMBERS, users).await?;
        let now = self.store.clock().now();
        let held = subjects.iter().map(|AccessSubject { user, machine }| {
            let Some(member) = members.get(user) else { return Held::default() };
            let principal = match machine {
                None => Principal::Person(member),
                Some((id, scopes)) => Principal::Machine { id: *id, scopes, maker: member },
            };
            Held::new(&policy, principal, now)
        });
        Ok(held.collect())
    }

    /// What a member may whose role is known: nothing more is read where the tenant has laid down nothing.
    pub(crate) async fn of_member(
        &self,
        org: OrgId,
        (user, role): (UserId, Role),
    ) -> Result<Held, StoreError> {
        let session = self.session(org);
        let policy = policy(&session).await?;
        let mut units = Vec::new();
        if policy.asks_for_units() {
            let found = session.read_through(&MEMBERS, vec![user]).await?.remove(&user);
            units = found.map(|member| member.units).unwrap_or_default();
        }
        let member = Member { user, role: Some(role), units };
        Ok(Held::new(&policy, Principal::Person(&member), self.store.clock().now()))
    }
}

/// The policy of the caller's tenant.
pub(super) async fn policy(session: &Session) -> Result<Arc<Policy>, StoreError> {
    let found = session.read_through(&POLICIES, vec![()]).await?.remove(&());
    Ok(found.map(|kept| kept.0).unwrap_or_default())
}

/// The person in the caller's tenant; of nobody who is a member, one without a role.
pub(super) async fn member(session: &Session, user: UserId) -> Result<Member, StoreError> {
    let found = session.read_through(&MEMBERS, vec![user]).await?.remove(&user);
    Ok(found.unwrap_or(Member { user, role: None, units: Vec::new() }))
}
