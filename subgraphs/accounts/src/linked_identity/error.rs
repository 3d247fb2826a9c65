//! What can be wrong with signing in by an issuer.

use pulse_graphql::{ClientError, Code};

use crate::name::InvalidName;
use crate::oidc::IssuerError;
use crate::throttle::TooOften;
use crate::user::ProofError;

/// Why somebody is not signed in or linked by an issuer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum IdentityError {
    #[error("there is no such identity provider: `signInProviders` lists those that you can use")]
    NoSuchProvider,
    #[error(
        "{0:?} is not a page that people may be sent back to; the operator lists them as accounts.oidc.redirect_uris"
    )]
    RedirectUri(String),
    #[error(
        "{0:?} is not a page that people may be sent to after signing out; the operator lists them as accounts.oidc.post_logout_redirect_uris"
    )]
    LogoutUri(String),
    /// Unknown, used, too old, begun by another browser, or for something else: which of them is nobody's business.
    #[error(
        "this answer belongs to no sign-in that you have begun, or it was used, or took too long: start again"
    )]
    Attempt,
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    #[error(
        "the issuer did not say that an email address of yours is verified: verify it there, or ask its operator"
    )]
    NoVerifiedAddress,
    #[error("this identity provider may not sign in people with an address at {0:?}")]
    ForeignDomain(String),
    #[error(
        "you have no account here, and this identity provider makes none: ask an admin of your organization"
    )]
    NoAccount,
    #[error(
        "somebody has registered with your email address already: sign in as you did before, then link the two"
    )]
    LinkFirst,
    #[error(
        "somebody has registered with your email address and never confirmed it: have a link to sign in sent to it, or reset the password, then come back"
    )]
    Unconfirmed,
    #[error(
        "none of what the issuer says of you gives you a role in this organization: ask one of its admins"
    )]
    NoRole,
    #[error("there is no such organization, or you are no member of it")]
    NoSuchOrganization,
    #[error("another person has this identity linked already")]
    LinkedElsewhere,
    #[error("a person has at most {0} identities: unlink one first")]
    TooMany(u32),
    #[error("only the person may see who it is at issuers")]
    NotYou,
    #[error("you have no such identity")]
    NotFound,
    #[error("this is your only way in: set a password first, by `requestPasswordReset`")]
    LastWayIn,
    /// What an organization's issuer begins is for that organization alone.
    #[error(
        "this session was begun by your organization's identity provider, which speaks for no other: sign in in another way first"
    )]
    Confined,
    #[error("show your password: linking is another way into your account")]
    PasswordNeeded,
    #[error(transparent)]
    Proof(#[from] ProofError),
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// Whoever tries has to wait.
    #[error(transparent)]
    TooOften(#[from] TooOften),
}

impl IdentityError {
    /// Whether it may be that somebody tries what they have not got.
    pub(super) const fn is_guess(&self) -> bool {
        match self {
            Self::Attempt => true,
            Self::Issuer(error) => !matches!(error, IssuerError::Down { .. } | IssuerError::Status { .. }),
            _ => false,
        }
    }
}

impl ClientError for IdentityError {
    fn code(&self) -> Code {
        match self {
            Self::NoSuchProvider | Self::NoSuchOrganization | Self::NotFound => Code::NotFound,
            Self::RedirectUri(_)
            | Self::LogoutUri(_)
            | Self::Attempt
            | Self::PasswordNeeded
            | Self::Name(_)
            | Self::Issuer(IssuerError::MixedUp) => Code::BadUserInput,
            Self::Issuer(IssuerError::Down { .. }) => Code::Unavailable,
            Self::Issuer(_) => Code::Unauthenticated,
            Self::NoVerifiedAddress
            | Self::ForeignDomain(_)
            | Self::NoAccount
            | Self::NoRole
            | Self::NotYou
            | Self::Confined => Code::Forbidden,
            Self::LinkFirst
            | Self::Unconfirmed
            | Self::LinkedElsewhere
            | Self::TooMany(_)
            | Self::LastWayIn => Code::Conflict,
            Self::Proof(error) => error.code(),
            Self::TooOften(_) => Code::RateLimited,
        }
    }

    fn field(&self) -> Option<String> {
        let field = match self {
            Self::NoSuchProvider => "providerId",
            Self::RedirectUri(_) | Self::LogoutUri(_) => "redirectUri",
            Self::Attempt => "state",
            Self::Issuer(IssuerError::MixedUp) => "issuer",
            Self::Issuer(IssuerError::Code(_)) => "code",
            Self::NoSuchOrganization => "organizationSlug",
            Self::NotFound | Self::LastWayIn => "identityId",
            Self::PasswordNeeded | Self::Proof(_) => "password",
            _ => return None,
        };
        Some(format!("input.{field}"))
    }
}
