//! What is laid down about whom, or where, that is no more.

use pulse_store::{StoreError, Write};
use pulse_types::{OrgId, RoleId, UnitId, UserId};

use crate::{grant, role_assignment};

/// Why something that is laid down ends, though nobody takes it back.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ending<'u> {
    /// A person is no member any more.
    User(UserId),
    /// Units are deleted.
    Units(&'u [UnitId]),
    /// A role of the tenant is deleted.
    Role(RoleId),
}

/// Which of the things that are laid down are to end.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Which<'u, Id> {
    /// One that somebody takes back.
    One(Id),
    /// All that end so.
    All(Ending<'u>),
}

impl<'u, Id: Copy> Which<'u, Id> {
    pub(crate) const fn one(&self) -> Option<Id> {
        match self {
            Self::One(id) => Some(*id),
            Self::All(_) => None,
        }
    }

    pub(crate) const fn ending(&self) -> Option<Ending<'u>> {
        match self {
            Self::One(_) => None,
            Self::All(ending) => Some(*ending),
        }
    }
}

impl Ending<'_> {
    pub(crate) const fn user(&self) -> Option<UserId> {
        match self {
            Self::User(user) => Some(*user),
            Self::Units(_) | Self::Role(_) => None,
        }
    }

    pub(crate) const fn units(&self) -> &[UnitId] {
        match self {
            Self::Units(units) => units,
            Self::User(_) | Self::Role(_) => &[],
        }
    }

    pub(crate) const fn role(&self) -> Option<RoleId> {
        match self {
            Self::Role(role) => Some(*role),
            Self::User(_) | Self::Units(_) => None,
        }
    }
}

/// Ends the roles that are given to such, or there, and the grants; keeps them in the history, and tells of each.
pub(crate) async fn end_in_tx(
    write: &mut Write,
    org: OrgId,
    ending: Ending<'_>,
    actor: Option<UserId>,
) -> Result<(), StoreError> {
    role_assignment::end_in_tx(write, org, ending, actor).await?;
    grant::end_in_tx(write, org, ending, actor).await
}
