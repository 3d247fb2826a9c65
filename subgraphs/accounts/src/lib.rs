#![doc = include_str!("../README.md")]

mod access;
mod authority;
mod config;
mod consent;
mod creation;
mod email_domain;
mod factor;
mod feature_flag;
mod grant;
mod graphql;
mod identity_provider;
mod invitation;
mod joined;
mod linked_identity;
mod machine;
mod mail;
mod membership;
mod name;
mod oidc;
mod one_time_token;
mod operator;
mod organization;
mod passkey;
mod preference;
mod privacy;
mod resealing;
mod role;
mod role_assignment;
mod routes;
mod session;
mod settings;
mod signing_keys;
mod throttle;
mod token;
mod unit;
mod user;

use std::sync::Arc;

use async_graphql::Schema;
use pulse_events::Tail;
use pulse_graphql::Subgraph;
use pulse_sealing::Sealer;
use pulse_store::Store;
use pulse_tokens::AccessTokens;

pub use access::{
    ACCESS_CHANGES, ACCESS_PATH, AccessQuestion, AccessSubject, Decision, Held, MAX_ACCESS_SUBJECTS, Member,
    Policy, PolicyAssignment, PolicyGrant, PolicyRole, PolicyRows, PolicyUnit, Principal, Target, Whom,
    decide,
};
pub use config::{Config, LinksConfig, MailConfig, PasskeysConfig, PasswordHashConfig, SigningKeysConfig};
pub use graphql::{Mutation, Query, Subscription};
pub use machine::{
    MACHINES_PATH, MachineQuestion, MachineRefusal, Machines, MachinesUnavailable, OAUTH_PATH, TokenGrant,
    TokenGrants, TokenRefusal, TokenRequest, VerifiedMachine, token_routes,
};
pub use mail::InvalidMailSettings;
pub use oidc::{InvalidIssuer, InvalidOidcSettings, OidcConfig, ProviderConfig};
pub use operator::{Demo, DemoError, ensure_demo, organization_by_slug};
pub use organization::OrganizationError;
pub use resealing::{Resealed, Resealer};
pub use routes::{KEYS_PATH, routes};
pub use signing_keys::{KeyState, ListedKey, Rotated, Rotation, SigningKeys, SigningKeysError};
pub use user::{PasswordHashError, UserError};

use access::Access;
use authority::Authority;
use graphql::Loaders;
use machine::LocalGrants;
use mail::{Mailer, SendLetters};
use oidc::Oidc;
use passkey::Site;

/// The settings of this subgraph with their defaults, commented, as TOML.
pub const DEFAULT_CONFIG: &str = include_str!("../config.default.toml");

/// The schema; needs no database.
pub fn schema() -> Schema<Query, Mutation, Subscription> {
    Schema::build(Query::default(), Mutation::default(), Subscription::default())
        .enable_federation()
        .enable_subscription_in_federation()
        .finish()
}

/// Settings by which this subgraph cannot work.
#[derive(Debug, thiserror::Error)]
pub enum InvalidSettings {
    /// The cost of password hashes.
    #[error(transparent)]
    PasswordHash(#[from] PasswordHashError),
    /// How mail is sent.
    #[error(transparent)]
    Mail(#[from] InvalidMailSettings),
    /// Signing in by other issuers.
    #[error(transparent)]
    Oidc(#[from] InvalidOidcSettings),
    /// A link has no place for the token.
    #[error("accounts.links.{0} has no {{token}}, where the token of a letter goes")]
    Link(&'static str),
    /// How long invitations wait.
    #[error("accounts.invitation_lifetime is not between an hour and 90 days")]
    Invitations,
    /// When keys are replaced.
    #[error("accounts.signing_keys.{0}")]
    SigningKeys(&'static str),
    /// The site that passkeys are for.
    #[error("accounts.passkeys.{0}")]
    Passkeys(&'static str),
}

/// The subgraph over its database. `tokens` need a private key to sign people in; what it must keep secret, it keeps sealed.
pub fn subgraph(
    (store, tail): (Store, Tail),
    tokens: AccessTokens,
    sealer: Sealer,
    config: Config,
) -> Result<Subgraph, InvalidSettings> {
    config.links.check().map_err(InvalidSettings::Link)?;
    if !config.has_sound_invitations() {
        return Err(InvalidSettings::Invitations);
    }
    config.signing_keys.check().map_err(InvalidSettings::SigningKeys)?;
    let resealer = Arc::new(Resealer::new(store.clone(), sealer.clone()));
    let machines = Machines::new(store.clone());
    let grants = LocalGrants::new(machines.clone(), tokens.clone(), sealer.clone());
    let routes = routes(&tokens).merge(token_routes(Arc::new(grants.clone())));
    let access = Access::new(store.clone());
    let internal = machine::internal_routes(machines, tail.clone())
        .merge(machine::oauth_routes(grants))
        .merge(access::internal_routes(access.clone(), tail.clone()));
    let routes = routes.merge(settings::logo_routes(store.clone()));
    let letters = SendLetters::new(Mailer::try_new(&config.mail)?, sealer.clone(), config.clone());
    let oidc = Oidc::try_new(config.oidc.clone())?;
    let site = Site::try_new(&config.passkeys, sealer.clone()).map_err(InvalidSettings::Passkeys)?;
    let authority = Authority::try_new((tokens, access), (sealer, site), config)?;
    let prepare = move |request: async_graphql::Request, session: &pulse_store::Session| {
        request.data(Loaders::new(session)).data(authority.clone()).data(oidc.clone())
    };
    let jobs = vec![Arc::new(letters) as _];
    let services = vec![resealer as _];
    Ok(Subgraph {
        routes,
        internal,
        jobs,
        services,
        ..Subgraph::new("accounts", schema(), store, tail, prepare)
    })
}
