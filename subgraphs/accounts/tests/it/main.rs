//! The subgraph's API against a real database.
#![expect(clippy::unwrap_used, reason = "what a test needs and does not find makes it fail")]

mod access;
mod api_keys;
mod authz;
mod devices;
mod feature_flags;
mod federation;
mod harness;
mod invitations;
mod letters;
mod members;
mod operator;
mod organizations;
mod passkeys;
mod preferences;
mod refresh;
mod routes;
mod second_factor;
mod service_accounts;
mod sessions;
mod settings;
mod signing_keys;
mod smtp;
mod throttle;
mod units;
mod users;
mod walls;
