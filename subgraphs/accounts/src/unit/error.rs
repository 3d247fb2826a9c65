//! What can be wrong with a unit.

use pulse_graphql::{ClientError, Code, PageError};
use pulse_store::InvalidIdempotencyKey;
use pulse_types::{UnitId, UserId};

use super::{MAX_AT_ONCE, MAX_ENDED, MAX_LEVELS, MAX_PER_ORGANIZATION, MAX_PER_PERSON};
use crate::access::AccessError;
use crate::name::InvalidName;

/// Why a unit, or who belongs to it, cannot be made or changed as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UnitError {
    /// Not a name.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// Not an idempotency key.
    #[error(transparent)]
    Key(#[from] InvalidIdempotencyKey),
    /// No such unit.
    #[error("there is no sub-organization or team with the id {0}")]
    NotFound(UnitId),
    /// No such unit to put one into.
    #[error("there is no sub-organization with the id {0} to put it into")]
    NoParent(UnitId),
    /// A team has nothing inside.
    #[error("nothing can be inside a team: choose a sub-organization, or leave `parentId` out")]
    InTeam,
    /// A unit would be inside itself.
    #[error("a sub-organization cannot be moved into itself or into what is inside it")]
    InItself,
    /// Too many levels.
    #[error("at most {MAX_LEVELS} levels of sub-organizations and teams: choose a place further up")]
    TooDeep,
    /// The tenant has too many.
    #[error(
        "an organization has at most {MAX_PER_ORGANIZATION} sub-organizations and teams: delete some first"
    )]
    TooMany,
    /// Another one beside it has the name.
    #[error("there is one called {0:?} in the same place already: choose another name")]
    NameTaken(String),
    /// It has been changed since.
    #[error("this is version {actual} by now, not {expected}: read it again and repeat your change")]
    VersionMismatch {
        /// What the caller had read.
        expected: i64,
        /// What it is.
        actual: i64,
    },
    /// There is something inside.
    #[error(
        "{organizations} sub-organizations, {teams} teams and {memberships} memberships would go with it: \
         move what is to stay, or give `recursive: true`"
    )]
    NotEmpty {
        /// Sub-organizations inside it.
        organizations: usize,
        /// Teams inside it.
        teams: usize,
        /// Memberships of it and of those.
        memberships: i64,
    },
    /// It would let somebody do more than the caller may.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// Too much would end at once.
    #[error("{0} memberships would end, at most {MAX_ENDED} do at once: delete what is inside bit by bit")]
    TooMuch(i64),
    /// Not 1 to the limit.
    #[error("name 1 to {MAX_AT_ONCE} people at once, not {0}")]
    People(usize),
    /// Not in the tenant.
    #[error("the person {0} is no member of the organization: add them to it first")]
    NoMember(UserId),
    /// In too many units.
    #[error(
        "the person {0} would belong to more than {MAX_PER_PERSON} sub-organizations and teams: remove them from some first"
    )]
    Overcommitted(UserId),
}

impl ClientError for UnitError {
    fn code(&self) -> Code {
        match self {
            Self::Access(error) => error.code(),
            Self::NotFound(_) | Self::NoParent(_) | Self::NoMember(_) => Code::NotFound,
            Self::Name(_)
            | Self::Key(_)
            | Self::InTeam
            | Self::InItself
            | Self::TooDeep
            | Self::People(_) => Code::BadUserInput,
            Self::TooMany
            | Self::NameTaken(_)
            | Self::VersionMismatch { .. }
            | Self::NotEmpty { .. }
            | Self::TooMuch(_)
            | Self::Overcommitted(_) => Code::Conflict,
        }
    }

    fn field(&self) -> Option<String> {
        let field = match self {
            Self::Name(_) | Self::NameTaken(_) => "input.name",
            Self::Key(_) => "input.idempotencyKey",
            Self::NotFound(_) => "input.id",
            Self::NoParent(_) | Self::InTeam | Self::InItself | Self::TooDeep => "input.parentId",
            Self::VersionMismatch { .. } => "input.expectedVersion",
            Self::NotEmpty { .. } => "input.recursive",
            Self::People(_) | Self::NoMember(_) | Self::Overcommitted(_) => "input.userIds",
            Self::Access(_) | Self::TooMany | Self::TooMuch(_) => return None,
        };
        Some(field.to_owned())
    }
}

/// Why units, or who belongs to one, cannot be listed as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UnitsError {
    /// Wrong arguments.
    #[error(transparent)]
    Page(#[from] PageError),
    /// Not the tenant that the caller acts in.
    #[error("you act in another organization: call `switchOrganization` to see what is inside this one")]
    OtherOrganization,
    /// Two places at once.
    #[error("give `parentId` or `topLevel`, not both")]
    TwoPlaces,
    /// Not a number of levels.
    #[error("`levels` is {0}, allowed is 1 to {MAX_LEVELS}")]
    Levels(i32),
}

impl ClientError for UnitsError {
    fn code(&self) -> Code {
        match self {
            Self::Page(error) => error.code(),
            Self::OtherOrganization => Code::Forbidden,
            Self::TwoPlaces | Self::Levels(_) => Code::BadUserInput,
        }
    }

    fn field(&self) -> Option<String> {
        match self {
            Self::Page(error) => error.field(),
            Self::OtherOrganization => None,
            Self::TwoPlaces => Some("filter.topLevel".to_owned()),
            Self::Levels(_) => Some("levels".to_owned()),
        }
    }
}
