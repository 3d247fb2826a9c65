#![doc = include_str!("../README.md")]

mod access;
mod caller;

pub use access::{ACCESS_TOKEN_SECONDS, AccessClaims, AccessTokens, KeySet, SigningKey, TokenError};
pub use caller::{CALLER_TOKEN_SECONDS, CallerTokens};
