//! Saying why somebody may do something, or may not.

use pulse_graphql::Error;
use pulse_store::Session;
use pulse_types::{
    Effect, GrantId, MachineId, Permission, Resource, ResourceKind, Role, RoleAssignmentId, RoleId, UnitId,
    UserId,
};

use super::check::known;
use super::decide::{By, Principal, Reason, Target, decide};
use super::error::AccessError;
use super::policy::{Place, Policy, Source};
use super::{kept, repo};

/// Whose access is to be explained.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Explainee {
    User(UserId),
    Machine(MachineId),
}

/// Why somebody may do something, or may not.
#[derive(Debug)]
pub(crate) struct Explained {
    pub(crate) allowed: bool,
    pub(crate) effect: Option<Effect>,
    pub(crate) permission: Permission,
    pub(crate) resource: Option<Resource>,
    pub(crate) reasons: Vec<Told>,
}

/// One thing that speaks for or against.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) effect: Effect,
    pub(crate) counts: bool,
    pub(crate) of_maker: bool,
    pub(crate) what: What,
    /// From the unit that the person was added to up to the one that the rule is for.
    pub(crate) through: Vec<Step>,
    /// From the unit that the rule is about down to the one that was asked about.
    pub(crate) path: Vec<Step>,
    /// The single thing that the rule is about, where it is no unit.
    pub(crate) thing: Option<Resource>,
}

/// What a reason comes from.
#[derive(Debug)]
pub(crate) enum What {
    BaseRole(Role),
    Scope,
    OwnRole(RoleAssignmentId, RoleId, String),
    Template(RoleAssignmentId, Role),
    Grant(GrantId),
}

/// A unit on a path.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) id: UnitId,
    pub(crate) name: String,
}

/// Why somebody may do something with something, or may not. One's own access everybody may have explained; that of others
/// needs `access:read`. Programs are others.
pub(crate) async fn explain(
    session: &Session,
    who: Explainee,
    permission: &str,
    resource: Option<Resource>,
) -> Result<Explained, Error<AccessError>> {
    let caller = session.caller();
    let is_own = match who {
        Explainee::User(user) => caller.user() == Some(user),
        Explainee::Machine(machine) => caller.machine() == Some(machine),
    };
    let org = match caller.org {
        Some(org) if is_own => org,
        _ => caller.require(&Permission::ACCESS_READ)?,
    };
    let permission = known(permission)?;
    let policy = kept::policy(session).await?;
    let target = resource.clone().map_or(Target::Tenant, Target::Thing);
    let now = session.store().clock().now();
    let (user, machine) = match who {
        Explainee::User(user) => (user, None),
        Explainee::Machine(id) => {
            let found = repo::machine(session, org, id).await?;
            let (maker, scopes) = found.ok_or(AccessError::NoSuchPrincipal)?;
            (maker, Some((id, scopes)))
        }
    };
    let member = kept::member(session, user).await?;
    if machine.is_none() && member.role.is_none() {
        return Err(AccessError::NoSuchPrincipal.into());
    }
    let principal = match &machine {
        None => Principal::Person(&member),
        Some((id, scopes)) => Principal::Machine { id: *id, scopes, maker: &member },
    };
    let decision = decide(&policy, principal, &permission, &target, now);
    let (allowed, effect) = (decision.allowed, decision.effect());
    let reasons = decision.reasons.iter().map(|reason| told(&policy, reason, &target)).collect();
    Ok(Explained { allowed, effect, permission, resource, reasons })
}

fn told(policy: &Policy, reason: &Reason<'_>, target: &Target) -> Told {
    let Reason { effect, counts, by, through, of_maker } = *reason;
    let (what, place) = match by {
        By::BaseRole(role) => (What::BaseRole(role), &Place::Tenant),
        By::Scope => (What::Scope, &Place::Tenant),
        By::Rule(rule) => {
            let what = match rule.source {
                Source::Own(id, own) => {
                    let name = policy.role(own).map(|own| own.name.clone()).unwrap_or_default();
                    What::OwnRole(id, own, name)
                }
                Source::Template(id, template) => What::Template(id, template),
                Source::Grant(id) => What::Grant(id),
            };
            (what, &rule.place)
        }
    };
    let through = through.map(|(direct, named)| steps(policy, direct, named)).unwrap_or_default();
    let (mut path, mut thing) = (Vec::new(), None);
    match (place, target) {
        (Place::Unit(unit), Target::Thing(asked)) if *asked.kind() == ResourceKind::UNIT => {
            path = steps(policy, UnitId::from_uuid(asked.id()), *unit);
            path.reverse();
        }
        (Place::Thing(single), _) => thing = Some(single.clone()),
        (Place::Tenant | Place::Unit(_), _) => {}
    }
    Told { effect, counts, of_maker, what, through, path, thing }
}

/// The units from one up to another that it is in.
fn steps(policy: &Policy, from: UnitId, to: UnitId) -> Vec<Step> {
    let mut steps = Vec::new();
    for id in policy.upwards(from) {
        let name = policy.unit(id).map(|unit| unit.name.clone()).unwrap_or_default();
        steps.push(Step { id, name });
        if id == to {
            break;
        }
    }
    steps
}
