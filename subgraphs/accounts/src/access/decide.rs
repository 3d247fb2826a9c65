//! The one function that says who may do what, and why. It reads nothing: all that it needs is handed in.

use chrono::{DateTime, Utc};
use pulse_types::{Effect, MachineId, Permission, Permissions, Resource, ResourceKind, Role, UnitId, UserId};
use serde::{Deserialize, Serialize};

use super::permission_set::PermissionSet;
use super::policy::{Place, Policy, Rule, Whom};

/// What nobody withholds from an owner: else a tenant could lock itself out.
const OWNERS_OWN: [Permission; 8] = [
    Permission::ORGANIZATION_READ,
    Permission::ORGANIZATION_MANAGE,
    Permission::MEMBER_READ,
    Permission::MEMBER_MANAGE,
    Permission::ROLE_READ,
    Permission::ROLE_MANAGE,
    Permission::ACCESS_READ,
    Permission::ACCESS_MANAGE,
];

/// A person in the tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The person.
    pub user: UserId,
    /// The role of the membership; `None` for no member, who may nothing.
    pub role: Option<Role>,
    /// The units that the person was added to. Whoever belongs to one belongs to those that it is in.
    pub units: Vec<UnitId>,
}

/// Whose access is decided.
#[derive(Debug, Clone, Copy)]
pub enum Principal<'a> {
    /// A person.
    Person(&'a Member),
    /// A program. It never may more than the person who answers for it.
    Machine {
        /// The API key or service account.
        id: MachineId,
        /// What it was made for.
        scopes: &'a Permissions,
        /// The person who answers for it.
        maker: &'a Member,
    },
}

/// What something is to be done with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Anything in the tenant.
    Tenant,
    /// A single thing, be it a unit.
    Thing(Resource),
}

/// Whether somebody may, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision<'p> {
    /// Whether.
    pub allowed: bool,
    /// All that says so, or says otherwise.
    pub(crate) reasons: Vec<Reason<'p>>,
}

/// One thing that speaks for or against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reason<'p> {
    pub(crate) effect: Effect,
    /// Whether it counts: what is withheld from owners may not.
    pub(crate) counts: bool,
    pub(crate) by: By<'p>,
    /// The unit that the person was added to, and the one that the rule is for, where it is for a unit.
    pub(crate) through: Option<(UnitId, UnitId)>,
    /// Whether it is about the person who answers for the program that asks.
    pub(crate) of_maker: bool,
}

/// What a reason comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By<'p> {
    /// The role of the membership.
    BaseRole(Role),
    /// A scope of the program.
    Scope,
    /// What is laid down.
    Rule(&'p Rule),
}

impl Decision<'_> {
    /// What decided: `None` where nothing speaks for it.
    pub fn effect(&self) -> Option<Effect> {
        let denied = self.reasons.iter().any(|reason| reason.counts && reason.effect == Effect::Deny);
        if denied { Some(Effect::Deny) } else { self.allowed.then_some(Effect::Allow) }
    }
}

/// Whether `principal` may do what `permission` is for with `target`, and why. What is withheld wins over all that is given;
/// what holds in a unit holds in all below it, and what holds in the tenant holds everywhere; what is not given is not allowed.
///
/// A rule about a single thing counts where the permission is one that is asked for on things of its kind.
pub fn decide<'p>(
    policy: &'p Policy,
    principal: Principal<'_>,
    permission: &Permission,
    target: &Target,
    now: DateTime<Utc>,
) -> Decision<'p> {
    let Some(place) = permission.index() else { return Decision { allowed: false, reasons: Vec::new() } };
    let asked = Asked::new(policy, (permission, place), target, now);
    let mut reasons = Vec::new();
    let allowed = match principal {
        Principal::Person(member) => asked.person(member, false, &mut reasons).is_allowed(),
        Principal::Machine { id, scopes, maker } => {
            let own = asked.machine(id, scopes, &mut reasons);
            let makers = asked.person(maker, true, &mut reasons);
            own.is_allowed() && makers.is_allowed()
        }
    };
    Decision { allowed, reasons }
}

/// What speaks for and against.
#[derive(Debug, Clone, Copy, Default)]
struct Weight {
    allow: bool,
    deny: bool,
}

impl Weight {
    const fn is_allowed(self) -> bool {
        self.allow && !self.deny
    }

    const fn add(&mut self, effect: Effect) {
        match effect {
            Effect::Allow => self.allow = true,
            Effect::Deny => self.deny = true,
        }
    }
}

/// A question, put in order.
struct Asked<'p, 'a> {
    policy: &'p Policy,
    permission: &'a Permission,
    /// The permission's place among those that are known.
    index: usize,
    target: &'a Target,
    /// The unit that is asked about, and those that it is in.
    units: Vec<UnitId>,
    /// Whether rules about single things count.
    on_things: bool,
    now: DateTime<Utc>,
}

impl<'p, 'a> Asked<'p, 'a> {
    fn new(
        policy: &'p Policy,
        (permission, index): (&'a Permission, usize),
        target: &'a Target,
        now: DateTime<Utc>,
    ) -> Self {
        let (mut units, mut on_things) = (Vec::new(), false);
        if let Target::Thing(thing) = target {
            on_things = thing.kind().takes(permission);
            if *thing.kind() == ResourceKind::UNIT {
                units = policy.upwards(UnitId::from_uuid(thing.id())).collect();
            }
        }
        Self { policy, permission, index, target, units, on_things, now }
    }

    fn person(&self, member: &Member, of_maker: bool, reasons: &mut Vec<Reason<'p>>) -> Weight {
        let mut weight = Weight::default();
        let Some(role) = member.role else { return weight };
        if PermissionSet::of_role(role).has(self.index) {
            weight.add(Effect::Allow);
            let by = By::BaseRole(role);
            reasons.push(Reason { effect: Effect::Allow, counts: true, by, through: None, of_maker });
        }
        for (whom, through) in principals(self.policy, member) {
            for rule in self.rules(whom) {
                let counts = rule.effect == Effect::Allow || role != Role::Owner || self.narrows_owners(rule);
                if counts {
                    weight.add(rule.effect);
                }
                let by = By::Rule(rule);
                reasons.push(Reason { effect: rule.effect, counts, by, through, of_maker });
            }
        }
        weight
    }

    fn machine(&self, id: MachineId, scopes: &Permissions, reasons: &mut Vec<Reason<'p>>) -> Weight {
        let mut weight = Weight::default();
        let mut add = |effect, by| {
            weight.add(effect);
            reasons.push(Reason { effect, counts: true, by, through: None, of_maker: false });
        };
        if scopes.contains(self.permission) {
            add(Effect::Allow, By::Scope);
        }
        for rule in self.rules(Whom::Machine(id)) {
            // What a program may in the whole tenant, its scopes say alone.
            if rule.effect == Effect::Deny || rule.place != Place::Tenant {
                add(rule.effect, By::Rule(rule));
            }
        }
        weight
    }

    fn narrows_owners(&self, rule: &Rule) -> bool {
        rule.by_owner && !OWNERS_OWN.contains(self.permission)
    }

    /// The rules for somebody that say something to the question.
    fn rules(&self, whom: Whom) -> impl Iterator<Item = &'p Rule> {
        self.policy.rules_for(whom).iter().filter(|rule| {
            rule.permissions.has(self.index) && self.covers(&rule.place) && rule.holds_at(self.now)
        })
    }

    fn covers(&self, place: &Place) -> bool {
        match place {
            Place::Tenant => true,
            Place::Unit(unit) => self.on_things && self.units.contains(unit),
            Place::Thing(thing) => {
                self.on_things && matches!(self.target, Target::Thing(target) if target == thing)
            }
        }
    }
}

/// Whom the rules may be for that concern a person, each once: with the unit that the person was added to, and the one that the
/// rule is for.
pub(super) fn principals(policy: &Policy, member: &Member) -> Vec<(Whom, Option<(UnitId, UnitId)>)> {
    let mut all = vec![(Whom::User(member.user), None)];
    for direct in &member.units {
        for unit in policy.upwards(*direct) {
            // Those above were seen with it.
            if all.iter().any(|(whom, _)| *whom == Whom::Unit(unit)) {
                break;
            }
            all.push((Whom::Unit(unit), Some((*direct, unit))));
        }
    }
    all
}
