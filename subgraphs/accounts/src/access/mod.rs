//! Who may do what in a tenant: what is laid down, and the one function that decides over it.

mod check;
mod decide;
mod ending;
mod error;
mod explain;
mod held;
mod kept;
mod permission_set;
mod policy;
mod question;
mod repo;
#[cfg(test)]
mod tests;

pub(crate) use check::{
    Joining, joinable_in_tx, known, may_all_in_tx, require_all_on, require_any_manager,
    require_principal_in_tx, require_right_to_join_in_tx, require_right_to_narrow_in_tx,
    require_role_to_travel_in_tx, require_to_hold_in_tx, require_to_travel_in_tx, require_unit_in_tx,
};
pub use decide::{Decision, Member, Principal, Target, decide};
pub(crate) use ending::{Ending, Which, end_in_tx};
pub(crate) use error::AccessError;
pub(crate) use explain::{Explained, Explainee, Step, Told, What, explain};
pub use held::Held;
pub(crate) use kept::Access;
pub use kept::AccessSubject;
pub use policy::{Policy, PolicyAssignment, PolicyGrant, PolicyRole, PolicyRows, PolicyUnit, Whom};
pub(crate) use question::internal_routes;
pub use question::{ACCESS_PATH, AccessQuestion, MAX_ACCESS_SUBJECTS};

use crate::unit;

/// The subject of events about roles of a tenant.
pub(crate) const ROLE: &str = "accounts.role";

/// The subject of events about who has which role.
pub(crate) const ROLE_ASSIGNMENT: &str = "accounts.role_assignment";

/// The subject of events about single permissions that are given or withheld.
pub(crate) const GRANT: &str = "accounts.grant";

/// How many roles are given in an organization.
pub(crate) const MAX_ASSIGNMENTS: i64 = 10_000;

/// How many grants an organization has.
pub(crate) const MAX_GRANTS: i64 = 10_000;

/// What changes are of that make people's access in a tenant another one, beside those of their memberships.
pub const ACCESS_CHANGES: [&str; 5] = [ROLE, ROLE_ASSIGNMENT, GRANT, unit::SUBJECT, unit::MEMBER];
