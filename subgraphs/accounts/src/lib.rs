#![doc = include_str!("../README.md")]

mod authority;
mod config;
mod creation;
mod graphql;
mod joined;
mod membership;
mod name;
mod operator;
mod organization;
mod routes;
mod session;
mod user;

use async_graphql::Schema;
use pulse_events::Tail;
use pulse_graphql::Subgraph;
use pulse_store::Store;
use pulse_tokens::AccessTokens;

pub use config::{Config, PasswordHashConfig};
pub use graphql::{Mutation, Query, Subscription};
pub use operator::{Demo, DemoError, ensure_demo, organization_by_slug};
pub use organization::OrganizationError;
pub use routes::routes;
pub use user::{PasswordHashError, UserError};

use authority::Authority;
use graphql::Loaders;

/// The settings of this subgraph with their defaults, commented, as TOML.
pub const DEFAULT_CONFIG: &str = include_str!("../config.default.toml");

/// The schema; needs no database.
pub fn schema() -> Schema<Query, Mutation, Subscription> {
    Schema::build(Query::default(), Mutation::default(), Subscription::default())
        .enable_federation()
        .enable_subscription_in_federation()
        .finish()
}

/// The subgraph over its database. `tokens` need a private key to sign people in.
pub fn subgraph(
    store: Store,
    tail: Tail,
    tokens: AccessTokens,
    config: Config,
) -> Result<Subgraph, PasswordHashError> {
    let routes = routes(&tokens);
    let authority = Authority::try_new(tokens, config)?;
    let prepare = move |request: async_graphql::Request, session: &pulse_store::Session| {
        request.data(Loaders::new(session)).data(authority.clone())
    };
    Ok(Subgraph { routes, ..Subgraph::new("accounts", schema(), store, tail, prepare) })
}
