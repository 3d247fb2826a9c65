//! Who asks.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    Effect, Identity, MachineId, OrgId, Origin, Permission, Permissions, Reach, RequestId, Resource,
    ResourceKind, ResourceRights, SessionId, UserId,
};

/// Who a caller is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Subject {
    /// Nobody that is known.
    Anonymous,
    /// A person.
    User(UserId),
    /// A program with a credential of its own: an API key or a service account.
    Machine {
        /// The credential.
        id: MachineId,
        /// The person who answers for it. It never may more than that person.
        maker: UserId,
    },
    /// Somebody whom another issuer of tokens knows; the caller's identity says who.
    External,
    /// Pulse itself: a job, an import, a sequencer.
    System,
}

/// Who asks, for which tenant, with which rights. Made once at the edge (or from the signed token that a subgraph
/// receives) and the first parameter of every use case.
///
/// Two callers are equal when their answers must be: the request that they came with, and from where, does not count.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Caller {
    /// Who it is.
    pub subject: Subject,
    /// The tenant that the caller acts in.
    pub org: Option<OrgId>,
    /// The signed-in session, when there is one.
    pub session: Option<SessionId>,
    /// What the caller may do in that tenant.
    pub permissions: Permissions,
    /// What the caller may and may not do with single things there.
    #[serde(default, skip_serializing_if = "ResourceRights::is_none")]
    pub rights: ResourceRights,
    /// What another issuer of tokens says of the caller, when one vouches for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Arc<Identity>>,
    /// The request that this call belongs to.
    pub request: RequestId,
    /// Where that request came from, when it came from a client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Arc<Origin>>,
}

/// Why a caller may not do something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nobody is signed in.
    #[error("sign in first: send an access token as `Authorization: Bearer <token>`")]
    Unauthenticated,
    /// Somebody is signed in who acts in no organization.
    #[error(
        "choose an organization first: call `switchOrganization` and use the access token that it returns"
    )]
    NoOrganization,
    /// The caller's rights do not include this one.
    #[error("you need the permission {0} in this organization; ask one of its admins")]
    Forbidden(Permission),
    /// The caller's rights do not include this one for a thing.
    #[error("you need the permission {0} on {1}; ask an admin of the organization")]
    ForbiddenOn(Permission, Resource),
    /// It is about a person, and a program asks.
    #[error("this belongs to a person: an API key or a service account cannot do it; sign in as somebody")]
    NotAPerson,
}

impl Caller {
    /// Nobody that is known.
    pub fn anonymous(request: RequestId) -> Self {
        Self {
            subject: Subject::Anonymous,
            org: None,
            session: None,
            permissions: Permissions::none(),
            rights: ResourceRights::none(),
            identity: None,
            request,
            origin: None,
        }
    }

    /// Pulse itself, working for one tenant with every right in it.
    pub fn system(org: OrgId, request: RequestId) -> Self {
        let permissions = Permission::ALL.iter().cloned().collect();
        Self { subject: Subject::System, org: Some(org), permissions, ..Self::anonymous(request) }
    }

    /// A process of Pulse, working for no tenant and with no right in any: what it may do, it may do as what it is.
    pub fn process(request: RequestId) -> Self {
        Self { subject: Subject::System, ..Self::anonymous(request) }
    }

    /// Whether it is a process of Pulse, and not somebody in a tenant.
    pub fn is_process(&self) -> bool {
        self.subject == Subject::System && self.org.is_none()
    }

    /// Whether it is known who asks.
    pub fn is_known(&self) -> bool {
        self.subject != Subject::Anonymous
    }

    fn require_tenant(&self) -> Result<OrgId, Refusal> {
        if self.subject == Subject::Anonymous {
            return Err(Refusal::Unauthenticated);
        }
        self.org.ok_or(Refusal::NoOrganization)
    }

    /// The tenant, if the caller has `permission` in it.
    pub fn require(&self, permission: &Permission) -> Result<OrgId, Refusal> {
        let org = self.require_tenant()?;
        if self.permissions.contains(permission) {
            Ok(org)
        } else {
            Err(Refusal::Forbidden(permission.clone()))
        }
    }

    /// The tenant, if the caller has `permission` on `resource`: what is said of the thing itself comes before what is said of
    /// the whole tenant.
    pub fn require_on(&self, permission: &Permission, resource: &Resource) -> Result<OrgId, Refusal> {
        match self.rights.on(permission, resource) {
            None => self.require(permission),
            Some(effect) => {
                let org = self.require_tenant()?;
                let refusal = || Refusal::ForbiddenOn(permission.clone(), resource.clone());
                if effect == Effect::Allow { Ok(org) } else { Err(refusal()) }
            }
        }
    }

    /// The tenant, and the things of a kind there on which the caller has `permission`; a refusal where that can be none.
    pub fn require_some(
        &self,
        permission: &Permission,
        kind: &ResourceKind,
    ) -> Result<(OrgId, Reach<'_>), Refusal> {
        let org = self.require_tenant()?;
        match self.rights.reach(permission, kind, self.permissions.contains(permission)) {
            Reach::Only { allowed, .. } if allowed.is_empty() => Err(Refusal::Forbidden(permission.clone())),
            reach => Ok((org, reach)),
        }
    }

    /// Which things of a kind what is said of single ones leaves in sight: all where nothing is said of any. Whether the caller may
    /// see things of that kind at all is asked by [`Caller::require_some`].
    pub fn sight(&self, permission: &Permission, kind: &ResourceKind) -> Reach<'_> {
        if self.rights.is_none() {
            return Reach::ALL;
        }
        match self.rights.reach(permission, kind, self.permissions.contains(permission)) {
            Reach::Only { allowed, denied } if allowed.is_empty() && denied.is_empty() => Reach::ALL,
            reach => reach,
        }
    }

    /// Which entities are in sight.
    pub fn entities_in_sight(&self) -> Reach<'_> {
        self.sight(&Permission::ENTITY_READ, &ResourceKind::ENTITY)
    }

    /// Which collections are in sight.
    pub fn collections_in_sight(&self) -> Reach<'_> {
        self.sight(&Permission::COLLECTION_READ, &ResourceKind::COLLECTION)
    }

    /// Whether there are things that others with the same permissions in the tenant see, and this caller does not, or the other
    /// way round. What is read for everybody in the tenant is not for them.
    pub fn is_narrowed(&self) -> bool {
        !(self.entities_in_sight().is_all() && self.collections_in_sight().is_all())
    }

    /// The person who asks, or a refusal when it is nobody, a program, or Pulse itself.
    pub fn require_user(&self) -> Result<UserId, Refusal> {
        match self.subject {
            Subject::User(user) => Ok(user),
            Subject::Machine { .. } => Err(Refusal::NotAPerson),
            Subject::Anonymous | Subject::External | Subject::System => Err(Refusal::Unauthenticated),
        }
    }

    /// The person who asks, when it is one.
    pub const fn user(&self) -> Option<UserId> {
        match self.subject {
            Subject::User(user) => Some(user),
            Subject::Machine { .. } | Subject::Anonymous | Subject::External | Subject::System => None,
        }
    }

    /// The API key or service account that asks, when it is one.
    pub const fn machine(&self) -> Option<MachineId> {
        match self.subject {
            Subject::Machine { id, .. } => Some(id),
            Subject::User(_) | Subject::Anonymous | Subject::External | Subject::System => None,
        }
    }

    /// Whom what is done is written down under, in the audit, the log and histories: the person, or the program, whose id
    /// stands where a person's would. No two of them are the same.
    pub const fn actor(&self) -> Option<UserId> {
        match self.subject {
            Subject::User(user) => Some(user),
            Subject::Machine { id, .. } => Some(UserId::from_uuid(id.uuid())),
            Subject::Anonymous | Subject::External | Subject::System => None,
        }
    }

    /// The person whose rights the caller's come from: the one who asks, or who answers for the program that does.
    pub const fn answerable(&self) -> Option<UserId> {
        match self.subject {
            Subject::User(user) | Subject::Machine { maker: user, .. } => Some(user),
            Subject::Anonymous | Subject::External | Subject::System => None,
        }
    }
}

impl PartialEq for Caller {
    fn eq(&self, other: &Self) -> bool {
        let Self { subject, org, session, permissions, rights, identity, request: _, origin: _ } = self;
        (subject, org, session, permissions, rights, identity)
            == (
                &other.subject,
                &other.org,
                &other.session,
                &other.permissions,
                &other.rights,
                &other.identity,
            )
    }
}

impl Eq for Caller {}

impl std::hash::Hash for Caller {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        let Self { subject, org, session, permissions, rights, identity, request: _, origin: _ } = self;
        (subject, org, session, permissions, rights, identity).hash(state);
    }
}
