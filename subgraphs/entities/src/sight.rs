//! Rights on single entities, as far as the database does not see to them.
//!
//! What a caller may not see, its policies leave out of every statement (ADR 39). Here stands who may ask at all, what one needs to
//! write, and of which changes a subscriber hears.

use pulse_graphql::InSight;
use pulse_store::Session;
use pulse_types::{Caller, Change, EntityId, OrgId, Permission, Refusal, Resource, ResourceKind};
use serde_json::Value;
use uuid::Uuid;

/// The tenant, for who sees some entities there.
pub(crate) fn may_read(caller: &Caller) -> Result<OrgId, Refusal> {
    caller.require_some(&Permission::ENTITY_READ, &ResourceKind::ENTITY).map(|(org, _)| org)
}

/// The tenant, for who may change, or delete, some entities there. Whether it is this one is asked by [`require_on`] when it is
/// known to be there: one that is not seen does not exist.
pub(crate) fn may_some(caller: &Caller, permission: &Permission) -> Result<OrgId, Refusal> {
    caller.require_some(permission, &ResourceKind::ENTITY).map(|(org, _)| org)
}

/// Refuses who has the permission not on this entity, which they see.
pub(crate) fn require_on(caller: &Caller, permission: &Permission, id: EntityId) -> Result<(), Refusal> {
    caller.require_on(permission, &Resource::new(ResourceKind::ENTITY, id.uuid())).map(drop)
}

/// The tenant, for who may create entities there: who sees none but those that they are told of could not see theirs.
pub(crate) fn may_create(caller: &Caller) -> Result<OrgId, Refusal> {
    let org = caller.require(&Permission::ENTITY_WRITE)?;
    if caller.entities_in_sight().only().is_some() {
        caller.require(&Permission::ENTITY_READ)?;
    }
    Ok(org)
}

/// The entities that a caller sees, where they are few: lists begin with them, instead of going through all of the tenant for
/// them.
pub(crate) fn within(session: &Session) -> Option<Vec<Uuid>> {
    session.caller().entities_in_sight().only()
}

/// Which changes of entities are told of.
pub(crate) const OF_ENTITIES: InSight =
    InSight { may: may_read, sight: Caller::entities_in_sight, ids: |change| Some([change.key; 2]) };

/// Which changes of relationships are told of: those between two entities in sight.
pub(crate) const OF_RELATIONSHIPS: InSight = InSight {
    may: |caller| caller.require(&Permission::RELATIONSHIP_READ),
    sight: Caller::entities_in_sight,
    ids: |change| Some([end(change, "source")?, end(change, "target")?]),
};

fn end(change: &Change, name: &str) -> Option<Uuid> {
    Uuid::try_parse(change.attributes.get(name).and_then(Value::as_str)?).ok()
}
