#![doc = include_str!("../README.md")]

mod access;
mod caller;
mod machine;

pub use access::{
    ACCESS_TOKEN_SECONDS, AccessClaims, AccessTokens, KeySet, MachineClaims, SigningKey, TokenError,
};
pub use caller::{CALLER_TOKEN_SECONDS, CallerTokens};
pub use machine::{MachineKind, MachineSecret, MalformedSecret};
