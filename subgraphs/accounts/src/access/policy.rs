//! What a tenant has laid down about who may do what, put in order for asking.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use pulse_types::{
    Effect, GrantId, MachineId, Permission, Resource, ResourceKind, Role, RoleAssignmentId, RoleId, UnitId,
    UserId,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use super::permission_set::PermissionSet;

/// How deep a path is followed: deeper than any may be, so that what is stored wrongly ends too.
const DEEPEST: usize = 64;

/// What a [`Policy`] is made of, as it is stored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyRows {
    /// Sub-organizations and teams.
    pub units: Vec<PolicyUnit>,
    /// The tenant's own roles.
    pub roles: Vec<PolicyRole>,
    /// Who has which role, and where.
    pub assignments: Vec<PolicyAssignment>,
    /// Single permissions that are given or withheld.
    pub grants: Vec<PolicyGrant>,
}

/// A sub-organization or a team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyUnit {
    /// Its id.
    pub id: UnitId,
    /// What it is in; `None` directly in the tenant.
    pub parent: Option<UnitId>,
    /// What people call it.
    pub name: String,
}

/// A role that the tenant has made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyRole {
    /// Its id.
    pub id: RoleId,
    /// What people call it.
    pub name: String,
    /// What it gives.
    pub permissions: Vec<Permission>,
}

/// Whom a rule is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "principal_kind", content = "principal", rename_all = "lowercase")]
pub enum Whom {
    /// A person.
    User(UserId),
    /// All who belong to a unit, or to one below it.
    Unit(UnitId),
    /// An API key or a service account.
    Machine(MachineId),
}

impl Whom {
    /// Whom a stored kind and id mean.
    pub(crate) fn stored(kind: &str, id: Uuid) -> Option<Self> {
        match kind {
            "user" => Some(Self::User(UserId::from_uuid(id))),
            "unit" => Some(Self::Unit(UnitId::from_uuid(id))),
            "machine" => Some(Self::Machine(MachineId::from_uuid(id))),
            _ => None,
        }
    }

    /// The kind, as stored; also what an event calls the id.
    pub(crate) const fn kind(self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::Unit(_) => "unit",
            Self::Machine(_) => "machine",
        }
    }

    /// The id.
    pub(crate) const fn id(self) -> Uuid {
        match self {
            Self::User(id) => id.uuid(),
            Self::Unit(id) => id.uuid(),
            Self::Machine(id) => id.uuid(),
        }
    }
}

/// A role that is given to somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyAssignment {
    /// Its id.
    pub id: RoleAssignmentId,
    /// Who has the role.
    #[serde(flatten)]
    pub whom: Whom,
    /// A role of the tenant.
    pub role: Option<RoleId>,
    /// Or one that each tenant has.
    pub template: Option<Role>,
    /// The unit that it holds in, with all below; `None` for the whole tenant.
    pub place: Option<UnitId>,
}

/// A permission that is given or withheld.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyGrant {
    /// Its id.
    pub id: GrantId,
    /// Who has it.
    #[serde(flatten)]
    pub whom: Whom,
    /// Whether it is given or withheld.
    pub effect: Effect,
    /// Which.
    pub permission: Permission,
    /// On what: a unit stands for all below it; `None` for the whole tenant.
    pub resource: Option<Resource>,
    /// Whether an owner said so.
    pub by_owner: bool,
    /// When it ends.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Where a rule holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    Tenant,
    /// There, and below.
    Unit(UnitId),
    /// No unit.
    Thing(Resource),
}

impl Place {
    pub(crate) fn of(resource: Option<&Resource>) -> Self {
        match resource {
            None => Self::Tenant,
            Some(unit) if *unit.kind() == ResourceKind::UNIT => Self::Unit(UnitId::from_uuid(unit.id())),
            Some(thing) => Self::Thing(thing.clone()),
        }
    }
}

impl Place {
    /// The thing; `None` for the whole tenant.
    pub(super) fn resource(&self) -> Option<Resource> {
        match self {
            Self::Tenant => None,
            Self::Unit(unit) => Some(Resource::new(ResourceKind::UNIT, unit.uuid())),
            Self::Thing(thing) => Some(thing.clone()),
        }
    }
}

/// By what a rule was laid down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    Own(RoleAssignmentId, RoleId),
    Template(RoleAssignmentId, Role),
    Grant(GrantId),
}

/// One thing that is laid down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) source: Source,
    pub(crate) effect: Effect,
    pub(super) permissions: PermissionSet,
    pub(crate) place: Place,
    pub(super) by_owner: bool,
    pub(crate) expires_at: Option<DateTime<Utc>>,
}

impl Rule {
    pub(super) fn holds_at(&self, now: DateTime<Utc>) -> bool {
        self.expires_at.is_none_or(|end| end > now)
    }
}

/// What a tenant has laid down, in order.
#[derive(Debug, Default)]
pub struct Policy {
    rows: PolicyRows,
    units: HashMap<UnitId, usize>,
    roles: HashMap<RoleId, usize>,
    children: HashMap<UnitId, Vec<UnitId>>,
    rules: HashMap<Whom, Vec<Rule>>,
}

impl Policy {
    /// Puts in order what is stored. A rule whose role is not there gives nothing.
    pub fn new(rows: PolicyRows) -> Self {
        let units = rows.units.iter().enumerate().map(|(place, unit)| (unit.id, place)).collect();
        let roles: HashMap<_, _> =
            rows.roles.iter().enumerate().map(|(place, role)| (role.id, place)).collect();
        let mut children: HashMap<_, Vec<_>> = HashMap::new();
        for unit in &rows.units {
            if let Some(parent) = unit.parent {
                children.entry(parent).or_default().push(unit.id);
            }
        }
        let sets: Vec<_> = rows.roles.iter().map(|role| PermissionSet::of(&role.permissions)).collect();
        let mut laid_down: HashMap<_, Vec<_>> = HashMap::new();
        for assignment in &rows.assignments {
            let own = assignment.role.and_then(|role| Some((role, sets[*roles.get(&role)?])));
            let (source, permissions) = match (own, assignment.template) {
                (Some((role, set)), _) => (Source::Own(assignment.id, role), set),
                (None, Some(role)) => (Source::Template(assignment.id, role), PermissionSet::of_role(role)),
                (None, None) => continue,
            };
            let place = assignment.place.map_or(Place::Tenant, Place::Unit);
            let rule =
                Rule { source, effect: Effect::Allow, permissions, place, by_owner: false, expires_at: None };
            laid_down.entry(assignment.whom).or_default().push(rule);
        }
        for grant in &rows.grants {
            let rule = Rule {
                source: Source::Grant(grant.id),
                effect: grant.effect,
                permissions: PermissionSet::of([&grant.permission]),
                place: Place::of(grant.resource.as_ref()),
                by_owner: grant.by_owner,
                expires_at: grant.expires_at,
            };
            laid_down.entry(grant.whom).or_default().push(rule);
        }
        Self { rows, units, roles, children, rules: laid_down }
    }

    /// Whether nothing is laid down: then each has what their role in the tenant gives.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Whether it matters which units somebody belongs to.
    pub(super) fn asks_for_units(&self) -> bool {
        self.rules.keys().any(|whom| matches!(whom, Whom::Unit(_)))
    }

    pub(super) fn rules_for(&self, whom: Whom) -> &[Rule] {
        self.rules.get(&whom).map_or(&[], Vec::as_slice)
    }

    /// All that is laid down, for whomever.
    pub(super) fn rules(&self) -> impl Iterator<Item = (Whom, &Rule)> {
        self.rules.iter().flat_map(|(whom, rules)| rules.iter().map(|rule| (*whom, rule)))
    }

    /// Those who have a role of the tenant somewhere, and not in all of it.
    pub(super) fn those_with_role_in_units(&self, role: RoleId) -> Vec<Whom> {
        let given = self.rows.assignments.iter();
        given
            .filter(|given| given.role == Some(role) && given.place.is_some())
            .map(|given| given.whom)
            .collect()
    }

    /// The unit of this id.
    pub(crate) fn unit(&self, id: UnitId) -> Option<&PolicyUnit> {
        self.units.get(&id).map(|place| &self.rows.units[*place])
    }

    /// The tenant's own role of this id.
    pub(crate) fn role(&self, id: RoleId) -> Option<&PolicyRole> {
        self.roles.get(&id).map(|place| &self.rows.roles[*place])
    }

    /// The unit, and those that it is in, the nearest first.
    pub(crate) fn upwards(&self, unit: UnitId) -> impl Iterator<Item = UnitId> {
        std::iter::successors(Some(unit), |unit| self.unit(*unit)?.parent).take(DEEPEST)
    }

    /// The unit, and those in it, whichever level.
    pub(super) fn downwards(&self, unit: UnitId) -> Vec<UnitId> {
        let mut all = vec![unit];
        let mut next = 0;
        while let Some(unit) = all.get(next).copied() {
            let below = self.children.get(&unit).map_or(&[][..], Vec::as_slice);
            all.extend(below.iter().filter(|unit| self.units.contains_key(unit)));
            next += 1;
            if all.len() > self.rows.units.len() + 1 {
                break;
            }
        }
        all
    }
}

/// A policy that is kept: as its rows where it has to be written down.
#[derive(Debug, Clone)]
pub(super) struct KeptPolicy(pub(super) Arc<Policy>);

impl Serialize for KeptPolicy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.rows.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for KeptPolicy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        PolicyRows::deserialize(deserializer).map(|rows| Self(Arc::new(Policy::new(rows))))
    }
}
