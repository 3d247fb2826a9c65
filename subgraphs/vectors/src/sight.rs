//! Rights on single collections, as far as the database does not see to them.
//!
//! What a caller may not see, its policies leave out of every statement (ADR 39): collections, their items, and items that describe
//! entities out of sight. Here stands who may ask at all, what one needs to write, and of which changes a subscriber hears.

use pulse_graphql::InSight;
use pulse_types::{Caller, CollectionId, EntityId, OrgId, Permission, Refusal, Resource, ResourceKind};

/// The tenant, for who sees some collections there.
pub(crate) fn may_read(caller: &Caller) -> Result<OrgId, Refusal> {
    may_some(caller, &Permission::COLLECTION_READ)
}

/// The tenant, for who has the permission on some collections there. Whether it is this one is asked by [`require_on`] when it is
/// known to be there: one that is not seen does not exist.
pub(crate) fn may_some(caller: &Caller, permission: &Permission) -> Result<OrgId, Refusal> {
    caller.require_some(permission, &ResourceKind::COLLECTION).map(|(org, _)| org)
}

/// Refuses who has the permission not on this collection, which they see.
pub(crate) fn require_on(caller: &Caller, permission: &Permission, id: CollectionId) -> Result<(), Refusal> {
    caller.require_on(permission, &Resource::new(ResourceKind::COLLECTION, id.uuid())).map(drop)
}

/// The tenant, for who may make collections there: who sees none but those that they are told of could not see theirs.
pub(crate) fn may_create(caller: &Caller) -> Result<OrgId, Refusal> {
    let org = caller.require(&Permission::COLLECTION_MANAGE)?;
    if caller.collections_in_sight().only().is_some() {
        caller.require(&Permission::COLLECTION_READ)?;
    }
    Ok(org)
}

/// Refuses who lets an item describe an entity that they do not see: they would not see the item.
pub(crate) fn require_entity(caller: &Caller, id: EntityId) -> Result<(), Refusal> {
    if caller.entities_in_sight().contains(id.uuid()) {
        return Ok(());
    }
    Err(Refusal::ForbiddenOn(Permission::ENTITY_READ, Resource::new(ResourceKind::ENTITY, id.uuid())))
}

/// Which changes of collections, and of the items in them, are told of.
pub(crate) const CHANGES: InSight =
    InSight { may: may_read, sight: Caller::collections_in_sight, ids: |change| Some([change.key; 2]) };
