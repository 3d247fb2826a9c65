//! What callers can get wrong about roles, grants, and having them explained.

use pulse_graphql::{ClientError, Code, PageError};
use pulse_store::InvalidIdempotencyKey;
use pulse_types::{InvalidResource, Permission, ResourceRights, RoleId, UnitId};
use uuid::Uuid;

use super::{MAX_ASSIGNMENTS, MAX_GRANTS};

/// What is wrong with a request about who may do what.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AccessError {
    /// There is none that the caller may see.
    #[error("there is none with the id {0}")]
    NotFound(Uuid),
    /// Nobody, or several.
    #[error("give one of {0}")]
    OnePrincipal(&'static str),
    /// Nobody in the tenant.
    #[error("there is no such member, unit or program in this organization")]
    NoSuchPrincipal,
    /// No role, or two.
    #[error("give `roleId` or `template`, and not both")]
    OneRole,
    /// There is no such role.
    #[error("there is no role with the id {0} in this organization")]
    NoSuchRole(RoleId),
    /// Owners are owners of the whole.
    #[error("owners are owners of the whole organization: use `changeMemberRole`")]
    OwnerRole,
    /// There is no such unit.
    #[error("there is no unit with the id {0} in this organization")]
    NoSuchUnit(UnitId),
    /// A thing and a unit.
    #[error("give `resource` or `unitId`, and not both")]
    OneTarget,
    /// Nobody asks for it.
    #[error("{0:?} is no permission: see `permissions`")]
    UnknownPermission(String),
    /// Text that names nothing.
    #[error(transparent)]
    Resource(#[from] InvalidResource),
    /// It would change nothing.
    #[error("{0} is not asked for on a single {1}")]
    WithoutMeaning(Permission, String),
    /// A program has scopes for that.
    #[error(
        "what a program may in the whole organization, its scopes say: name a `resource`, or change its scopes"
    )]
    ProgramInTenant,
    /// It would let somebody do more than the giver may.
    #[error("you may not give what you do not have: {}", .0.join(", "))]
    TooWide(Vec<String>),
    /// Whoever has the secret is the program.
    #[error(
        "this program may do things on single resources that you may not: ask somebody who may, or take its grants back"
    )]
    SecretTooWide,
    /// Only they may.
    #[error("only an owner may withhold something from an owner")]
    Owner,
    /// It would have ended already.
    #[error("`expiresAt` is over already")]
    Expired,
    /// It is there.
    #[error("this is given already")]
    Exists,
    /// There are too many.
    #[error(
        "an organization has at most {MAX_ASSIGNMENTS} roles given and {MAX_GRANTS} grants: take back what is not used, or give to units"
    )]
    TooMany,
    /// It would not travel.
    #[error(
        "somebody would have more than {} rights on single things: give a role in the whole organization instead",
        ResourceRights::MAX
    )]
    TooManyRights,
    /// The idempotency key.
    #[error(transparent)]
    IdempotencyKey(#[from] InvalidIdempotencyKey),
    /// The page.
    #[error(transparent)]
    Page(#[from] PageError),
}

impl ClientError for AccessError {
    fn code(&self) -> Code {
        match self {
            Self::NotFound(_) | Self::NoSuchPrincipal | Self::NoSuchRole(_) | Self::NoSuchUnit(_) => {
                Code::NotFound
            }
            Self::TooWide(_) | Self::SecretTooWide | Self::Owner => Code::Forbidden,
            Self::Exists | Self::TooMany | Self::TooManyRights => Code::Conflict,
            Self::Page(error) => error.code(),
            Self::OnePrincipal(_)
            | Self::OneRole
            | Self::OwnerRole
            | Self::OneTarget
            | Self::UnknownPermission(_)
            | Self::Resource(_)
            | Self::WithoutMeaning(..)
            | Self::ProgramInTenant
            | Self::Expired
            | Self::IdempotencyKey(_) => Code::BadUserInput,
        }
    }

    fn field(&self) -> Option<String> {
        let field = match self {
            Self::NotFound(_) => "input.id",
            Self::OneRole | Self::NoSuchRole(_) => "input.roleId",
            Self::OwnerRole => "input.template",
            Self::NoSuchUnit(_) => "input.within",
            Self::Expired => "input.expiresAt",
            Self::IdempotencyKey(_) => "input.idempotencyKey",
            Self::Page(error) => return error.field(),
            // Some are of an input's fields and of arguments.
            Self::OnePrincipal(_)
            | Self::NoSuchPrincipal
            | Self::OneTarget
            | Self::UnknownPermission(_)
            | Self::Resource(_)
            | Self::WithoutMeaning(..)
            | Self::ProgramInTenant
            | Self::TooWide(_)
            | Self::SecretTooWide
            | Self::Owner
            | Self::Exists
            | Self::TooMany
            | Self::TooManyRights => return None,
        };
        Some(field.to_owned())
    }
}
