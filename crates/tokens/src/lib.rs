#![doc = include_str!("../README.md")]

mod access;
mod caller;
mod keys;
mod machine;

pub use access::{ACCESS_TOKEN_SECONDS, AccessClaims, AccessTokens, MachineClaims, TokenError};
pub use caller::{CALLER_TOKEN_SECONDS, CallerTokens};
pub use keys::{KeySet, PublicKey, SigningKey};
pub use machine::{MachineKind, MachineSecret, MalformedSecret};
