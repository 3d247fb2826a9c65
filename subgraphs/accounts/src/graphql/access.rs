//! Why somebody may do something, or may not.

use async_graphql::{Context, Enum, Object, SimpleObject};
use pulse_graphql::{ContextExt, Error};
use pulse_types::{
    Effect, GrantId, MachineId, Resource, ResourceKind, Role, RoleAssignmentId, RoleId, UnitId, UserId,
};

use crate::access::{self, AccessError, Explained, Explainee, Step, Told, What, Whom};

/// Whom something is about, as arguments and inputs say it.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_field_names, reason = "the names of the API")]
pub(super) struct PrincipalInput {
    pub(super) user_id: Option<UserId>,
    pub(super) unit_id: Option<UnitId>,
    pub(super) machine_id: Option<MachineId>,
}

impl PrincipalInput {
    /// The one; `names` are those of the fields of which one has to be given.
    pub(super) fn one(self, names: &'static str) -> Result<Whom, AccessError> {
        let only = || AccessError::OnePrincipal(names);
        self.at_most_one().map_err(|_| only())?.ok_or_else(only)
    }

    /// The one, if there is one.
    pub(super) fn at_most_one(self) -> Result<Option<Whom>, AccessError> {
        match (self.user_id, self.unit_id, self.machine_id) {
            (None, None, None) => Ok(None),
            (Some(user), None, None) => Ok(Some(Whom::User(user))),
            (None, Some(unit), None) => Ok(Some(Whom::Unit(unit))),
            (None, None, Some(machine)) => Ok(Some(Whom::Machine(machine))),
            _ => Err(AccessError::OnePrincipal("`userId`, `unitId` and `machineId`")),
        }
    }
}

/// Where a right comes from, or what withholds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(crate) enum AccessSource {
    /// The role of the person's membership.
    MembershipRole,
    /// A role that was given by `assignRole`.
    RoleAssignment,
    /// A permission that was given or withheld by `grantAccess`.
    Grant,
    /// A scope of the API key or service account.
    Scope,
}

/// Why somebody may do something, or may not.
#[derive(SimpleObject)]
pub(crate) struct AccessExplanation {
    /// Whether.
    allowed: bool,
    /// What decided: something gives it, or something withholds it; null when nothing gives it.
    effect: Option<Effect>,
    /// The permission that was asked about.
    permission: String,
    /// The thing that was asked about; null for the whole organization.
    resource: Option<String>,
    /// All that speaks for it, or against it. What withholds wins over all that gives.
    reasons: Vec<AccessReason>,
}

/// One thing that gives a permission, or withholds it.
#[derive(SimpleObject)]
pub(crate) struct AccessReason {
    /// What it comes from.
    source: AccessSource,
    /// Whether it gives or withholds.
    effect: Effect,
    /// Whether it counts: what others than owners withhold from a unit does not count for owners in it, and nobody withholds from an
    /// owner what it takes to manage the organization.
    counts: bool,
    /// Whether it is about the person who answers for the program, of whom a program never may more.
    of_maker: bool,
    /// The role that gives it, when it is one that each organization has.
    template: Option<Role>,
    /// The id of the role that gives it, when the organization has made it.
    role_id: Option<RoleId>,
    /// And what it is called.
    role_name: Option<String>,
    /// The id of what was given by `assignRole`.
    role_assignment_id: Option<RoleAssignmentId>,
    /// The id of what was given or withheld by `grantAccess`.
    grant_id: Option<GrantId>,
    /// How the person comes by it, when it is said of a unit: from the one that the person was added to up to that one.
    through: Vec<UnitStep>,
    /// How it reaches the unit that was asked about, when it holds in a unit: from that one down. Empty when it holds in the whole
    /// organization.
    path: Vec<UnitStep>,
    /// The single thing that it is about, when that is no unit.
    resource: Option<String>,
}

/// A sub-organization or team on the way.
#[derive(SimpleObject)]
pub(crate) struct UnitStep {
    /// Its id.
    id: UnitId,
    /// What people call it.
    name: String,
}

impl From<Step> for UnitStep {
    fn from(Step { id, name }: Step) -> Self {
        Self { id, name }
    }
}

impl From<Told> for AccessReason {
    fn from(Told { effect, counts, of_maker, what, through, path, thing }: Told) -> Self {
        let mut reason = Self {
            source: AccessSource::Scope,
            effect,
            counts,
            of_maker,
            template: None,
            role_id: None,
            role_name: None,
            role_assignment_id: None,
            grant_id: None,
            through: through.into_iter().map(UnitStep::from).collect(),
            path: path.into_iter().map(UnitStep::from).collect(),
            resource: thing.map(String::from),
        };
        match what {
            What::Scope => {}
            What::BaseRole(role) => {
                (reason.source, reason.template) = (AccessSource::MembershipRole, Some(role));
            }
            What::Template(id, role) => {
                (reason.source, reason.template) = (AccessSource::RoleAssignment, Some(role));
                reason.role_assignment_id = Some(id);
            }
            What::OwnRole(id, role, name) => {
                (reason.source, reason.role_assignment_id) = (AccessSource::RoleAssignment, Some(id));
                (reason.role_id, reason.role_name) = (Some(role), Some(name));
            }
            What::Grant(id) => (reason.source, reason.grant_id) = (AccessSource::Grant, Some(id)),
        }
        reason
    }
}

impl From<Explained> for AccessExplanation {
    fn from(Explained { allowed, effect, permission, resource, reasons }: Explained) -> Self {
        Self {
            allowed,
            effect,
            permission: permission.to_string(),
            resource: resource.map(String::from),
            reasons: reasons.into_iter().map(AccessReason::from).collect(),
        }
    }
}

#[derive(Default)]
pub(super) struct AccessQuery;

#[Object]
impl AccessQuery {
    /// Whether somebody may do something in the organization that you act in, and why. About yourself you may always ask; about others
    /// and about programs with `access:read`.
    #[expect(clippy::too_many_arguments, reason = "who, what, and with what, each of several kinds")]
    async fn explain_access(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The permission, such as `entity:write`.")] permission: String,
        #[graphql(desc = "Of a member; of yourself, if nobody is given.")] user_id: Option<UserId>,
        #[graphql(desc = "Of an API key or a service account.")] machine_id: Option<MachineId>,
        #[graphql(
            desc = "With which thing: `entity:`, `collection:` or `unit:` and an id; with anything, if not given."
        )]
        resource: Option<String>,
        #[graphql(desc = "With which sub-organization or team, instead of a `resource`.")] unit_id: Option<
            UnitId,
        >,
    ) -> Result<AccessExplanation, Error<AccessError>> {
        let session = ctx.session();
        let caller = session.caller();
        let who = match (user_id, machine_id) {
            (Some(user), None) => Explainee::User(user),
            (None, Some(machine)) => Explainee::Machine(machine),
            (None, None) => match caller.machine() {
                Some(machine) => Explainee::Machine(machine),
                None => Explainee::User(caller.require_user()?),
            },
            (Some(_), Some(_)) => return Err(AccessError::OnePrincipal("`userId` and `machineId`").into()),
        };
        let thing = match (resource, unit_id) {
            (None, None) => None,
            (Some(text), None) => Some(text.parse::<Resource>().map_err(AccessError::from)?),
            (None, Some(unit)) => Some(Resource::new(ResourceKind::UNIT, unit.uuid())),
            (Some(_), Some(_)) => return Err(AccessError::OneTarget.into()),
        };
        Ok(access::explain(session, who, &permission, thing).await?.into())
    }
}
