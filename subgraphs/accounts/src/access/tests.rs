//! The deciding function beside a slow and obvious reading of the same rules.

use chrono::{DateTime, TimeDelta, Utc};
use pulse_types::{
    Caller, Effect, GrantId, MachineId, OrgId, Permission, Permissions, RequestId, Resource, ResourceKind,
    ResourceRights, Role, RoleAssignmentId, RoleId, Subject, UnitId, UserId,
};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use uuid::Uuid;

use super::{
    Held, Member, Policy, PolicyAssignment, PolicyGrant, PolicyRole, PolicyRows, PolicyUnit, Principal,
    Target, Whom, decide,
};

const POLICIES: u64 = 400;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).expect("in range")
}

fn id(kind: u128, number: usize) -> Uuid {
    Uuid::from_u128((kind << 64) | u128::try_from(number).expect("fits"))
}

fn unit(number: usize) -> UnitId {
    UnitId::from_uuid(id(1, number))
}

fn user(number: usize) -> UserId {
    UserId::from_uuid(id(2, number))
}

fn machine() -> MachineId {
    MachineId::from_uuid(id(3, 0))
}

fn on_unit(unit: UnitId) -> Resource {
    Resource::new(ResourceKind::UNIT, unit.uuid())
}

/// Few permissions, so that rules meet.
fn permissions() -> [Permission; 6] {
    [
        Permission::ENTITY_READ,
        Permission::ENTITY_DELETE,
        Permission::ITEM_WRITE,
        Permission::MEMBER_MANAGE,
        Permission::ACCESS_READ,
        Permission::WEBHOOK_READ,
    ]
}

fn things() -> Vec<Resource> {
    let mut all: Vec<_> = (0..6).map(|number| on_unit(unit(number))).collect();
    all.extend((0..3).map(|number| Resource::new(ResourceKind::ENTITY, id(4, number))));
    all.push(Resource::new(ResourceKind::COLLECTION, id(5, 0)));
    all
}

/// A tenant, and somebody in it.
struct World {
    rows: PolicyRows,
    member: Member,
    scopes: Permissions,
}

fn one<T: Clone>(random: &mut StdRng, all: &[T]) -> T {
    all[random.random_range(0..all.len())].clone()
}

fn world(random: &mut StdRng) -> World {
    let units = (0..6).map(|number| PolicyUnit {
        id: unit(number),
        parent: (number > 0 && random.random_bool(0.8)).then(|| unit(random.random_range(0..number))),
        name: format!("unit {number}"),
    });
    let units: Vec<_> = units.collect();
    let roles = (0..3).map(|number| PolicyRole {
        id: RoleId::from_uuid(id(6, number)),
        name: format!("role {number}"),
        permissions: permissions().into_iter().filter(|_| random.random_bool(0.4)).collect(),
    });
    let roles: Vec<_> = roles.collect();
    let whom = |random: &mut StdRng| match random.random_range(0..5) {
        0 | 1 => Whom::User(user(random.random_range(0..2))),
        2 => Whom::Machine(machine()),
        _ => Whom::Unit(unit(random.random_range(0..6))),
    };
    let mut rows = PolicyRows { units, roles, ..PolicyRows::default() };
    for number in 0..random.random_range(0..8) {
        let own = random.random_bool(0.6).then(|| RoleId::from_uuid(id(6, random.random_range(0..4))));
        let template = one(random, &[Role::Admin, Role::Member, Role::Viewer]);
        let whom = match whom(random) {
            Whom::Machine(_) => Whom::User(user(0)),
            other => other,
        };
        rows.assignments.push(PolicyAssignment {
            id: RoleAssignmentId::from_uuid(id(7, number)),
            whom,
            role: own,
            template: own.is_none().then_some(template),
            place: random.random_bool(0.6).then(|| unit(random.random_range(0..6))),
        });
    }
    for number in 0..random.random_range(0..10) {
        rows.grants.push(PolicyGrant {
            id: GrantId::from_uuid(id(8, number)),
            whom: whom(random),
            effect: one(random, &[Effect::Allow, Effect::Deny]),
            permission: one(random, &permissions()),
            resource: random.random_bool(0.7).then(|| one(random, &things())),
            by_owner: random.random_bool(0.5),
            expires_at: random
                .random_bool(0.3)
                .then(|| now() + TimeDelta::seconds(random.random_range(-2..3))),
        });
    }
    let role = one(random, &[Role::Owner, Role::Admin, Role::Member, Role::Viewer]);
    let member = Member {
        user: user(0),
        role: random.random_bool(0.95).then_some(role),
        units: (0..6).map(unit).filter(|_| random.random_bool(0.25)).collect(),
    };
    let scopes = permissions().into_iter().filter(|_| random.random_bool(0.5)).collect();
    World { rows, member, scopes }
}

/// The same, read from the rows as they are.
impl World {
    fn is_in(&self, inner: UnitId, outer: UnitId) -> bool {
        let parent = self.rows.units.iter().find(|row| row.id == inner).and_then(|row| row.parent);
        inner == outer || parent.is_some_and(|parent| self.is_in(parent, outer))
    }

    /// Whether a rule about `place` is one about `target`.
    fn reaches(&self, permission: &Permission, place: Option<&Resource>, target: Option<&Resource>) -> bool {
        match (place, target) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(place), Some(target)) => {
                let as_unit = |thing: &Resource| {
                    (*thing.kind() == ResourceKind::UNIT).then(|| UnitId::from_uuid(thing.id()))
                };
                let inside = as_unit(target).zip(as_unit(place)).is_some_and(|(a, b)| self.is_in(a, b));
                target.kind().takes(permission) && (place == target || inside)
            }
        }
    }

    fn concerns(&self, whom: Whom) -> bool {
        match whom {
            Whom::User(user) => user == self.member.user,
            Whom::Unit(unit) => self.member.units.iter().any(|direct| self.is_in(*direct, unit)),
            Whom::Machine(_) => false,
        }
    }

    fn grants<'w>(
        &'w self,
        permission: &'w Permission,
        target: Option<&'w Resource>,
        effect: Effect,
    ) -> impl Iterator<Item = &'w PolicyGrant> {
        self.rows.grants.iter().filter(move |grant| {
            grant.permission == *permission
                && grant.effect == effect
                && grant.expires_at.is_none_or(|end| end > now())
                && self.reaches(permission, grant.resource.as_ref(), target)
        })
    }

    fn person_may(&self, permission: &Permission, target: Option<&Resource>) -> bool {
        let Some(base) = self.member.role else { return false };
        let by_role = self.rows.assignments.iter().any(|given| {
            let own = self.rows.roles.iter().find(|role| Some(role.id) == given.role);
            let gives = match given.template {
                Some(template) => template.permissions().contains(permission),
                None => own.is_some_and(|role| role.permissions.contains(permission)),
            };
            let place = given.place.map(on_unit);
            gives && self.concerns(given.whom) && self.reaches(permission, place.as_ref(), target)
        });
        let mut allows = self.grants(permission, target, Effect::Allow);
        let given = base.permissions().contains(permission)
            || by_role
            || allows.any(|grant| self.concerns(grant.whom));
        let word = permission.as_str().split(':').next().unwrap_or_default();
        let keeps = ["organization", "member", "role", "access"].contains(&word);
        let mut denies = self.grants(permission, target, Effect::Deny);
        let withheld = denies
            .any(|grant| self.concerns(grant.whom) && (base != Role::Owner || grant.by_owner && !keeps));
        given && !withheld
    }

    fn machine_may(&self, permission: &Permission, target: Option<&Resource>) -> bool {
        let own = |grant: &&PolicyGrant| grant.whom == Whom::Machine(machine());
        let allows = self.grants(permission, target, Effect::Allow).filter(own);
        let given =
            self.scopes.contains(permission) || allows.into_iter().any(|grant| grant.resource.is_some());
        let withheld = self.grants(permission, target, Effect::Deny).any(|grant| own(&grant));
        given && !withheld && self.person_may(permission, target)
    }
}

#[test]
fn every_decision_is_the_obvious_one_and_callers_carry_all_of_it() {
    for seed in 0..POLICIES {
        let world = world(&mut StdRng::seed_from_u64(seed));
        let policy = Policy::new(world.rows.clone());
        let person = Principal::Person(&world.member);
        let program = Principal::Machine { id: machine(), scopes: &world.scopes, maker: &world.member };
        let (own, its) = (Held::new(&policy, person, now()), Held::new(&policy, program, now()));
        let (own, its) = (caller(&own), caller(&its));
        let targets = std::iter::once(None).chain(things().into_iter().map(Some));
        for (target, permission) in
            targets.flat_map(|target| permissions().map(|permission| (target.clone(), permission)))
        {
            let asked = target.clone().map_or(Target::Tenant, Target::Thing);
            let said = |principal| decide(&policy, principal, &permission, &asked, now()).allowed;
            let carried = |caller: &Caller| match &target {
                None => caller.require(&permission).is_ok(),
                Some(thing) => caller.require_on(&permission, thing).is_ok(),
            };
            let about = format!("seed {seed}: {permission} on {target:?}");
            assert_eq!(said(person), world.person_may(&permission, target.as_ref()), "{about}");
            assert_eq!(said(program), world.machine_may(&permission, target.as_ref()), "program, {about}");
            assert_eq!(carried(&own), said(person), "carried, {about}");
            assert_eq!(carried(&its), said(program), "carried by a program, {about}");
        }
    }
}

fn caller(held: &Held) -> Caller {
    Caller {
        subject: Subject::User(user(0)),
        org: Some(OrgId::from_uuid(id(9, 0))),
        permissions: held.scopes.clone(),
        rights: held.rights.clone(),
        ..Caller::anonymous(RequestId::new(now()))
    }
}

fn grant(number: usize, effect: Effect, permission: Permission, resource: Option<Resource>) -> PolicyGrant {
    PolicyGrant {
        id: GrantId::from_uuid(id(8, number)),
        whom: Whom::User(user(0)),
        effect,
        permission,
        resource,
        by_owner: true,
        expires_at: None,
    }
}

fn member(role: Role) -> Member {
    Member { user: user(0), role: Some(role), units: Vec::new() }
}

fn entity(number: usize) -> Resource {
    Resource::new(ResourceKind::ENTITY, id(4, number))
}

#[test]
fn more_than_can_travel_is_left_out_and_never_widens() {
    let more = ResourceRights::MAX + 1;
    let held = |effect, role| {
        let grants =
            (0..more).map(|n| grant(n, effect, Permission::ENTITY_DELETE, Some(entity(n)))).collect();
        let policy = Policy::new(PolicyRows { grants, ..PolicyRows::default() });
        Held::new(&policy, Principal::Person(&member(role)), now())
    };
    let given = held(Effect::Allow, Role::Viewer);
    assert!(given.rights.is_none() && !given.scopes.contains(&Permission::ENTITY_DELETE));
    assert_eq!(given.scopes, Role::Viewer.permissions());
    // What is withheld on too many things is withheld on all.
    let withheld = held(Effect::Deny, Role::Member);
    assert!(withheld.rights.is_none() && !withheld.scopes.contains(&Permission::ENTITY_DELETE));
    assert!(withheld.scopes.contains(&Permission::ENTITY_WRITE));
}

#[test]
fn fewer_rights_are_told_from_others() {
    let held = |grants: Vec<PolicyGrant>| {
        let policy = Policy::new(PolicyRows { grants, ..PolicyRows::default() });
        Held::new(&policy, Principal::Person(&member(Role::Viewer)), now())
    };
    let plain = held(vec![]);
    let allow = held(vec![grant(0, Effect::Allow, Permission::ENTITY_WRITE, Some(entity(0)))]);
    let deny = held(vec![grant(0, Effect::Deny, Permission::ENTITY_READ, Some(entity(0)))]);
    let wide = held(vec![grant(0, Effect::Allow, Permission::ENTITY_WRITE, None)]);
    let none = held(vec![grant(0, Effect::Deny, Permission::ENTITY_READ, None)]);
    assert!(!plain.is_more_than(&allow) && allow.is_more_than(&plain));
    assert!(plain.is_more_than(&deny) && !deny.is_more_than(&plain));
    assert!(!allow.is_more_than(&wide), "what holds everywhere holds there too");
    assert!(plain.is_more_than(&none) && deny.is_more_than(&none));
    assert!(!plain.is_more_than(&plain));
}

#[test]
fn what_is_given_for_a_time_says_until_when() {
    let end = now() + TimeDelta::minutes(3);
    let mut timed = grant(0, Effect::Allow, Permission::ENTITY_WRITE, None);
    timed.expires_at = Some(end);
    let policy = Policy::new(PolicyRows { grants: vec![timed], ..PolicyRows::default() });
    let (member, viewer) = (member(Role::Viewer), Role::Viewer.permissions());
    let at = |time| Held::new(&policy, Principal::Person(&member), time);
    assert_eq!(at(now()).until, Some(end));
    assert!(at(now()).scopes.contains(&Permission::ENTITY_WRITE));
    assert_eq!((at(end).until, at(end).scopes), (None, viewer));
}
