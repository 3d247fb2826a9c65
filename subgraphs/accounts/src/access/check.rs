//! What has to hold before somebody is given something, or something is withheld.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use pulse_graphql::Error;
use pulse_store::{StoreError, Write};
use pulse_types::{
    Caller, Effect, MachineId, OrgId, Permission, Permissions, Refusal, Resource, ResourceKind,
    ResourceRights, Role, RoleId, UnitId, UserId,
};

use super::decide::{Member, Principal, Target, decide};
use super::error::AccessError;
use super::permission_set::PermissionSet;
use super::policy::{Place, Policy, Whom};
use super::{Held, held, repo};
use crate::unit;

/// Nobody gives what they do not have. Of what is given at a single thing, that alone counts which is asked for there.
pub(crate) fn require_all_on<'p>(
    caller: &Caller,
    permissions: impl IntoIterator<Item = &'p Permission>,
    place: Option<&Resource>,
) -> Result<(), AccessError> {
    let lacks = |permission: &&Permission| match place {
        None => caller.require(permission).is_err(),
        Some(place) => place.kind().takes(permission) && caller.require_on(permission, place).is_err(),
    };
    let missing: Vec<_> = permissions.into_iter().filter(lacks).map(ToString::to_string).take(5).collect();
    if missing.is_empty() { Ok(()) } else { Err(AccessError::TooWide(missing)) }
}

/// Whether somebody may do all of this in the whole tenant, as things are in this write.
pub(crate) async fn may_all_in_tx(
    write: &mut Write,
    (org, user): (OrgId, UserId),
    mut permissions: impl Iterator<Item = &Permission>,
) -> Result<bool, StoreError> {
    let Some(member) = repo::member_in_tx(write, org, user).await? else { return Ok(false) };
    let policy = Policy::new(repo::policy_in_tx(write, org).await?);
    let principal = Principal::Person(&member);
    let now = write.now();
    Ok(permissions.all(|permission| decide(&policy, principal, permission, &Target::Tenant, now).allowed))
}

/// Those of these units to which somebody could add people, as things are in this write.
pub(crate) async fn joinable_in_tx(
    write: &mut Write,
    (org, user): (OrgId, UserId),
    units: &[UnitId],
) -> Result<Vec<UnitId>, StoreError> {
    if units.is_empty() {
        return Ok(Vec::new());
    }
    let Some(member) = repo::member_in_tx(write, org, user).await? else { return Ok(Vec::new()) };
    let policy = Policy::new(repo::policy_in_tx(write, org).await?);
    let now = write.now();
    let may = |permission: &Permission, target| {
        decide(&policy, Principal::Person(&member), permission, &target, now).allowed
    };
    let gives = |(permissions, place): (PermissionSet, Option<Resource>)| match place {
        None => permissions.iter().all(|permission| may(permission, Target::Tenant)),
        Some(thing) => {
            let mut asked = permissions.iter().filter(|permission| thing.kind().takes(permission));
            asked.all(|permission| may(permission, Target::Thing(thing.clone())))
        }
    };
    let joinable = |unit: &&UnitId| {
        may(&Permission::UNIT_MANAGE, Target::Thing(unit::resource(**unit)))
            && needed(&policy, Joining::In(&[**unit]), now).into_iter().all(gives)
    };
    Ok(units.iter().filter(joinable).copied().collect())
}

/// Refuses to hand out the secret of a program that may more on single things than whoever asks for it.
pub(crate) async fn require_to_hold_in_tx(
    write: &mut Write,
    (org, caller): (OrgId, &Caller),
    machine: MachineId,
) -> Result<(), Error<AccessError>> {
    let Some((maker, scopes)) = repo::machine_in_tx(write, org, machine).await? else { return Ok(()) };
    let Some(maker) = repo::member_in_tx(write, org, maker).await? else { return Ok(()) };
    let policy = Policy::new(repo::policy_in_tx(write, org).await?);
    let principal = Principal::Machine { id: machine, scopes: &scopes, maker: &maker };
    let its = Held::new(&policy, principal, write.now());
    let (scopes, rights) = (caller.permissions.clone(), caller.rights.clone());
    let own = Held { is_member: true, scopes, rights, until: None };
    if its.is_more_than(&own) { Err(AccessError::SecretTooWide.into()) } else { Ok(()) }
}

/// A permission that Pulse asks for.
pub(crate) fn known(name: &str) -> Result<Permission, AccessError> {
    let permission = Permission::from(name.to_owned());
    match permission.index() {
        Some(_) => Ok(permission),
        None => Err(AccessError::UnknownPermission(name.chars().take(64).collect())),
    }
}

/// Whether somebody is there to be given something.
pub(crate) async fn require_principal_in_tx(
    write: &mut Write,
    org: OrgId,
    whom: Whom,
) -> Result<(), Error<AccessError>> {
    let is_there = match whom {
        Whom::User(user) => repo::member_in_tx(write, org, user).await?.is_some(),
        Whom::Unit(unit) => repo::unit_exists_in_tx(write, org, unit).await?,
        Whom::Machine(machine) => repo::machine_in_tx(write, org, machine).await?.is_some(),
    };
    if is_there { Ok(()) } else { Err(AccessError::NoSuchPrincipal.into()) }
}

/// Whether a unit is there for something to hold in.
pub(crate) async fn require_unit_in_tx(
    write: &mut Write,
    org: OrgId,
    unit: UnitId,
) -> Result<(), Error<AccessError>> {
    let is_there = repo::unit_exists_in_tx(write, org, unit).await?;
    if is_there { Ok(()) } else { Err(AccessError::NoSuchUnit(unit).into()) }
}

/// Only an owner withholds from an owner. What is withheld from a unit narrows no owner in it unless an owner said so.
pub(crate) async fn require_right_to_narrow_in_tx(
    write: &mut Write,
    org: OrgId,
    (whom, effect, by_owner): (Whom, Effect, bool),
) -> Result<(), Error<AccessError>> {
    let Whom::User(user) = whom else { return Ok(()) };
    if effect == Effect::Allow || by_owner {
        return Ok(());
    }
    let member = repo::member_in_tx(write, org, user).await?;
    if member.is_some_and(|member| member.role == Some(Role::Owner)) {
        return Err(AccessError::Owner.into());
    }
    Ok(())
}

/// Refuses what has been written when it gives somebody more rights on single things than travel with a request.
pub(crate) async fn require_to_travel_in_tx(
    write: &mut Write,
    org: OrgId,
    whom: Whom,
) -> Result<(), Error<AccessError>> {
    let policy = Policy::new(repo::policy_in_tx(write, org).await?);
    check_whom_in_tx(write, org, (&policy, whom)).await
}

/// The same for all who have a role that has become another one.
pub(crate) async fn require_role_to_travel_in_tx(
    write: &mut Write,
    org: OrgId,
    role: RoleId,
) -> Result<(), Error<AccessError>> {
    let policy = Policy::new(repo::policy_in_tx(write, org).await?);
    for whom in policy.those_with_role_in_units(role) {
        check_whom_in_tx(write, org, (&policy, whom)).await?;
    }
    Ok(())
}

async fn check_whom_in_tx(
    write: &mut Write,
    org: OrgId,
    (policy, whom): (&Policy, Whom),
) -> Result<(), Error<AccessError>> {
    let now = write.now();
    let travels = match whom {
        Whom::User(user) => {
            let member = repo::member_in_tx(write, org, user).await?;
            let machines = repo::machines_with_grants_in_tx(write, org, user).await?;
            member.is_none_or(|member| all_travel(policy, &[member], &machines, now))
        }
        Whom::Unit(unit) => {
            let members = repo::members_of_in_tx(write, org, &policy.downwards(unit)).await?;
            all_travel(policy, &members, &[], now)
        }
        Whom::Machine(machine) => {
            let Some((maker, scopes)) = repo::machine_in_tx(write, org, machine).await? else {
                return Ok(());
            };
            let maker = repo::member_in_tx(write, org, maker).await?;
            maker.is_none_or(|maker| all_travel(policy, &[maker], &[(machine, scopes)], now))
        }
    };
    if travels { Ok(()) } else { Err(AccessError::TooManyRights.into()) }
}

/// Members of the same units with the same role may the same, unless something is said of one of them.
fn all_travel(
    policy: &Policy,
    members: &[Member],
    machines: &[(MachineId, Permissions)],
    now: DateTime<Utc>,
) -> bool {
    let mut seen = HashSet::new();
    let few = |principal| held::size(policy, principal, now) <= ResourceRights::MAX;
    members.iter().all(|member| {
        let own: Option<UserId> =
            (!policy.rules_for(Whom::User(member.user)).is_empty()).then_some(member.user);
        let is_new = seen.insert((own, member.role, &member.units));
        !is_new
            || few(Principal::Person(member))
                && machines
                    .iter()
                    .all(|(id, scopes)| few(Principal::Machine { id: *id, scopes, maker: member }))
    })
}

/// A change of who or what belongs to which units.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Joining<'u> {
    /// People come to belong to these.
    In(&'u [UnitId]),
    /// People no longer belong to these.
    Out(&'u [UnitId]),
    /// A unit, with all that is inside it, comes from one unit to another; `None` stands for the tenant itself.
    Over { unit: UnitId, from: Option<UnitId>, to: Option<UnitId> },
}

/// Nobody gets anybody by a unit what they could not give: what is given to those, and to whoever is over them, is given by it,
/// and what is withheld there is given back to those who leave.
pub(crate) async fn require_right_to_join_in_tx(
    write: &mut Write,
    (org, caller): (OrgId, &Caller),
    joining: Joining<'_>,
) -> Result<(), Error<AccessError>> {
    let policy = Policy::new(repo::policy_in_tx(write, org).await?);
    for (permissions, place) in needed(&policy, joining, write.now()) {
        require_all_on(caller, permissions.iter(), place.as_ref())?;
    }
    Ok(())
}

/// What whoever makes such a change has to hold, and where.
fn needed(
    policy: &Policy,
    joining: Joining<'_>,
    now: DateTime<Utc>,
) -> Vec<(PermissionSet, Option<Resource>)> {
    let ways = |units: &[UnitId]| units.iter().flat_map(|unit| policy.upwards(*unit)).collect::<HashSet<_>>();
    let (joined, left, moved) = match joining {
        Joining::In(units) => (ways(units), HashSet::new(), None),
        Joining::Out(units) => (HashSet::new(), ways(units), None),
        Joining::Over { unit, from, to } => (ways(to.as_slice()), ways(from.as_slice()), Some(unit)),
    };
    let changes = |unit: &UnitId, effect| match effect {
        Effect::Allow => joined.contains(unit) && !left.contains(unit),
        Effect::Deny => left.contains(unit) && !joined.contains(unit),
    };
    let mut needed = Vec::new();
    for (whom, rule) in policy.rules().filter(|(_, rule)| rule.holds_at(now)) {
        if matches!(whom, Whom::Unit(unit) if changes(&unit, rule.effect)) {
            needed.push((rule.permissions, rule.place.resource()));
        }
        // What holds in a unit comes to hold in what is moved there.
        if let (Some(moved), Place::Unit(place)) = (moved, &rule.place)
            && changes(place, rule.effect)
        {
            needed.push((rule.permissions, Some(unit::resource(moved))));
        }
    }
    needed
}

/// The tenant, for somebody who may give and take somewhere in it: where, the row says that it is about.
pub(crate) fn require_any_manager(caller: &Caller) -> Result<OrgId, Refusal> {
    caller.require_some(&Permission::ACCESS_MANAGE, &ResourceKind::UNIT).map(|(org, _)| org)
}
