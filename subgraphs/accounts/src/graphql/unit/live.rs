//! Subscriptions: what changes about units and about who belongs to them.

use async_graphql::{ComplexObject, Context, InputObject, SimpleObject, Subscription};
use pulse_graphql::{
    AnyOf, ChangeFacts, ContextExt, Error, Happened, InSight, Live, LiveError, follow_in_sight,
};
use pulse_types::{
    Caller, Change, ChangeKind, OrgId, Permission, Reach, Refusal, ResourceKind, UnitId, UserId,
};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::super::user::User;
use super::Unit;
use crate::unit::{self, UnitKind};

/// Which changes of sub-organizations and teams to hear of. All that is given must hold.
#[derive(Debug, Default, InputObject)]
pub(crate) struct UnitChangeFilter {
    /// Of these; at most 1,000.
    unit_ids: Option<Vec<UnitId>>,
    /// Of those that are, or were until then, directly in one of these; at most 1,000.
    parent_ids: Option<Vec<UnitId>>,
    /// Only of sub-organizations, or only of teams.
    unit_kinds: Option<Vec<UnitKind>>,
    /// Of these kinds.
    kinds: Option<Vec<ChangeKind>>,
}

/// What has changed about a sub-organization or a team.
#[derive(SimpleObject)]
#[graphql(complex)]
pub(crate) struct UnitChange {
    #[graphql(flatten)]
    facts: ChangeFacts,
    /// Which one.
    unit_id: UnitId,
    /// The sub-organization that it is in, or was in until it was deleted; null directly in the organization.
    parent_id: Option<UnitId>,
    /// The sub-organization that it was in before, when it was moved from one.
    previous_parent_id: Option<UnitId>,
}

/// Which changes of who belongs to what to hear of. All that is given must hold.
#[derive(Debug, Default, InputObject)]
pub(crate) struct UnitMemberChangeFilter {
    /// Of these sub-organizations and teams; at most 1,000.
    unit_ids: Option<Vec<UnitId>>,
    /// Of these people; at most 1,000.
    user_ids: Option<Vec<UserId>>,
    /// Of these kinds: who is added is created, who is removed is deleted.
    kinds: Option<Vec<ChangeKind>>,
}

/// Who has been added to a sub-organization or a team, or removed from it.
#[derive(SimpleObject)]
#[graphql(complex)]
pub(crate) struct UnitMemberChange {
    #[graphql(flatten)]
    facts: ChangeFacts,
    /// To which one, or from which.
    unit_id: Option<UnitId>,
    /// Who.
    user_id: UserId,
}

impl From<Happened> for UnitChange {
    fn from(happened: Happened) -> Self {
        let change = &happened.change;
        Self {
            facts: ChangeFacts::from(&happened),
            unit_id: UnitId::from_uuid(change.key),
            parent_id: unit_of(&change.attributes, "parent"),
            previous_parent_id: unit_of(&change.before, "parent"),
        }
    }
}

impl From<Happened> for UnitMemberChange {
    fn from(happened: Happened) -> Self {
        let change = &happened.change;
        Self {
            facts: ChangeFacts::from(&happened),
            unit_id: unit_of(&change.attributes, "unit"),
            user_id: UserId::from_uuid(change.key),
        }
    }
}

fn unit_of(attributes: &Map<String, Value>, name: &str) -> Option<UnitId> {
    attributes.get(name)?.as_str()?.parse().ok()
}

#[ComplexObject]
impl UnitChange {
    /// The sub-organization or team as it is now, which may be later than this change; null if it is gone.
    async fn unit(&self, ctx: &Context<'_>) -> Option<Result<Unit, Error>> {
        Unit::fetch(ctx, self.unit_id).await
    }
}

#[ComplexObject]
impl UnitMemberChange {
    /// The sub-organization or team as it is now; null if it is gone, or if you may not see it.
    async fn unit(&self, ctx: &Context<'_>) -> Option<Result<Unit, Error>> {
        Unit::fetch(ctx, self.unit_id?).await
    }

    /// The person, as long as you may see them.
    async fn user(&self, ctx: &Context<'_>) -> Option<Result<User, Error>> {
        User::fetch(ctx, self.user_id).await
    }
}

/// The names or ids as they stand among the attributes.
fn words<T: ToString>(given: Option<Vec<T>>) -> Option<Vec<String>> {
    given.map(|given| given.iter().map(ToString::to_string).collect())
}

fn may_see_units(caller: &Caller) -> Result<OrgId, Refusal> {
    caller.require_some(&Permission::UNIT_READ, &ResourceKind::UNIT).map(|(org, _)| org)
}

fn may_see_members(caller: &Caller) -> Result<OrgId, Refusal> {
    caller.require_some(&Permission::MEMBER_READ, &ResourceKind::UNIT).map(|(org, _)| org)
}

fn units_in_sight(caller: &Caller) -> Reach<'_> {
    in_sight(caller, &Permission::UNIT_READ)
}

fn members_in_sight(caller: &Caller) -> Reach<'_> {
    in_sight(caller, &Permission::MEMBER_READ)
}

fn in_sight<'c>(caller: &'c Caller, permission: &Permission) -> Reach<'c> {
    caller.rights.reach(permission, &ResourceKind::UNIT, caller.permissions.contains(permission))
}

/// Of a unit that is new nothing is said yet, so that it is in sight where the one is that it is in.
#[expect(clippy::unnecessary_wraps, reason = "as things in sight say of changes")]
fn unit_or_place(change: &Change) -> Option<[Uuid; 2]> {
    let place = unit_of(&change.attributes, "parent").filter(|_| change.kind == ChangeKind::Created);
    Some([place.map_or(change.key, UnitId::uuid); 2])
}

fn unit_of_member(change: &Change) -> Option<[Uuid; 2]> {
    unit_of(&change.attributes, "unit").map(|unit| [unit.uuid(); 2])
}

/// What can be followed of units.
#[derive(Default)]
pub(crate) struct UnitSubscriptions;

#[Subscription]
impl UnitSubscriptions {
    /// Tells of each sub-organization and team that is made, renamed, moved or deleted, once and in the order of the commits.
    /// What is inside a moved one has not changed itself. Needs `unit:read`.
    async fn unit_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which changes to hear of; all unless given.")] filter: Option<UnitChangeFilter>,
        #[graphql(
            desc = "The `cursor` of the last event that was heard: what came later is told of first. From now on unless given."
        )]
        after: Option<String>,
    ) -> Result<Live<UnitChange>, Error<LiveError>> {
        let UnitChangeFilter { unit_ids, parent_ids, unit_kinds, kinds } = filter.unwrap_or_default();
        let units = AnyOf::try_new("unitIds", unit_ids)?;
        let parents = AnyOf::try_new("parentIds", words(parent_ids))?;
        let unit_kinds =
            unit_kinds.map(|kinds| kinds.into_iter().map(|kind| kind.as_str().to_owned()).collect());
        let unit_kinds = AnyOf::try_new("unitKinds", unit_kinds)?;
        let kinds = AnyOf::try_new("kinds", kinds)?;
        let wanted = move |change: &Change| {
            kinds.has(&change.kind)
                && units.has(&UnitId::from_uuid(change.key))
                && parents.has_attribute(change, "parent")
                && unit_kinds.has_attribute(change, "kind")
        };
        let things = InSight { may: may_see_units, sight: units_in_sight, ids: unit_or_place };
        follow_in_sight(ctx, (&[unit::SUBJECT], after), things, wanted).await
    }

    /// Tells of each person who is added to a sub-organization or a team, or removed from it, once and in the order of the
    /// commits. Needs `unit:read` and `member:read`.
    async fn unit_member_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which changes to hear of; all unless given.")] filter: Option<
            UnitMemberChangeFilter,
        >,
        #[graphql(
            desc = "The `cursor` of the last event that was heard: what came later is told of first. From now on unless given."
        )]
        after: Option<String>,
    ) -> Result<Live<UnitMemberChange>, Error<LiveError>> {
        let UnitMemberChangeFilter { unit_ids, user_ids, kinds } = filter.unwrap_or_default();
        let caller = ctx.session().caller().clone();
        may_see_units(&caller)?;
        let units = AnyOf::try_new("unitIds", words(unit_ids))?;
        let users = AnyOf::try_new("userIds", user_ids)?;
        let kinds = AnyOf::try_new("kinds", kinds)?;
        let wanted = move |change: &Change| {
            kinds.has(&change.kind)
                && users.has(&UserId::from_uuid(change.key))
                && units.has_attribute(change, "unit")
                && unit_of(&change.attributes, "unit")
                    .is_some_and(|unit| units_in_sight(&caller).contains(unit.uuid()))
        };
        let things = InSight { may: may_see_members, sight: members_in_sight, ids: unit_of_member };
        follow_in_sight(ctx, (&[unit::MEMBER], after), things, wanted).await
    }
}
