//! What can be wrong with an invitation.

use pulse_graphql::{ClientError, Code, PageError};
use pulse_store::InvalidIdempotencyKey;

use super::{MAX_AT_ONCE, MAX_OPEN, MAX_UNITS};
use crate::access::AccessError;
use crate::throttle::TooOften;
use crate::user::InvalidEmail;

/// Why nobody can be invited as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvitingError {
    /// One of those who are to be invited cannot be.
    #[error("{problem}")]
    One {
        /// Which of them; `None` where there is only one.
        index: Option<usize>,
        /// Why.
        problem: InviteeProblem,
    },
    /// None, or too many at once.
    #[error("invite 1 to {MAX_AT_ONCE} people at once, these are {0}")]
    Count(usize),
    /// Too many wait for an answer.
    #[error(
        "an organization has at most {MAX_OPEN} open invitations: revoke some, or wait until some are answered"
    )]
    TooMany,
    /// Not an idempotency key.
    #[error(transparent)]
    Key(#[from] InvalidIdempotencyKey),
    /// Enough letters were sent.
    #[error(transparent)]
    TooOften(#[from] TooOften),
    /// No such invitation.
    #[error("your organization has no such open invitation")]
    NotFound,
}

/// Why one person cannot be invited.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InviteeProblem {
    /// Not an address.
    #[error(transparent)]
    Email(#[from] InvalidEmail),
    /// The same address again.
    #[error("this address is in the list twice")]
    Twice,
    /// Who has the address is a member.
    #[error("this person is a member already: change the role instead")]
    AlreadyMember,
    /// The tenant invites nobody there.
    #[error("your organization invites addresses of these domains alone: {0}")]
    Domain(String),
    /// Too many units.
    #[error("name at most {MAX_UNITS} sub-organizations and teams, these are {0}")]
    Units(usize),
    /// No such unit.
    #[error("your organization has no such sub-organization or team")]
    NoSuchUnit,
    /// The units would let the person do more than the caller may.
    #[error(transparent)]
    Access(#[from] AccessError),
}

impl InviteeProblem {
    /// Of one among several, or of the only one.
    pub(super) const fn of(self, index: Option<usize>) -> InvitingError {
        InvitingError::One { index, problem: self }
    }
}

impl ClientError for InvitingError {
    fn code(&self) -> Code {
        match self {
            Self::One { problem, .. } => match problem {
                InviteeProblem::Email(_)
                | InviteeProblem::Twice
                | InviteeProblem::Units(_)
                | InviteeProblem::Domain(_) => Code::BadUserInput,
                InviteeProblem::AlreadyMember => Code::Conflict,
                InviteeProblem::NoSuchUnit => Code::NotFound,
                InviteeProblem::Access(error) => error.code(),
            },
            Self::Count(_) | Self::Key(_) => Code::BadUserInput,
            Self::TooMany => Code::Conflict,
            Self::TooOften(_) => Code::RateLimited,
            Self::NotFound => Code::NotFound,
        }
    }

    fn field(&self) -> Option<String> {
        match self {
            Self::One { index, problem } => {
                let field = match problem {
                    InviteeProblem::Units(_) | InviteeProblem::NoSuchUnit | InviteeProblem::Access(_) => {
                        "unitIds"
                    }
                    _ => "email",
                };
                Some(match index {
                    Some(index) => format!("input.people[{index}].{field}"),
                    None => format!("input.{field}"),
                })
            }
            Self::Count(_) => Some("input.people".to_owned()),
            Self::Key(_) => Some("input.idempotencyKey".to_owned()),
            Self::NotFound => Some("input.id".to_owned()),
            Self::TooMany | Self::TooOften(_) => None,
        }
    }
}

/// Why an invitation cannot be answered as asked. Nothing says who else there is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// Unknown, answered, revoked, too old, or by somebody who may not invite any more.
    #[error("this invitation is good no more: ask whoever invited you for a new one")]
    Gone,
    /// Somebody else's.
    #[error("this invitation was sent to another address: use the one that it was sent to")]
    OtherAddress,
    /// Whoever registered with the address may not be its owner.
    #[error("confirm your email address first: ask for the letter by `requestEmailVerification`")]
    Unconfirmed,
    /// Its issuer speaks for one organization alone.
    #[error("you are signed in by the issuer of another organization: sign in another way first")]
    Confined,
    /// Neither, or both.
    #[error("give `token`, which is in the letter, or `id`, which is in `myInvitations`; not both")]
    TokenOrId,
}

impl ClientError for AnswerError {
    fn code(&self) -> Code {
        match self {
            Self::Gone | Self::TokenOrId => Code::BadUserInput,
            Self::OtherAddress | Self::Unconfirmed | Self::Confined => Code::Forbidden,
        }
    }

    fn field(&self) -> Option<String> {
        None
    }
}

/// Why invitations cannot be listed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvitationsError {
    /// Wrong arguments.
    #[error(transparent)]
    Page(#[from] PageError),
}

impl ClientError for InvitationsError {
    fn code(&self) -> Code {
        let Self::Page(error) = self;
        error.code()
    }

    fn field(&self) -> Option<String> {
        let Self::Page(error) = self;
        error.field()
    }
}
