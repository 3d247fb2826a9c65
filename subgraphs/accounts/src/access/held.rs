//! What somebody may, all of it: what goes into tokens, and what callers carry.

use chrono::{DateTime, Utc};
use pulse_types::{Effect, Permission, Permissions, Resource, ResourceKind, ResourceRights};
use serde::{Deserialize, Serialize};

use super::decide::{By, Decision, Principal, Target, decide, principals};
use super::policy::{Place, Policy, Rule, Whom};

/// What somebody may in a tenant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Whether the person, or the one who answers for the program, is a member.
    pub is_member: bool,
    /// What holds in the whole tenant.
    pub scopes: Permissions,
    /// What is said of single things.
    #[serde(default, skip_serializing_if = "ResourceRights::is_none")]
    pub rights: ResourceRights,
    /// Until when that is so, when a part of it ends by itself.
    pub until: Option<DateTime<Utc>>,
}

/// Something that is said of a permission on a thing.
type Said = (Effect, Permission, Resource);

impl Held {
    /// All that [`decide`] allows, in the form that travels. What would be too much to travel is left out so that nobody may
    /// more than is decided: first all that is given on single things, then what is withheld somewhere is withheld everywhere.
    pub fn new(policy: &Policy, principal: Principal<'_>, now: DateTime<Utc>) -> Self {
        let is_member = match principal {
            Principal::Person(member) | Principal::Machine { maker: member, .. } => member.role.is_some(),
        };
        if !is_member {
            return Self::default();
        }
        let held =
            |permission: &&Permission| decide(policy, principal, permission, &Target::Tenant, now).allowed;
        let scopes: Permissions = Permission::ALL.iter().filter(held).cloned().collect();
        let said = said(policy, principal, &scopes, now);
        let until = rules(policy, principal).filter_map(|rule| rule.expires_at).filter(|end| *end > now);
        let until = until.min();
        if said.len() <= ResourceRights::MAX {
            return Self { is_member, scopes, rights: said.into_iter().collect(), until };
        }
        tracing::warn!(rights = said.len(), "somebody has more rights on single things than can travel");
        let denied: Vec<_> = said.into_iter().filter(|(effect, ..)| *effect == Effect::Deny).collect();
        if denied.len() <= ResourceRights::MAX {
            return Self { is_member, scopes, rights: denied.into_iter().collect(), until };
        }
        let is_whole = |scope: &&Permission| denied.iter().all(|(_, permission, _)| permission != *scope);
        let scopes = scopes.iter().filter(is_whole).cloned().collect();
        Self { is_member, scopes, rights: ResourceRights::none(), until }
    }

    /// Whether `other` lacks something of this.
    pub fn is_more_than(&self, other: &Self) -> bool {
        let lost = |(effect, permission, thing): Said| {
            effect == Effect::Allow && other.on(&permission, &thing) == Effect::Deny
        };
        let withheld = |(effect, permission, thing): Said| {
            effect == Effect::Deny && self.on(&permission, &thing) == Effect::Allow
        };
        self.scopes.iter().any(|scope| !other.scopes.contains(scope))
            || self.rights.iter().any(lost)
            || other.rights.iter().any(withheld)
    }

    fn on(&self, permission: &Permission, thing: &Resource) -> Effect {
        let in_tenant = if self.scopes.contains(permission) { Effect::Allow } else { Effect::Deny };
        self.rights.on(permission, thing).unwrap_or(in_tenant)
    }
}

/// How much there is to be said of single things, for whoever gives more.
pub(super) fn size(policy: &Policy, principal: Principal<'_>, now: DateTime<Utc>) -> usize {
    let held = |permission: &&Permission| decide(policy, principal, permission, &Target::Tenant, now).allowed;
    let scopes = Permission::ALL.iter().filter(held).cloned().collect();
    said(policy, principal, &scopes, now).len()
}

/// What is different on single things from what holds in the tenant, and what is given there, be it also given in the tenant:
/// a token that was made before that was does not say so.
fn said(policy: &Policy, principal: Principal<'_>, scopes: &Permissions, now: DateTime<Utc>) -> Vec<Said> {
    let mut asked = candidates(policy, principal);
    asked.sort_unstable();
    asked.dedup();
    let mut said = Vec::new();
    for (permission, thing) in asked {
        let target = Target::Thing(thing.clone());
        let decision = decide(policy, principal, &permission, &target, now);
        let in_tenant = scopes.contains(&permission);
        if decision.allowed && (!in_tenant || is_given_there(&decision)) {
            said.push((Effect::Allow, permission, thing));
        } else if !decision.allowed && in_tenant {
            said.push((Effect::Deny, permission, thing));
        }
    }
    said
}

fn is_given_there(decision: &Decision<'_>) -> bool {
    decision.reasons.iter().any(|reason| {
        reason.effect == Effect::Allow && matches!(reason.by, By::Rule(rule) if rule.place != Place::Tenant)
    })
}

/// All single things that something is laid down about, with all below them.
fn candidates(policy: &Policy, principal: Principal<'_>) -> Vec<(Permission, Resource)> {
    let mut all = Vec::new();
    for rule in rules(policy, principal) {
        let things = match &rule.place {
            Place::Tenant => continue,
            Place::Thing(thing) => vec![thing.clone()],
            Place::Unit(unit) => {
                let below = policy.downwards(*unit).into_iter();
                below.map(|unit| Resource::new(ResourceKind::UNIT, unit.uuid())).collect()
            }
        };
        for thing in things {
            let asked = rule.permissions.iter().filter(|permission| thing.kind().takes(permission));
            all.extend(asked.map(|permission| (permission.clone(), thing.clone())));
        }
    }
    all
}

/// All rules that may concern somebody.
fn rules<'p>(policy: &'p Policy, principal: Principal<'_>) -> impl Iterator<Item = &'p Rule> {
    let (machine, member) = match principal {
        Principal::Person(member) => (None, member),
        Principal::Machine { id, maker, .. } => (Some(Whom::Machine(id)), maker),
    };
    let whoms = principals(policy, member).into_iter().map(|(whom, _)| whom).chain(machine);
    whoms.flat_map(|whom| policy.rules_for(whom))
}
