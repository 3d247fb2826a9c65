#![doc = include_str!("../README.md")]

mod key;
mod sealer;

pub use key::{InvalidKey, KeyId};
pub use sealer::{OpenError, Place, Sealer};
